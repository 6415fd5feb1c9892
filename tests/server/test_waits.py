"""Calls that wait for nodes: their number, what they cost, how they end, and the size of their responses."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway_entities import Code, GatewayClient, GatewayError, GatewayNodeState
from gateway_entities.methods import WAIT_FOR_GATEWAY_CONVERGENCE
from gateway_entities.server.rpc.limits import Limits
from gateway_entities.server.server import Server
from gateway_entities.server.service import nodes
from gateway_entities.server.service.convergence import ConvergenceService
from gatewayentities.v1 import change_pb2, convergence_pb2
from tests import profiles
from tests.mirror.mirrors import create_token, eventually
from tests.server.raw import channel, post_proto, request
from tests.stores import serving, sqlite_place

WAIT = WAIT_FOR_GATEWAY_CONVERGENCE
CALLERS = 3


class Site:
    """A server that lets CALLERS calls wait, and a node that has refused the revision before the last.

    Attributes:
        server: the server.
        token: the token of all callers.
        client: a client.
        revision: the last revision.
    """

    def __init__(self, server: Server, token: str, client: GatewayClient) -> None:
        self.server, self.token, self.client = server, token, client
        client.create_secret("a", {"api_key": "sk-0123456789"})
        client.create_secret("b", {"api_key": "sk-0123456789"})
        self.revision = client.list_changes()[-1].revision
        with client.watch() as stream:
            self.store_id = change_pb2.WatchGatewayResponse.FromString(next(stream)).store_id
        self.refuse(self.revision - 1)

    def refuse(self, revision: int, reason: str = "no", instance: str = "slow") -> None:
        self.client.refuse_revision(self.store_id, revision, reason, instance=instance)

    def wait(self, timeout_ms: int = 60_000, timeout: float | None = None) -> list[GatewayNodeState | int]:
        with GatewayClient(self.server.grpc_target, token=self.token, retry_timeout=0) as client:
            found = client.wait_for_convergence(self.revision, timeout_ms=timeout_ms, timeout=timeout)
            return [node.state for node in found.nodes]

    def metric(self, name: str) -> float:
        text = request(self.server.http_target, "GET", "/metrics", None, {"authorization": f"Bearer {self.token}"})
        return sum(float(line.split()[-1]) for line in text.body.decode().splitlines() if line.startswith(name))


@contextmanager
def site(folder: Path, waits: int = CALLERS) -> Generator[Site]:
    place = sqlite_place(folder / "gateway.sqlite", with_tables=True)
    with serving(place, limits=Limits(waits=waits)) as server:
        token = create_token(place.url, "edge", "ADMIN", "NODE")
        with GatewayClient(server.http_target, token=token) as client:
            yield Site(server, token, client)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as found:
        yield found


@contextmanager
def waiting(here: Site, count: int, **options: Any) -> Generator[list[Future[Any]]]:
    """Let calls wait."""
    with ThreadPoolExecutor(count) as pool:
        calls = [pool.submit(here.wait, **options) for _ in range(count)]
        eventually(lambda: here.metric("gateway_entities_waits ") == count, "the calls wait")
        yield calls


@contextmanager
def many_waiting(here: Site, count: int) -> Generator[list[Any]]:
    """Let calls wait on one connection."""
    message = convergence_pb2.WaitForGatewayConvergenceRequest(revision=here.revision, timeout_ms=60_000)
    with channel(here.server.grpc_target) as opened:
        send = opened.unary_unary(WAIT.path, response_deserializer=WAIT.response_type.FromString)
        metadata = [("authorization", f"Bearer {here.token}")]
        yield [send.future(message.SerializeToString(), metadata=metadata) for _ in range(count)]


def test_calls_beyond_the_limit_are_refused_until_others_end(here: Site) -> None:
    with waiting(here, CALLERS) as calls:
        with pytest.raises(GatewayError) as caught:
            here.wait()
        assert (caught.value.code, caught.value.reason) == (Code.RESOURCE_EXHAUSTED, "TOO_MANY_WAITS")
        here.refuse(here.revision)
        assert [each.result(20) for each in calls] == [[GatewayNodeState.REFUSED]] * CALLERS
    assert here.wait() == [GatewayNodeState.REFUSED]
    assert here.metric("gateway_entities_waits ") == 0


def test_a_caller_that_has_gone_waits_no_longer(here: Site) -> None:
    with many_waiting(here, 1) as (call,):
        eventually(lambda: here.metric("gateway_entities_waits ") == 1, "the call waits")
        call.cancel()
        eventually(lambda: here.metric("gateway_entities_waits ") == 0, "the call has ended")


def test_a_wait_ends_at_its_deadline_and_at_its_own_time(here: Site) -> None:
    began = time.monotonic()
    with pytest.raises(GatewayError) as caught:
        here.wait(timeout=0.3)
    assert caught.value.code is Code.DEADLINE_EXCEEDED
    for timeout_ms in (0, 300):
        assert here.wait(timeout_ms) == [GatewayNodeState.PENDING]
    assert time.monotonic() - began < 30


def test_a_server_that_stops_ends_the_waits(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        with site(tmp_path) as here:
            call = pool.submit(here.wait)
            eventually(lambda: here.metric("gateway_entities_waits ") == 1, "the call waits")
        error = call.exception(20)
    assert isinstance(error, GatewayError)
    assert (error.code, error.reason) == (Code.UNAVAILABLE, "STOPPING")


def test_many_calls_that_wait_read_the_store_no_more_often_than_one(tmp_path: Path) -> None:
    reads = 'gateway_entities_store_transaction_seconds_count{kind="read"}'

    def reads_of_a_second(here: Site) -> float:
        before, began = here.metric(reads), time.monotonic()
        time.sleep(1)
        return (here.metric(reads) - before) / (time.monotonic() - began)

    with site(tmp_path, waits=1000) as here:
        with many_waiting(here, 1) as (call,):
            alone = reads_of_a_second(here)
            here.refuse(here.revision)
            call.result(20)
        here.refuse(here.revision - 1)
        count = profiles.count(120, 50)
        with many_waiting(here, count) as calls:
            eventually(lambda: here.metric("gateway_entities_waits ") == count, "the calls wait")
            together = reads_of_a_second(here)
            # Those that end together share a look.
            before = here.metric(reads)
            here.refuse(here.revision)
            assert {each.result(20).nodes[0].state for each in calls} == {GatewayNodeState.REFUSED}
            assert here.metric(reads) - before < len(calls)
    assert together < 2 * alone + 5


def test_waits_do_not_delay_acknowledgements(here: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    wait = ConvergenceService.wait_for_gateway_convergence
    began, goes_on = threading.Event(), threading.Event()

    def slow(self: ConvergenceService, message: Any) -> Any:
        began.set()
        goes_on.wait(20)
        return wait(self, message)

    monkeypatch.setattr(ConvergenceService, "wait_for_gateway_convergence", slow)
    with many_waiting(here, CALLERS) as calls:
        assert began.wait(20)
        try:
            here.refuse(here.revision)
            assert not any(each.done() for each in calls)
        finally:
            goes_on.set()
        assert {each.result(20).nodes[0].state for each in calls} == {GatewayNodeState.REFUSED}


def test_a_response_is_bounded_in_bytes(here: Site) -> None:
    reason, name = "🚫" * 1000, "é" * 240
    count = 480
    for number in range(count):
        here.refuse(here.revision, reason, f"{name}{number:03}")
    message = convergence_pb2.WaitForGatewayConvergenceRequest(revision=here.revision - 1, timeout_ms=0)
    answer = post_proto(here.server.http_target, WAIT, message, authorization=f"Bearer {here.token}")
    assert 1024 * 1024 < len(answer.body) <= 2 * 1024 * 1024
    found = convergence_pb2.WaitForGatewayConvergenceResponse.FromString(answer.body)
    assert not found.converged
    # As many as fit.
    assert len(answer.body) + found.nodes[-1].ByteSize() + 10 > 2 * 1024 * 1024
    assert 0 < len(found.nodes) < count
    assert len(here.client.wait_for_convergence(here.revision, timeout_ms=0).nodes) == len(found.nodes)
    assert len(here.client.list_nodes()) == count + 1


def test_the_texts_of_nodes_are_bounded_in_bytes(here: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "MAX_TEXT_BYTES", 5000)

    def refused(call: Callable[[], None]) -> None:
        with pytest.raises(GatewayError) as caught:
            call()
        assert (caught.value.code, caught.value.reason) == (Code.RESOURCE_EXHAUSTED, "TOO_MANY_NODES")

    for _ in range(20):
        here.refuse(here.revision, "é" * 1000, "one")
    here.refuse(here.revision, "é" * 1000, "two")
    refused(lambda: here.refuse(here.revision, "é" * 1000, "three"))
    refused(lambda: here.refuse(here.revision, "é" * 1000, "slow"))
    # Who needs less room is not refused, and what is not said any more makes room.
    here.refuse(here.revision, "short", "one")
    here.client.acknowledge_revision(here.store_id, here.revision, "0" * 64, instance="two")
    here.refuse(here.revision, "é" * 1000, "three")
    monkeypatch.setattr(nodes, "STAY_S", 0.0)
    eventually(lambda: here.client.list_nodes() == [], "all have left")
    eventually(lambda: here.metric("gateway_entities_nodes ") == 0, "all are forgotten")
    monkeypatch.undo()
    monkeypatch.setattr(nodes, "MAX_TEXT_BYTES", 4200)
    for instance in ("four", "five"):
        here.refuse(here.revision, "é" * 1000, instance)
