"""Retries of a client: which calls, how often and for how long, counted by a server that fails a given number of times."""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway_entities.errors import Code, GatewayError
from gatewayentities.v1.secret_pb2 import (
    DeleteGatewaySecretRequest,
    GatewaySecretInfo,
    ListGatewaySecretInfosRequest,
    ListGatewaySecretInfosResponse,
)


class Failing:
    """Responds with an error the given number of times, then with an empty message."""

    def __init__(self, times: int, code: Code = Code.UNAVAILABLE) -> None:
        self.times, self.code, self.calls = times, code, 0

    def __call__(self, _incoming) -> bytes:
        self.calls += 1
        if self.calls <= self.times:
            raise GatewayError(self.code, "not now")
        return b""


@pytest.mark.parametrize("times", [0, 1, 5])
def test_an_idempotent_call_is_retried_until_it_succeeds(serve, client, times):
    failing = Failing(times)
    assert client(serve(failing).target).list_secrets() == []
    assert failing.calls == times + 1


@pytest.mark.parametrize("mutation", [False, True])
def test_a_call_is_retried_until_its_deadline_with_longer_and_longer_pauses(serve, client, mutation):
    failing = Failing(100)
    opened = client(serve(failing).target)
    start = time.monotonic()
    with pytest.raises(GatewayError, match="not now") as caught:
        opened.delete_secret("s-1", timeout=1.6) if mutation else opened.list_secrets(timeout=1.6)
    assert caught.value.code is Code.UNAVAILABLE
    assert 0.5 <= time.monotonic() - start < 1.6
    assert 3 <= failing.calls <= 6, "pauses of 0.1, 0.2, 0.4 and 0.8 seconds, each at least half as long"


def test_retries_end_after_the_retry_timeout(serve, client):
    failing = Failing(100)
    opened = client(serve(failing).target, retry_timeout=0.5)
    start = time.monotonic()
    with pytest.raises(GatewayError, match="not now"):
        opened.list_secrets(timeout=20)
    assert time.monotonic() - start < 5
    assert 2 <= failing.calls <= 5


def test_a_retry_timeout_of_0_means_one_attempt(serve, client):
    failing = Failing(1)
    with pytest.raises(GatewayError, match="not now"):
        client(serve(failing).target, retry_timeout=0).list_secrets(timeout=20)
    assert failing.calls == 1


def test_the_calls_of_a_client_share_a_budget_of_retries(serve, client):
    failing = Failing(10_000)
    opened = client(serve(failing).target)
    seconds, callers = 2.0, 30

    def attempt(_number):
        with pytest.raises(GatewayError) as caught:
            opened.list_secrets(timeout=seconds)
        # The latter if the last attempt is cut short.
        assert caught.value.code in {Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED}

    start = time.monotonic()
    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(attempt, range(callers)))
    lasted = time.monotonic() - start
    # Without the budget each of them retries 4 times or more.
    assert callers + 10 <= failing.calls <= callers + 10 + 5 * lasted + 1


def test_the_budget_holds_no_caller_back_once_the_server_works(serve, client):
    down, calls = threading.Event(), []
    down.set()

    def respond(_incoming):
        calls.append(None)
        if down.is_set():
            raise GatewayError(Code.UNAVAILABLE, "not now")
        return b""

    opened = client(serve(respond).target)
    callers = 60
    with ThreadPoolExecutor(callers) as pool:
        waiting = [pool.submit(opened.list_secrets, timeout=20) for _ in range(callers)]
        deadline = time.monotonic() + 10
        while len(calls) < callers + 10:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        down.clear()
        start = time.monotonic()
        assert [each.result(20) for each in waiting] == [[]] * callers
    # The longest pause is 2 seconds; 5 retries a second would take 10.
    assert time.monotonic() - start < 6


def test_setting_a_tag_is_idempotent_too(serve, client):
    failing = Failing(2)
    client(serve(failing).target).set_endpoint_tag("e-1", "key", "value")
    assert failing.calls == 3


def test_a_resolution_is_retried_although_it_records_an_access(serve, client):
    failing = Failing(2)
    assert client(serve(failing).target).resolve_endpoints(names=["chat"]) == []
    assert failing.calls == 3


def test_a_change_is_retried_with_the_same_request_id(serve, client):
    ids = []

    def lost(incoming):
        ids.append(DeleteGatewaySecretRequest.FromString(incoming.body).request_id)
        if len(ids) <= 2:
            raise GatewayError(Code.UNAVAILABLE, "not now")
        return b""

    opened = client(serve(lost).target)
    opened.delete_secret("s-1")
    opened.delete_secret("s-1")
    assert ids[0] == ids[1] == ids[2], "a retry has the same request_id"
    assert all(ids)
    assert ids[3] != ids[0], "another call has another request_id"


def test_a_given_request_id_is_sent(serve, client):
    ids = []

    def keep(incoming):
        ids.append(DeleteGatewaySecretRequest.FromString(incoming.body).request_id)
        return b""

    client(serve(keep).target).delete_secret("s-1", request_id="mine")
    assert ids == ["mine"]


