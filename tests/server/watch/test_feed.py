"""The watch stream: what a watcher gets, and that it is always all of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from gateway_entities.entities import GatewayEndpoint
from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.watch.feed import Feed
from gateway_entities.server.watch.update import MESSAGE_BYTES
from gatewayentities.v1 import binding_pb2, change_pb2, endpoint_pb2, model_definition_pb2, secret_pb2
from tests.server.service.conftest import Gateway
from tests.server.watch.conftest import Watcher
from tests.stores import sqlite_place


def keys(message: change_pb2.WatchGatewayResponse) -> list[tuple[str, str]]:
    return [(each.noun, each.id) for each in message.resources]


def removed(message: change_pb2.WatchGatewayResponse) -> set[tuple[str, str]]:
    return {(each.noun, each.id) for each in message.removed}


def fill(gateway: Gateway) -> list[str]:
    """Create 18 secrets of more than a mebibyte together; return their ids."""
    settings = {f"key{each}": "x" * 9_000 for each in range(7)}
    return [gateway.secret(auth_config=settings).secret_id for _ in range(18)]


def rename(gateway: Gateway, definition_id: str, name: str) -> None:
    request = model_definition_pb2.UpdateGatewayModelDefinitionRequest(model_definition_id=definition_id, name=name)
    gateway.do(request)


async def failure(watcher: Watcher) -> GatewayError:
    try:
        while True:
            await watcher.message()
    except GatewayError as error:
        return error


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_stream_begins_with_all_resources_at_one_revision(gateway: Gateway, feed: Feed) -> None:
    watcher = Watcher(feed)
    empty = await watcher.one()
    assert (empty.is_snapshot, empty.revision, empty.is_partial, len(empty.resources)) == (True, 0, False, 0)
    endpoint = gateway.endpoint()
    policy = gateway.policy()
    binding = gateway.do(
        binding_pb2.CreateGatewayEndpointBindingRequest(
            endpoint_id=endpoint.endpoint_id, resource_type="scorer", resource_id="a/b"
        )
    ).binding
    # Until then the first snapshot would do.
    while (await watcher.one()).revision < 5:
        pass
    found = await Watcher(feed).one()
    (mapping,) = endpoint.model_mappings
    assert (found.is_snapshot, found.revision, found.store_id) == (True, 5, empty.store_id)
    assert keys(found) == [
        ("secret", mapping.model_definition.secret_id),
        ("model_definition", mapping.model_definition_id),
        ("endpoint", endpoint.endpoint_id),
        ("binding", f"{endpoint.endpoint_id}/scorer/a/b"),
        ("budget_policy", policy.budget_policy_id),
    ]
    secret, definition, streamed, bound, budget = found.resources
    assert definition.model_definition == mapping.model_definition
    assert (bound.binding, budget.budget_policy) == (binding, policy)
    assert not streamed.endpoint.model_mappings[0].HasField("model_definition")
    mapping.ClearField("model_definition")
    assert streamed.endpoint == endpoint
    for resource in found.resources:
        content = getattr(resource, resource.noun)
        assert resource.content_etag == sha256(content.SerializeToString(deterministic=True)).hexdigest()[:32]
    assert streamed.content_etag == GatewayEndpoint.from_proto(endpoint).etag()
    assert "sk-0123456789" not in str(found)
    assert secret.secret.masked_values


async def test_each_change_comes_with_what_it_wrote_and_removed(gateway: Gateway, feed: Feed) -> None:
    watcher = Watcher(feed)
    store_id = (await watcher.one()).store_id
    endpoint = gateway.endpoint()
    while (found := await watcher.one()).revision < 3:
        assert not found.is_snapshot
        assert found.store_id == store_id
    (mapping,) = endpoint.model_mappings
    definition_id, secret_id = mapping.model_definition_id, mapping.model_definition.secret_id
    gateway.do(secret_pb2.DeleteGatewaySecretRequest(secret_id=secret_id))
    found = await watcher.one()
    # The endpoint repeats the definition's secret in lists, and not here.
    assert (found.revision, keys(found), removed(found)) == (
        4,
        [("model_definition", definition_id)],
        {("secret", secret_id)},
    )
    assert not found.resources[0].model_definition.HasField("secret_id")
    gateway.policy(target_scope="ENDPOINT", target_value=endpoint.endpoint_id)
    policy_id = (await watcher.one()).resources[0].id
    gateway.do(endpoint_pb2.DeleteGatewayEndpointRequest(endpoint_id=endpoint.endpoint_id))
    found = await watcher.one()
    assert (found.revision, keys(found)) == (6, [])
    assert removed(found) == {("endpoint", endpoint.endpoint_id), ("budget_policy", policy_id)}


async def test_a_new_name_of_a_shared_definition_is_one_resource(gateway: Gateway, feed: Feed) -> None:
    definition = gateway.definition()
    for _ in range(5):
        gateway.endpoint(gateway.config(model_definition_id=definition.model_definition_id))
    watcher = Watcher(feed)
    await watcher.one()
    rename(gateway, definition.model_definition_id, "renamed")
    assert keys(await watcher.one()) == [("model_definition", definition.model_definition_id)]


async def test_changes_of_another_process_come(gateway: Gateway, feed: Feed) -> None:
    watcher = Watcher(feed)
    await watcher.one()
    # Another Store object does not tell the feed of its commits.
    other = gateway.place.open()
    try:
        secret = Gateway(other, gateway.place).secret()
        assert keys(await watcher.one()) == [("secret", secret.secret_id)]
    finally:
        await asyncio.to_thread(other.close)


async def test_a_stream_resumes_on_any_server_after_its_last_update(
    gateway: Gateway, make_feed: Callable[..., Feed]
) -> None:
    first, second = make_feed(), make_feed()
    # It follows the store by itself while it has a watcher.
    steady = Watcher(second)
    await steady.one()
    watcher = Watcher(first)
    await watcher.one()
    secrets = {("secret", gateway.secret().secret_id)}
    await watcher.update()
    await watcher.stream.aclose()
    for _ in range(3):
        secrets.add(("secret", gateway.secret().secret_id))
        again = Watcher(second, watcher.token)
        found = await again.one()
        assert not found.is_snapshot
        assert set(keys(found)) <= secrets
        watcher = again
    assert found.revision == 4
    assert first.status().watchers == 0


async def test_a_token_that_is_not_the_store_s_is_refused(gateway: Gateway, feed: Feed, tmp_path: Path) -> None:
    watcher = Watcher(feed)
    await watcher.one()
    for wrong in ("x", watcher.token[:-1], watcher.token + "A", "A" * len(watcher.token)):
        with pytest.raises(GatewayError) as caught:
            await Watcher(feed, wrong).message()
        assert caught.value.code is Code.INVALID_ARGUMENT
        assert [violation.field for violation in caught.value.field_violations] == ["resume_token"]
    place = sqlite_place(tmp_path / "other.sqlite", with_tables=True)
    store = place.open()
    with store.write() as transaction:
        # The file is a copy of a template.
        transaction.state.renew_id()
    other = Feed(store)
    try:
        error = await failure(Watcher(other, watcher.token))
        assert (error.code, error.reason) == (Code.OUT_OF_RANGE, "STORE_CHANGED")
    finally:
        await other.close()
        await asyncio.to_thread(store.close)


async def test_a_store_that_is_replaced_ends_its_streams(
    gateway: Gateway, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup that is restored under live watchers gives the store another id, perhaps with the same revision."""
    monkeypatch.setattr("gateway_entities.server.watch.feed._STATE_S", 0.1)
    gateway.secret()
    watcher, other = Watcher(feed), Watcher(feed)
    before = await watcher.one()
    await other.one()
    with gateway.store.write() as transaction:
        transaction.state.renew_id()
    for each in (watcher, other):
        error = await failure(each)
        assert (error.code, error.reason) == (Code.OUT_OF_RANGE, "STORE_CHANGED")
    assert (await failure(Watcher(feed, watcher.token))).reason == "STORE_CHANGED"
    after = await Watcher(feed).one()
    assert (after.is_snapshot, after.revision) == (True, before.revision)
    assert after.store_id != before.store_id


