"""Convergence over real servers: who has applied a revision, who has not, and who refuses."""

from __future__ import annotations

import asyncio
import functools
import operator
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest

from gateway_entities import AsyncGatewayClient, Code, GatewayClient, GatewayError, GatewayNodeState
from gateway_entities.methods import LIST_GATEWAY_NODES
from gateway_entities.mirror import AsyncGatewayMirror, GatewayMirror, MirrorUpdate, RevisionRefused
from gateway_entities.server.service import nodes
from gateway_entities.server.store.admin.token_manager import open_tokens
from gateway_entities.server.store.repositories.token import AccessScope
from gateway_entities.testing import Gateway, gateway
from gatewayentities.v1 import convergence_pb2
from tests import profiles
from tests.server.light_node import LightNode, Relay
from tests.server.raw import post_proto
from tests.stores import KINDS, Place, one_place, serving, sqlite_place

APPLIED, PENDING, REFUSED, DIVERGED = (
    GatewayNodeState.APPLIED,
    GatewayNodeState.PENDING,
    GatewayNodeState.REFUSED,
    GatewayNodeState.DIVERGED,
)
NODES = 200


@pytest.fixture
def running() -> Iterator[tuple[Gateway, str, str]]:
    """A server, a token of an administrator and one of nodes."""
    with gateway() as found:
        yield found, found.create_token("admin", "admin"), found.create_token("edge", "read", "node")


def change(client: GatewayClient, name: str) -> int:
    client.create_secret(name, {"api_key": "sk-0123456789"})
    return client.list_changes()[-1].revision


async def change_async(client: AsyncGatewayClient, name: str) -> int:
    await client.create_secret(name, {"api_key": "sk-0123456789"})
    return (await client.list_changes())[-1].revision


@pytest.mark.parametrize("target", ["grpc_target", "http_target"])
def test_mirrors_acknowledge_what_they_apply(running, target):
    server, admin, node = running
    with (
        GatewayClient(getattr(server, target), token=admin) as writer,
        GatewayClient(getattr(server, target), token=node) as reader,
        GatewayMirror(reader, instance="one"),
        GatewayMirror(reader, instance="two"),
    ):
        revision = change(writer, "a")
        assert_nodes(writer, {"one": APPLIED, "two": APPLIED}, revision)
        nodes = writer.list_nodes()
        assert [(each.name, each.instance, each.state, each.applied_revision) for each in nodes] == [
            ("edge", "one", APPLIED, revision),
            ("edge", "two", APPLIED, revision),
        ]
        assert len({each.digest for each in nodes}) == 1


def assert_nodes(client: GatewayClient, expected: dict[str, GatewayNodeState], revision: int) -> None:
    """Wait until all nodes have joined: a mirror is ready before it has acknowledged."""
    end = time.monotonic() + 20
    while True:
        found = client.wait_for_convergence(revision, timeout_ms=500)
        states = {each.instance: each.state for each in found.nodes}
        if states == expected or time.monotonic() > end:
            break
    assert states == expected
    assert found.converged == (set(states.values()) <= {APPLIED})


async def test_an_asyncio_mirror_acknowledges_and_a_subscriber_refuses(running):
    server, admin, node = running

    def refuse(update: MirrorUpdate) -> None:
        if any(each.secret_name == "bad" for each in update.state.secrets.values()):
            raise RevisionRefused("no room for bad")

    async with (
        AsyncGatewayClient(server.http_target, token=admin) as writer,
        AsyncGatewayClient(server.http_target, token=node) as reader,
        AsyncGatewayMirror(reader, instance="one") as mirror,
    ):
        first = await change_async(writer, "good")
        while not (found := await writer.wait_for_convergence(first)).nodes:
            pass
        assert found.converged
        mirror.subscribe(refuse)
        second = await change_async(writer, "bad")
        found = await writer.wait_for_convergence(second)
        assert not found.converged
        assert [(each.state, each.refused_revision, each.reason) for each in found.nodes] == [
            (REFUSED, second, "no room for bad")
        ]
        # It has applied the one before.
        assert (await writer.wait_for_convergence(first)).converged
        (bad,) = [each for each in await writer.list_secrets() if each.secret_name == "bad"]
        await writer.delete_secret(bad.secret_id)
        third = (await writer.list_changes())[-1].revision
        assert (await writer.wait_for_convergence(third)).converged


