"""Resolution of endpoints, and the record of accesses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.service import access_recorder, resolution
from gateway_entities.server.service.access_recorder import ACCESS_RETENTION_MS, AccessRecorder
from gateway_entities.server.service.context import CALLER, ENDPOINTS
from gateway_entities.server.service.writes.compaction import STEP_ROWS, Retention, compact
from gateway_entities.server.store.repositories.access import Access
from gatewayentities.v1 import budget_pb2
from gatewayentities.v1.endpoint_pb2 import UpdateGatewayEndpointRequest
from gatewayentities.v1.resolution_pb2 import (
    GatewaySecretAccess,
    ListGatewaySecretAccessesRequest,
    ResolveGatewayEndpointRequest,
)
from gatewayentities.v1.secret_pb2 import DeleteGatewaySecretRequest, GetGatewaySecretInfoRequest, UpdateGatewaySecretRequest

VALUE = {"api_key": "sk-0123456789", "organization": "org-1"}


@contextmanager
def caller(name: str, *endpoints: str) -> Iterator[None]:
    """Call as the owner of a token, which is limited to endpoints if there are any."""
    tokens = CALLER.set(name), ENDPOINTS.set(frozenset(endpoints) if endpoints else None)
    try:
        yield
    finally:
        CALLER.reset(tokens[0])
        ENDPOINTS.reset(tokens[1])


@pytest.fixture(autouse=True)
def closed(gateway: Any) -> Iterator[None]:
    yield
    gateway.service.close()


def resolve(gateway: Any, *names: str, actor: str = "gw") -> Any:
    with caller(actor):
        return gateway.do(ResolveGatewayEndpointRequest(names=names))


def accesses(gateway: Any, **filters: Any) -> list[GatewaySecretAccess]:
    return list(gateway.do(ListGatewaySecretAccessesRequest(**filters)).accesses)


def test_an_endpoint_comes_with_what_its_models_need(gateway: Any) -> None:
    secret = gateway.secret(secret_value=VALUE, auth_config={"region": "eu", "api_base": "https://a.example"})
    first = gateway.definition(secret_id=secret.secret_id, provider="azure", model_name="gpt-4o")
    second = gateway.definition()
    endpoint = gateway.endpoint(
        gateway.config(model_definition_id=first.model_definition_id),
        gateway.config("FALLBACK", model_definition_id=second.model_definition_id),
    )
    response = resolve(gateway, endpoint.name)
    (resolved,) = response.endpoints
    assert resolved.endpoint == gateway.read_endpoint(endpoint.endpoint_id)
    assert [model.mapping_id for model in resolved.models] == [each.mapping_id for each in endpoint.model_mappings]
    model, other = resolved.models
    assert (model.model_definition_id, model.provider, model.model_name) == (first.model_definition_id, "azure", "gpt-4o")
    assert (model.secret_id, dict(model.secret_value)) == (secret.secret_id, VALUE)
    assert dict(model.auth_config) == {"region": "eu", "api_base": "https://a.example"}
    info = gateway.do(GetGatewaySecretInfoRequest(secret_id=secret.secret_id))
    assert (model.secret_etag, response.revision) == (info.etag, info.revision)
    assert dict(other.secret_value) == {"api_key": "sk-0123456789"}


def test_endpoints_come_in_the_order_of_the_request(gateway: Any) -> None:
    made = [gateway.endpoint() for _ in range(5)]
    wanted = [made[number] for number in (3, 0, 4)]
    assert [each.endpoint.name for each in resolve(gateway, *(each.name for each in wanted)).endpoints] == [
        each.name for each in wanted
    ]
    with caller("gw"):
        by_id = gateway.do(ResolveGatewayEndpointRequest(endpoint_ids=[each.endpoint_id for each in wanted]))
    assert [each.endpoint for each in by_id.endpoints] == wanted


def test_a_new_value_has_another_etag(gateway: Any) -> None:
    endpoint = gateway.endpoint()
    (before,) = resolve(gateway, endpoint.name).endpoints[0].models
    gateway.do(UpdateGatewaySecretRequest(secret_id=before.secret_id, secret_value={"api_key": "another"}))
    (after,) = resolve(gateway, endpoint.name).endpoints[0].models
    assert dict(after.secret_value) == {"api_key": "another"}
    assert after.secret_etag != before.secret_etag


@pytest.mark.parametrize(
    ("fields", "violation"),
    [
        ({}, "endpoint_ids is required, unless names is given"),
        ({"endpoint_ids": ["e-1"], "names": ["n"]}, "endpoint_ids must not be given together with names"),
        ({"names": ["n"] * 2}, 'names[1] repeats "n"'),
        ({"names": ["n", ""]}, "names[1] must be 1 to 255 characters"),
        (
            {"endpoint_ids": [f"e-{number}" for number in range(101)]},
            "endpoint_ids must have at most 100 endpoints, has 101",
        ),
    ],
)
def test_an_invalid_request(gateway: Any, fields: dict[str, Any], violation: str) -> None:
    error = gateway.refused(ResolveGatewayEndpointRequest(**fields))
    assert error.code is Code.INVALID_ARGUMENT
    assert violation in error.message
    assert accesses(gateway) == []


def test_one_that_is_missing_refuses_all(gateway: Any, not_found: Any) -> None:
    endpoint = gateway.endpoint()
    error = gateway.refused(ResolveGatewayEndpointRequest(names=[endpoint.name, "nope"]))
    not_found(error, "GatewayEndpoint not found (name='nope')")
    assert accesses(gateway) == []


def test_a_limited_caller_finds_no_other_endpoint(gateway: Any, not_found: Any) -> None:
    own, other = gateway.endpoint(), gateway.endpoint()
    with caller("gw", own.name):
        assert len(gateway.do(ResolveGatewayEndpointRequest(names=[own.name])).endpoints) == 1
        assert len(gateway.do(ResolveGatewayEndpointRequest(endpoint_ids=[own.endpoint_id])).endpoints) == 1
        # The same error as for one that does not exist.
        by_name = gateway.refused(ResolveGatewayEndpointRequest(names=[other.name]))
        not_found(by_name, f"GatewayEndpoint not found (name='{other.name}')")
        by_id = gateway.refused(ResolveGatewayEndpointRequest(endpoint_ids=[own.endpoint_id, other.endpoint_id]))
        not_found(by_id, f"GatewayEndpoint not found (endpoint_id='{other.endpoint_id}')")
        gateway.do(UpdateGatewayEndpointRequest(endpoint_id=own.endpoint_id, name="renamed"))
        assert gateway.refused(ResolveGatewayEndpointRequest(names=["renamed"])).code is Code.NOT_FOUND
    assert {each.endpoint_id for each in accesses(gateway)} == {own.endpoint_id}


def test_a_limited_caller_spends_on_its_endpoints_only(gateway: Any, not_found: Any) -> None:
    own, other = gateway.endpoint(), gateway.endpoint()
    policy = gateway.policy(target_scope="ENDPOINT", target_value=other.endpoint_id, budget_action="REJECT")
    with caller("gw", own.name):
        for endpoint, refused in ((own, False), (other, True)):
            charge = budget_pb2.RecordGatewaySpendRequest(
                endpoint_id=endpoint.endpoint_id, amount_nanos=5, budget_unit="USD", request_id=endpoint.name
            )
            check = budget_pb2.CheckGatewayBudgetRequest(endpoint_id=endpoint.endpoint_id)
            for request in (charge, check):
                if refused:
                    not_found(gateway.refused(request), f"GatewayEndpoint not found (endpoint_id='{other.endpoint_id}')")
                else:
                    gateway.do(request)
    (window,) = gateway.do(budget_pb2.ListGatewayBudgetWindowsRequest()).windows
    assert (window.budget_policy_id, window.current_spend) == (policy.budget_policy_id, 0.0)


def test_a_model_without_a_secret_is_an_error(gateway: Any) -> None:
    definition = gateway.definition(name="orphan")
    endpoint = gateway.endpoint(gateway.config(model_definition_id=definition.model_definition_id), name="chat")
    gateway.do(DeleteGatewaySecretRequest(secret_id=definition.secret_id))
    error = gateway.refused(ResolveGatewayEndpointRequest(names=[endpoint.name]))
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "SECRET_VALUE_MISSING")
    assert "'orphan' of endpoint 'chat'" in error.message
    assert accesses(gateway) == []


def test_a_response_has_a_maximum_size(gateway: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = gateway.endpoint()
    monkeypatch.setattr(resolution, "MAX_RESPONSE_BYTES", 100)
    error = gateway.refused(ResolveGatewayEndpointRequest(names=[endpoint.name]))
    assert (error.code, error.reason) == (Code.RESOURCE_EXHAUSTED, "TOO_MANY_ENDPOINTS")
    assert accesses(gateway) == []


def test_each_access_is_recorded_once_for_a_secret_and_an_endpoint(gateway: Any) -> None:
    secret = gateway.secret()
    models = [gateway.definition(secret_id=secret.secret_id).model_definition_id for _ in range(2)]
    one = gateway.endpoint(*(gateway.config(model_definition_id=model) for model in models))
    other = gateway.endpoint(gateway.config(model_definition_id=models[0]))
    resolve(gateway, one.name, other.name)
    found = accesses(gateway)
    assert [(each.secret_id, each.endpoint_id, each.actor) for each in found] == [
        (secret.secret_id, other.endpoint_id, "gw"),
        (secret.secret_id, one.endpoint_id, "gw"),
    ]


def test_accesses_are_listed_latest_first_filtered_and_in_pages(gateway: Any) -> None:
    one, other = gateway.endpoint(), gateway.endpoint()
    for number in range(6):
        resolve(gateway, (one, other)[number % 2].name, actor=("ann", "bob", "eve")[number % 3])
    found = accesses(gateway)
    times = [each.accessed_at for each in found]
    assert times == sorted(times, reverse=True)
    assert [each.actor for each in found] == ["eve", "bob", "ann"] * 2
    assert accesses(gateway, actor="bob") == [each for each in found if each.actor == "bob"]
    assert accesses(gateway, endpoint_id=one.endpoint_id) == found[1::2]
    assert accesses(gateway, secret_id=found[0].secret_id, actor="eve") == [found[0]]
    assert accesses(gateway, accessed_since=times[2]) == found[:3]
    assert accesses(gateway, accessed_since=0) == accesses(gateway, secret_id="", endpoint_id="", actor="") == found
    assert accesses(gateway, secret_id="s-none") == []
    paged: list[GatewaySecretAccess] = []
    token = ""
    for expected in (2, 2, 2):
        page = gateway.do(ListGatewaySecretAccessesRequest(page_size=2, page_token=token))
        assert len(page.accesses) == expected
        paged += page.accesses
        token = page.next_page_token
        # New ones come before the pages that follow.
        resolve(gateway, one.name)
    assert (paged, token) == (found, "")


def test_an_access_stays_after_its_secret_and_its_endpoint_and_is_deleted_after_90_days(gateway: Any, ticks: Any) -> None:
    definition = gateway.definition()
    endpoint = gateway.endpoint(gateway.config(model_definition_id=definition.model_definition_id))
    resolve(gateway, endpoint.name)
    gateway.do(DeleteGatewaySecretRequest(secret_id=definition.secret_id))
    ticks.advance(ACCESS_RETENTION_MS - 1000)
    compact_all(gateway)
    assert [each.secret_id for each in accesses(gateway)] == [definition.secret_id]
    ticks.advance(1000)
    compact_all(gateway)
    assert accesses(gateway) == []


def compact_all(gateway: Any) -> None:
    while True:
        with gateway.store.write() as transaction:
            if compact(transaction, Retention(0, 0), transaction.now) < STEP_ROWS:
                return


def access(number: int) -> Access:
    return Access(f"s-{number}", "e-1", "gw", 1)


def test_many_callers_share_transactions(gateway: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = AccessRecorder(gateway.store)
    written: list[int] = []
    recorder.observe(written.append)
    with ThreadPoolExecutor(32) as callers:
        list(callers.map(lambda number: recorder.record([access(number)]), range(200)))
    assert sum(written) == 200
    assert len(written) < 200
    assert {each.secret_id for each in accesses(gateway)} == {f"s-{number}" for number in range(200)}
    recorder.close()


def test_a_record_that_takes_too_long_is_refused(gateway: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_recorder, "_TIMEOUT_S", 0.05)
    endpoint = gateway.endpoint()
    with gateway.store.write(), pytest.raises(GatewayError) as caught:
        resolve(gateway, endpoint.name)
    assert (caught.value.code, caught.value.reason) == (Code.UNAVAILABLE, "ACCESS_NOT_RECORDED")
    assert "0.05 seconds" in caught.value.message


def test_a_closed_recorder_has_written_everything_and_takes_nothing(gateway: Any) -> None:
    recorder = AccessRecorder(gateway.store)
    recorder.record([access(1)])
    recorder.record([])
    recorder.close()
    recorder.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "gateway-accesses" and thread.is_alive()]
    with pytest.raises(GatewayError, match="the server is stopping") as caught:
        recorder.record([access(2)])
    assert caught.value.code is Code.UNAVAILABLE
    assert [each.secret_id for each in accesses(gateway)] == ["s-1"]


def test_two_rotations_within_one_millisecond_have_different_etags(gateway: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = gateway.secret(secret_value=VALUE)
    definition = gateway.definition(secret_id=secret.secret_id)
    endpoint = gateway.endpoint(gateway.config(model_definition_id=definition.model_definition_id))
    monkeypatch.setattr("time.time_ns", lambda: 1_700_000_000_000_000_000)
    etags: list[str] = []
    for number in range(3):
        # Of the same masked form.
        value = {**VALUE, "api_key": f"sk-012345678{number}"}
        changed = gateway.do(UpdateGatewaySecretRequest(secret_id=secret.secret_id, secret_value=value))
        (model,) = resolve(gateway, endpoint.name).endpoints[0].models
        assert dict(model.secret_value) == value
        assert model.secret_etag == changed.etag
        etags.append(changed.etag)
    assert len(set(etags)) == 3