@pytest.mark.parametrize("pair", ["http-sync", "http-async"])
def test_a_change_is_not_retried_over_a_transport_that_does_not_deduplicate(serve, client):
    """MLflow's dialect has no request_id, so a retry could be applied twice."""
    failing = Failing(1)
    with pytest.raises(GatewayError) as caught:
        client(serve(failing).target.replace("http:", "mlflow+http:")).create_secret("name", {"api_key": "value"})
    assert (caught.value.code, failing.calls) == (Code.UNAVAILABLE, 1)


def test_a_change_without_a_response_is_retried_after_half_of_the_time(serve, client):
    seen = []

    def silent_once(incoming):
        seen.append((DeleteGatewaySecretRequest.FromString(incoming.body).request_id, incoming.timeout_ms))
        if len(seen) == 1:
            incoming.gone()
        return b""

    client(serve(silent_once).target).delete_secret("s-1", timeout=4)
    (first, half), (second, quarter) = seen
    assert first == second
    assert 1500 < half < 2100, "half of the time is left for a second attempt"
    assert quarter < 1100


def test_one_deadline_covers_all_attempts_of_a_change(serve, client):
    release = threading.Event()

    def silent(_incoming):
        release.wait(10)
        return b""

    opened = client(serve(silent).target)
    start = time.monotonic()
    with pytest.raises(GatewayError) as caught:
        opened.delete_secret("s-1", timeout=0.4)
    assert time.monotonic() - start < 5
    assert caught.value.code is Code.DEADLINE_EXCEEDED
    release.set()


def test_a_read_is_not_retried_after_its_deadline(serve, client):
    calls = []

    def silent(incoming):
        calls.append(incoming)
        incoming.gone()
        return b""

    with pytest.raises(GatewayError) as caught:
        client(serve(silent).target).list_secrets(timeout=0.3)
    assert (caught.value.code, len(calls)) == (Code.DEADLINE_EXCEEDED, 1)


@pytest.mark.parametrize("code", [Code.INTERNAL, Code.NOT_FOUND, Code.RESOURCE_EXHAUSTED, Code.ABORTED])
def test_other_errors_are_not_retried(serve, client, code):
    failing = Failing(1, code)
    with pytest.raises(GatewayError) as caught:
        client(serve(failing).target).list_secrets()
    assert (caught.value.code, failing.calls) == (code, 1)


def test_no_attempt_starts_after_the_deadline(serve, client):
    failing = Failing(100)
    start = time.monotonic()
    with pytest.raises(GatewayError) as caught:
        client(serve(failing).target).list_secrets(timeout=0.12)
    assert caught.value.code in {Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED}
    assert time.monotonic() - start < 5
    assert failing.calls < 4


def test_a_server_that_starts_late_is_still_found(client, serve, free_port, pair):
    late = threading.Timer(0.1, lambda: serve(Failing(0), free_port))
    late.start()
    found = client(f"{pair.split('-')[0]}://127.0.0.1:{free_port}")
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            assert found.list_secrets() == []
        except GatewayError:
            continue
        break
    else:
        pytest.fail("not found")
    late.join()


def test_one_deadline_covers_all_pages(serve, client):
    # Far more pages than the deadline has time for, and an end, so that a fault fails and does not hang.
    tokens = iter([f"page {number}" for number in range(100)])

    def long(_incoming):
        time.sleep(0.05)
        return ListGatewaySecretInfosResponse(next_page_token=next(tokens, "")).SerializeToString()

    start = time.monotonic()
    with pytest.raises(GatewayError) as caught:
        client(serve(long).target, timeout=0.4).list_secrets()
    assert caught.value.code is Code.DEADLINE_EXCEEDED
    assert time.monotonic() - start < 5


def test_a_page_that_leads_to_itself_ends_the_list(serve, client):
    same = iter(["more"] * 100)

    def page(_incoming):
        return ListGatewaySecretInfosResponse(next_page_token=next(same, "")).SerializeToString()

    with pytest.raises(GatewayError) as caught:
        client(serve(page).target).list_secrets()
    assert (caught.value.code, caught.value.reason) == (Code.INTERNAL, "BAD_ANSWER")


def test_a_list_fetches_every_page_in_order(serve, client):
    asked = []

    def pages(incoming):
        asked.append(ListGatewaySecretInfosRequest.FromString(incoming.body))
        number = len(asked)
        info = GatewaySecretInfo(secret_id=f"s-{number}", secret_name="n", created_at=number, last_updated_at=number)
        response = ListGatewaySecretInfosResponse(secrets=[info])
        if number < 3:
            response.next_page_token = f"page {number + 1}"
        return response.SerializeToString()

    found = client(serve(pages).target).list_secrets(provider="openai")
    assert [info.secret_id for info in found] == ["s-1", "s-2", "s-3"]
    assert [(request.provider, request.page_token) for request in asked] == [
        ("openai", ""),
        ("openai", "page 2"),
        ("openai", "page 3"),
    ]


def test_an_endless_timeout_of_one_method_overrides_the_clients(serve, client):
    seen = []

    def keep(incoming):
        seen.append(incoming.timeout_ms)
        return b""

    opened = client(serve(keep).target, timeout=20)
    opened.list_secrets()
    opened.list_secrets(timeout=5)
    opened.list_secrets(timeout=math.inf)
    # gRPC rounds to its own clock.
    assert 19_000 < seen[0] < 20_100
    assert 4_000 < seen[1] < 5_100
    assert seen[2] is None