def test_waits_hold_no_worker_thread(running):
    server, admin, node = running
    with GatewayClient(server.grpc_target, token=admin) as writer, GatewayClient(server.grpc_target, token=node) as edge:
        revision = change(writer, "a")
        with edge.watch() as stream:
            store_id = _store_id(stream)
        edge.refuse_revision(store_id, revision - 1, "not yet", instance="slow")
        with ThreadPoolExecutor(40) as pool:
            waits = [pool.submit(writer.wait_for_convergence, revision, timeout_ms=60000) for _ in range(40)]
            for name in ("b", "c", "d"):
                change(writer, name)
            assert not any(each.done() for each in waits)
            edge.refuse_revision(store_id, revision, "never", instance="slow")
            assert {each.result(20).nodes[0].state for each in waits} == {REFUSED}


def _store_id(stream) -> str:
    from gatewayentities.v1 import change_pb2

    return change_pb2.WatchGatewayResponse.FromString(next(stream)).store_id


def test_what_cannot_be_acknowledged(running):
    server, admin, node = running
    with GatewayClient(server.http_target, token=admin) as writer, GatewayClient(server.http_target, token=node) as edge:
        revision = change(writer, "a")
        with edge.watch() as stream:
            store_id = _store_id(stream)
        for call, code, reason in (
            (lambda: edge.acknowledge_revision("other", revision, "0" * 64), Code.OUT_OF_RANGE, "STORE_CHANGED"),
            (lambda: edge.acknowledge_revision(store_id, revision + 1, "0" * 64), Code.INVALID_ARGUMENT, None),
            (lambda: edge.refuse_revision(store_id, revision + 1, "no"), Code.INVALID_ARGUMENT, None),
            (lambda: edge.acknowledge_revision(store_id, revision, "0"), Code.INVALID_ARGUMENT, None),
            (lambda: writer.acknowledge_revision(store_id, revision, "0" * 64), Code.PERMISSION_DENIED, "SCOPE_TOO_SMALL"),
            (lambda: writer.wait_for_convergence(revision + 1), Code.INVALID_ARGUMENT, None),
        ):
            with pytest.raises(GatewayError) as caught:
                call()
            assert caught.value.code is code
            if reason is not None:
                assert caught.value.reason == reason
        # A digest of a revision that this server has not followed proves nothing, nor does a wrong one.
        edge.acknowledge_revision(store_id, 0, "0" * 64, instance="early")
        edge.acknowledge_revision(store_id, revision, "0" * 64, instance="wrong")
        assert_nodes(writer, {"early": PENDING, "wrong": DIVERGED}, revision)
        assert not writer.wait_for_convergence(0, timeout_ms=0).converged


def test_the_last_word_of_a_node_counts(running):
    server, admin, node = running
    with GatewayClient(server.http_target, token=admin) as writer, GatewayClient(server.http_target, token=node) as edge:
        digests: list[tuple[str, int, str]] = []
        revision = change(writer, "a")
        mirror = GatewayMirror(edge, instance="mirror")
        with mirror:
            revision = change(writer, "b")
            mirror.wait_for(revision)
            assert_nodes(writer, {"mirror": APPLIED}, revision)
            (found,) = writer.list_nodes()
            assert found.digest is not None
            assert mirror.state.store_id is not None
            digests.append((mirror.state.store_id, revision, found.digest))
        ((store_id, revision, digest),) = digests
        for _ in range(2):
            edge.refuse_revision(store_id, revision, "no", instance="mirror")
            assert_nodes(writer, {"mirror": REFUSED}, revision)
            edge.acknowledge_revision(store_id, revision, digest, instance="mirror")
            assert_nodes(writer, {"mirror": APPLIED}, revision)
            (found,) = writer.list_nodes()
            assert found.refused_revision is found.reason is None