async def test_a_watcher_whose_changes_were_deleted_begins_again(gateway: Gateway, feed: Feed) -> None:
    watcher = Watcher(feed)
    await watcher.one()
    await watcher.stream.aclose()
    for _ in range(3):
        gateway.secret()
    with gateway.store.write() as transaction:
        transaction.changes.compact(transaction.now, transaction.now, 0, 1000)
    error = await failure(Watcher(feed, watcher.token))
    assert (error.code, error.reason) == (Code.OUT_OF_RANGE, "REVISION_COMPACTED")
    assert "resume_token" in error.message
    found = await Watcher(feed).one()
    assert (found.is_snapshot, len(found.resources)) == (True, 3)


async def test_a_large_update_comes_in_parts_of_at_most_a_mebibyte(gateway: Gateway, feed: Feed) -> None:
    ids = fill(gateway)
    watcher = Watcher(feed)
    parts = await watcher.update()
    assert len(parts) == 2
    assert all(part.ByteSize() <= MESSAGE_BYTES for part in parts)
    assert [(part.is_partial, part.is_snapshot, bool(part.resume_token)) for part in parts] == [
        (True, True, False),
        (False, True, True),
    ]
    assert sorted(identifier for part in parts for _, identifier in keys(part)) == sorted(ids)
    assert {part.revision for part in parts} == {18}