@pytest.mark.parametrize("reason", [ValueError("no \udcff room"), "no \udcff room"], ids=["exception", "text"])
def test_a_reason_may_be_anything_with_a_text(running, reason):
    server, admin, node = running
    with GatewayClient(server.http_target, token=admin) as writer, GatewayClient(server.http_target, token=node) as edge:

        def refuse(_update: MirrorUpdate) -> None:
            raise RevisionRefused(reason)

        mirror = GatewayMirror(edge, instance="odd")
        mirror.subscribe(refuse)
        with mirror:
            revision = change(writer, "a")
            mirror.wait_for(revision)
            assert_nodes(writer, {"odd": REFUSED}, revision)
            (found,) = writer.list_nodes()
            assert found.reason == "no ? room"


def test_who_only_looks_is_no_node(running):
    server, admin, node = running
    with (
        GatewayClient(server.grpc_target, token=admin) as writer,
        GatewayClient(server.grpc_target, token=node) as reader,
        GatewayMirror(reader, acknowledges=False) as mirror,
        GatewayMirror(reader, instance="node"),
    ):
        revision = change(writer, "a")
        mirror.wait_for(revision)
        assert_nodes(writer, {"node": APPLIED}, revision)


async def test_a_mirror_that_cannot_start_says_so_immediately(running):
    server, _, _ = running
    with (
        GatewayClient(server.grpc_target, token=f"gwe_{'0' * 16}_{'a' * 43}") as client,
        pytest.raises(GatewayError) as caught,
    ):
        GatewayMirror(client).__enter__()
    assert caught.value.code is Code.UNAUTHENTICATED
    async with AsyncGatewayClient(server.http_target) as waiting:
        with pytest.raises(GatewayError) as caught:
            await AsyncGatewayMirror(waiting).__aenter__()
    assert caught.value.code is Code.UNAUTHENTICATED


def test_a_node_has_a_name_that_the_server_takes(running):
    server, _, node = running
    with GatewayClient(server.http_target, token=node) as edge:
        for instance in ("i" * 256, "a\0b", "\udcff", 7):
            with pytest.raises(GatewayError) as caught:
                GatewayMirror(edge, instance=instance)
            assert [each.field for each in caught.value.field_violations] == ["instance"]


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with one_place(request, tmp_path_factory) as found:
        yield found


def token_of(place: Place, name: str, *scopes: AccessScope) -> str:
    with open_tokens(place.url) as tokens:
        return tokens.create(name, functools.reduce(operator.or_, scopes), closes=True).text


def test_writer_and_nodes_may_be_on_different_servers(place, monkeypatch):
    with serving(place) as first, serving(place) as second:
        admin = token_of(place, "admin", AccessScope.ADMIN)
        node = token_of(place, "edge", AccessScope.READ, AccessScope.NODE)
        with (
            GatewayClient(first.grpc_target, token=admin) as writer,
            GatewayClient(second.http_target, token=node) as reader,
            GatewayMirror(reader, instance="one"),
            GatewayMirror(reader, instance="two") as two,
        ):
            assert_nodes(writer, {"one": APPLIED, "two": APPLIED}, change(writer, "a"))
            before = writer.list_nodes()
            # Nodes go to another server, and are known once, by their last call.
            with GatewayClient(first.http_target, token=node) as moved, GatewayMirror(moved, instance="two"):
                two.close()
                revision = change(writer, "b")
                assert_nodes(writer, {"one": APPLIED, "two": APPLIED}, revision)
                assert_nodes(reader, {"one": APPLIED, "two": APPLIED}, revision)
            assert all(new.last_seen_at >= old.last_seen_at for new, old in zip(writer.list_nodes(), before, strict=True))
            # Steps of the store's clock make no node leave.
            for step in (-1, 2):
                place.execute(f"UPDATE node_reports SET written_at = written_at + {step * 3600_000}")
                assert_nodes(writer, {"one": APPLIED, "two": APPLIED}, revision)
        # All calls have ended.
        monkeypatch.setattr(nodes, "STAY_S", 0.5)
        with GatewayClient(first.grpc_target, token=admin) as writer:
            assert_nodes(writer, {}, revision)
            assert writer.list_nodes() == []