async def test_a_slow_watcher_gets_all_that_it_missed_as_one_update(
    gateway: Gateway, make_feed: Callable[..., Feed]
) -> None:
    feed = make_feed(ring_bytes=1)
    watcher, steady = Watcher(feed), Watcher(feed)
    await watcher.one()
    await steady.one()
    ids = set[tuple[str, str]]()
    for _ in range(5):
        ids.add(("secret", gateway.secret().secret_id))
        await steady.one()
    assert feed.status().lag == 5
    found = await watcher.one()
    assert (found.revision, set(keys(found))) == (5, ids)
    status = feed.status()
    assert (status.catch_ups, status.lag, status.watchers) == (1, 0, 2)
    # Both go on from the ring.
    gateway.secret()
    assert (await watcher.one()).revision == (await steady.one()).revision == 6


async def test_watchers_share_the_encoded_messages(gateway: Gateway, feed: Feed) -> None:
    gateway.endpoint()
    first, second = Watcher(feed), Watcher(feed)
    assert await anext(first.stream) is await anext(second.stream)
    gateway.secret()
    assert await anext(first.stream) is await anext(second.stream)
    # The snapshot of an earlier revision and the update after it will do.
    third = Watcher(feed)
    assert [(await third.one()).revision, (await third.one()).revision] == [3, 4]
    assert feed.status().snapshots == 1


async def test_a_watcher_that_has_everything_gets_bookmarks(gateway: Gateway, make_feed: Callable[..., Feed]) -> None:
    feed = make_feed(bookmark_s=0.05)
    gateway.secret()
    watcher = Watcher(feed)
    await watcher.one()
    for _ in range(2):
        bookmark = await watcher.one()
        assert (bookmark.revision, keys(bookmark), removed(bookmark)) == (1, [], set())
        assert (bookmark.is_snapshot, bookmark.is_partial) == (False, False)
    gateway.secret()
    assert (await Watcher(feed, watcher.token).one()).revision == 2


async def test_without_the_store_there_are_no_bookmarks(
    gateway: Gateway, make_feed: Callable[..., Feed], caplog: pytest.LogCaptureFixture
) -> None:
    """A mirror must see that what it has may be old."""
    feed = make_feed(bookmark_s=0.05)
    watcher = Watcher(feed)
    await watcher.one()
    await asyncio.to_thread(gateway.store.close)
    feed.notify()
    await until(lambda: "cannot read the store" in caplog.text)
    got = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.5):
            async for _message in watcher.stream:
                got += 1
    # One may be of a look before.
    assert got <= 1
    assert caplog.text.count("cannot read the store") == 1


async def test_snapshots_in_memory_are_bounded(gateway: Gateway, make_feed: Callable[..., Feed]) -> None:
    feed = make_feed(shared_bytes=0, ring_bytes=1)
    fill(gateway)
    reading, steady = Watcher(feed), Watcher(feed)
    await steady.update()
    # It reads a snapshot, which later ones do not follow in the ring.
    assert (await reading.message()).is_partial
    for _ in range(2):
        gateway.secret()
        await steady.one()
    error = await failure(Watcher(feed))
    assert (error.code, error.reason) == (Code.RESOURCE_EXHAUSTED, "TOO_MANY_UPDATES")
    assert feed.status().outside_bytes > MESSAGE_BYTES
    while (await reading.message()).is_partial:
        pass
    assert feed.status().outside_bytes == 0
    assert (await Watcher(feed).update())[-1].revision == 20


async def test_a_watcher_that_goes_leaves_nothing(gateway: Gateway, feed: Feed) -> None:
    watchers = [Watcher(feed) for _ in range(3)]
    for watcher in watchers:
        await watcher.one()
    waiting = asyncio.create_task(watchers[0].message())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    for watcher in watchers:
        await watcher.stream.aclose()
    status = feed.status()
    assert (status.watchers, status.revision, status.outside_bytes, status.ring_bytes) == (0, None, 0, 0)