def test_nodes_outlive_a_restart_of_their_server(tmp_path):
    place = sqlite_place(tmp_path / "store.sqlite", with_tables=True)
    with serving(place) as server:
        admin = token_of(place, "admin", AccessScope.ADMIN)
        node = token_of(place, "edge", AccessScope.READ, AccessScope.NODE)
        with (
            GatewayClient(server.grpc_target, token=admin) as writer,
            GatewayClient(server.http_target, token=node) as reader,
            GatewayMirror(reader, instance="one"),
        ):
            revision = change(writer, "a")
            assert_nodes(writer, {"one": APPLIED}, revision)
    with serving(place) as server, GatewayClient(server.grpc_target, token=admin) as writer:
        assert_nodes(writer, {"one": APPLIED}, revision)
        assert_nodes(writer, {"one": PENDING}, change(writer, "b"))


def test_nodes_are_listed_in_pages(running):
    server, admin, node = running
    with GatewayClient(server.grpc_target, token=admin) as writer, GatewayClient(server.grpc_target, token=node) as edge:
        revision = change(writer, "a")
        with edge.watch() as stream:
            store_id = _store_id(stream)
        instances = ["", *(f"n{number:02}" for number in range(20)), "ä" * 255]
        for each in instances:
            edge.refuse_revision(store_id, revision, "no", instance=each)
        assert [each.instance for each in writer.list_nodes()] == instances
        request = convergence_pb2.ListGatewayNodesRequest(page_size=7)
        found: list[str] = []
        while True:
            answer = post_proto(server.http_target, LIST_GATEWAY_NODES, request, authorization=f"Bearer {admin}")
            page = convergence_pb2.ListGatewayNodesResponse.FromString(answer.body)
            found += [each.instance for each in page.nodes]
            assert len(page.nodes) <= 7
            assert page.revision == revision
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token
        assert found == instances


async def converge(running, seed: int) -> None:
    server, admin, token = running
    rng = random.Random(seed)
    names = [f"node-{number:03}" for number in range(NODES)]
    special = rng.sample(names, NODES // 20 + 6)
    killed, refusing, cut, lying = special[:-6], special[-6:-3], special[-3:-1], special[-1:]
    async with (
        Relay(urlsplit(server.http_target).port or 0) as relay,
        AsyncGatewayClient(server.grpc_target, token=admin) as writer,
        AsyncGatewayClient(server.http_target, token=token) as direct,
        AsyncGatewayClient(f"http://127.0.0.1:{relay.port}", token=token, timeout=60) as relayed,
    ):
        nodes = {name: LightNode(relayed if name in cut else direct, name) for name in names}
        try:
            revision = await change_async(writer, f"first-{seed}")
            await named(writer, revision, {}, count=NODES)
            relay.cut()
            for name in killed:
                nodes[name].task.cancel()
            for name in refusing:
                nodes[name].refuses = f"{name} has no room"
            nodes[lying[0]].lies = True
            for number in range(rng.randint(1, 4)):
                revision = await change_async(writer, f"more-{seed}-{number}")
            expected = dict.fromkeys((*killed, *cut), PENDING) | dict.fromkeys(refusing, REFUSED)
            await named(writer, revision, {**expected, lying[0]: DIVERGED}, count=NODES)
        finally:
            for each in nodes.values():
                each.task.cancel()
            await asyncio.gather(*(each.task for each in nodes.values()), return_exceptions=True)


async def named(writer: AsyncGatewayClient, revision: int, expected: dict[str, GatewayNodeState], *, count: int) -> None:
    """Wait until exactly some nodes have not applied a revision; none of them may ever be said to have."""
    end = time.monotonic() + 25
    while True:
        found = await writer.wait_for_convergence(revision, timeout_ms=300)
        states = {each.instance: each.state for each in found.nodes}
        assert not {name for name in expected if states.get(name) is APPLIED}
        others = {name: state for name, state in states.items() if state is not APPLIED}
        if (others == expected and len(states) == count) or time.monotonic() > end:
            break
    assert others == expected
    assert len(states) == count
    assert found.converged == (not expected)
    assert [each.state is APPLIED for each in found.nodes] == sorted(each.state is APPLIED for each in found.nodes)


@pytest.mark.parametrize("run", range(profiles.count(100, 1)))
async def test_the_answer_names_exactly_the_nodes_that_have_not_applied_it(running, run):
    await converge(running, profiles.SEED + run)
