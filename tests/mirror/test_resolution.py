"""Resolved endpoints of mirrors, sync and async, over every transport and network."""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gateway_entities import (
    AsyncGatewayClient,
    Code,
    GatewayClient,
    GatewayEndpointModelConfig,
    GatewayError,
    GatewayModelLinkageType,
)
from gateway_entities.mirror import AsyncGatewayMirror, GatewayMirror
from tests import profiles
from tests.forks import in_children
from tests.mirror.mirrors import NETWORKS, PAIRS, Site, create_endpoint, create_token, eventually, key_of, open_mirror, site
from tests.stores import serving, sqlite_place

_numbers = itertools.count()


@pytest.fixture(scope="module", params=NETWORKS)
def everywhere(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("m"), request.param) as found:
        yield found


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("m"), "plain") as found:
        yield found


@pytest.fixture
def name() -> str:
    return f"chat-{next(_numbers)}"


def rotated(mirror: Any, name: str, key: str) -> Callable[[], bool]:
    return lambda: key_of(mirror.resolve(name)) == key


def accesses(client: GatewayClient, name: str) -> int:
    endpoint = client.get_endpoint(name=name)
    return len(client.list_secret_accesses(endpoint_id=endpoint.endpoint_id))


@pytest.mark.parametrize("pair", PAIRS)
def test_a_mirror_resolves_and_follows_a_rotation(everywhere: Site, pair: str, name: str) -> None:
    with everywhere.client() as client, everywhere.mirror(pair, resolve_jitter=0.05) as mirror:
        (secret_id,) = create_endpoint(client, name, "sk-the-first-key")
        mirror.wait_for(client.list_changes().revision)
        first = mirror.resolve(name)
        assert key_of(first) == "sk-the-first-key"
        assert mirror.resolve(name) is first
        client.update_secret(secret_id, secret_value={"api_key": "sk-the-second-key"})
        # Each look finds the former key or the new one.
        eventually(rotated(mirror, name, "sk-the-second-key"), "the new key is resolved")
        assert mirror.resolve(name).models[0].secret_etag == mirror.secrets[secret_id].etag()
        assert accesses(client, name) == 2


@pytest.mark.parametrize("pair", PAIRS)
def test_other_changes_come_from_the_mirror_without_another_access(here: Site, pair: str, name: str) -> None:
    with here.client() as client, here.mirror(pair, resolve_jitter=0) as mirror:
        create_endpoint(client, name, "sk-0123456789", secrets=2)
        mirror.wait_for(client.list_changes().revision)
        before = mirror.resolve(name)
        endpoint = before.endpoint
        configs = [
            GatewayEndpointModelConfig(each.model_definition_id, each.linkage_type, weight=weight)
            for each, weight in zip(endpoint.model_mappings, (0.25, 0.75), strict=True)
        ]
        client.update_endpoint(endpoint.endpoint_id, model_configs=configs)
        client.set_endpoint_tag(endpoint.endpoint_id, "team", "blue")
        mirror.wait_for(client.list_changes().revision)
        after = mirror.resolve(name)
        assert after.endpoint == mirror.endpoint(name)
        assert [each.weight for each in after.endpoint.model_mappings] == [0.25, 0.75]
        assert [each.mapping_id for each in after.models] == [each.mapping_id for each in after.endpoint.model_mappings]
        assert [key_of(after, number) for number in (0, 1)] == ["sk-0123456789"] * 2
        # What was returned before is as it was.
        assert [each.weight for each in before.endpoint.model_mappings] == [1.0, 1.0]
        assert accesses(client, name) == 2
        # Without one of its models it needs no access either.
        client.detach_model(endpoint.endpoint_id, after.models[0].model_definition_id)
        mirror.wait_for(client.list_changes().revision)
        assert mirror.resolve(name).models == after.models[1:]
        assert accesses(client, name) == 2


@pytest.mark.parametrize("pair", PAIRS)
def test_a_renamed_endpoint_is_resolved_for_tokens_of_its_new_name_only(here: Site, pair: str, name: str) -> None:
    url = here.server._store_url
    former, new = (create_token(url, each, "READ", "RESOLVE", endpoints=[each]) for each in (name, f"{name}2"))
    with (
        here.client() as client,
        here.mirror(pair, token=former, resolve_jitter=0) as mirror,
        here.mirror(pair, token=new, resolve_jitter=0) as other,
        here.mirror(pair, resolve_jitter=0) as unlimited,
    ):
        create_endpoint(client, name, "sk-0123456789")
        revision = client.list_changes().revision
        for each in (mirror, other, unlimited):
            each.wait_for(revision)
        assert key_of(mirror.resolve(name)) == key_of(unlimited.resolve(name)) == "sk-0123456789"
        assert code_of(other, name) is Code.NOT_FOUND
        client.update_endpoint(mirror.endpoint(name).endpoint_id, name=f"{name}2")
        revision = client.list_changes().revision
        for each in (mirror, other, unlimited):
            each.wait_for(revision)
        # The mirror does not know its token's limit: it asks the server.
        assert key_of(unlimited.resolve(f"{name}2")) == "sk-0123456789"
        eventually(lambda: code_of(mirror, f"{name}2") is Code.NOT_FOUND, "it is for the former name only")
        assert code_of(mirror, name) is Code.NOT_FOUND
        assert key_of(other.resolve(f"{name}2")) == "sk-0123456789"
        assert unlimited.resolve(f"{name}2").endpoint == unlimited.endpoint(f"{name}2")
        # Another endpoint gets the former name.
        definition_id = mirror.endpoint(f"{name}2").model_mappings[0].model_definition_id
        client.create_endpoint(name, [GatewayEndpointModelConfig(definition_id, GatewayModelLinkageType.PRIMARY)])
        mirror.wait_for(client.list_changes().revision)
        assert key_of(mirror.resolve(name)) == "sk-0123456789"


def code_of(mirror: Any, name: str) -> Code | None:
    try:
        mirror.resolve(name)
    except GatewayError as error:
        return error.code
    return None


@pytest.mark.parametrize("mode", ["sync", "async"])
async def test_a_mirror_without_a_state_is_not_ready(mode: str) -> None:
    async with AsyncGatewayClient("http://127.0.0.1:1", retry_timeout=0) as asynchronous:
        with GatewayClient("http://127.0.0.1:1", retry_timeout=0) as client:
            mirror: Any = GatewayMirror(client) if mode == "sync" else AsyncGatewayMirror(asynchronous)

            async def resolve() -> None:
                found = mirror.resolve_all(["chat"])
                if mode == "async":
                    await found

            async def refused() -> GatewayError:
                with pytest.raises(GatewayError) as caught:
                    await resolve()
                return caught.value

            error = await refused()
            assert (error.code, error.reason) == (Code.UNAVAILABLE, "MIRROR_NOT_READY")
            assert "no configuration yet" in error.message
            assert "wait_until_ready" in error.message
            mirror.start()
            while mirror.error is None:
                await asyncio.sleep(0.01)
            error = await refused()
            assert (error.code, error.reason) == (Code.UNAVAILABLE, "MIRROR_NOT_READY")
            assert mirror.error.message in error.message
            closing = mirror.close()
            if mode == "async":
                await closing
            assert (await refused()).code is Code.CANCELLED


@pytest.mark.parametrize("pair", PAIRS)
def test_many_endpoints_are_resolved_in_one_call(here: Site, pair: str, name: str) -> None:
    names = [f"{name}-{number}" for number in range(5)]
    with here.client() as client, here.mirror(pair, resolve_jitter=0.3) as mirror:
        ids = {each: create_endpoint(client, each, f"sk-of-{each}")[0] for each in names}
        mirror.wait_for(client.list_changes().revision)
        assert [key_of(each) for each in mirror.resolve_all(names)] == [f"sk-of-{each}" for each in names]
        made = [each.accessed_at for each in client.list_secret_accesses() if each.secret_id in ids.values()]
        # All accesses of a call have its time.
        assert len(made) == len(names)
        assert len(set(made)) == 1
        for each in names:
            client.update_secret(ids[each], secret_value={"api_key": f"sk-new-{each}"})
        eventually(
            lambda: [key_of(each) for each in mirror.resolve_all(names)] == [f"sk-new-{each}" for each in names], "all"
        )


@pytest.mark.parametrize("pair", PAIRS)
def test_callers_of_one_endpoint_share_one_call(here: Site, pair: str, name: str) -> None:
    with here.client() as client, here.mirror(pair) as mirror, ThreadPoolExecutor(12) as callers:
        create_endpoint(client, name, "sk-0123456789")
        mirror.wait_for(client.list_changes().revision)
        barrier = threading.Barrier(12)

        def resolve(_: int) -> Any:
            barrier.wait(10)
            return mirror.resolve(name)

        assert {key_of(each) for each in callers.map(resolve, range(12))} == {"sk-0123456789"}
        assert accesses(client, name) == 1


@pytest.mark.parametrize("pair", PAIRS)
def test_what_cannot_be_resolved_is_an_error_and_spoils_no_other(
    here: Site, pair: str, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    other = f"{name}-other"
    with here.client() as client, here.mirror(pair, resolve_jitter=0) as mirror:
        (secret_id,) = create_endpoint(client, name, "sk-0123456789")
        create_endpoint(client, other, "sk-of-another")
        mirror.wait_for(client.list_changes().revision)
        assert key_of(mirror.resolve(name)) == "sk-0123456789"
        with pytest.raises(GatewayError, match="no endpoint 'nope'") as caught:
            mirror.resolve("nope")
        assert caught.value.code is Code.NOT_FOUND
        client.delete_secret(secret_id)

        def is_refused() -> bool:
            try:
                mirror.resolve(name)
            except GatewayError as error:
                return (error.code, error.reason) == (Code.FAILED_PRECONDITION, "SECRET_VALUE_MISSING")
            return False

        # It was served until the server refused it, and is not any more.
        with caplog.at_level(logging.WARNING):
            eventually(is_refused, "the secret is gone")
            with pytest.raises(GatewayError, match="secret was deleted"):
                mirror.resolve_all([other, name])
        assert "sk-" not in caplog.text
        assert key_of(mirror.resolve(other)) == "sk-of-another"
        client.delete_endpoint(client.get_endpoint(name=other).endpoint_id)
        mirror.wait_for(client.list_changes().revision)
        with pytest.raises(GatewayError) as caught:
            mirror.resolve(other)
        assert caught.value.code is Code.NOT_FOUND


@pytest.mark.parametrize("pair", PAIRS)
def test_it_needs_the_scope_and_the_mirror_runs_without(here: Site, pair: str, name: str) -> None:
    token = create_token(here.server._store_url, f"reader-{name}", "READ")
    with here.client() as client, here.mirror(pair, token=token) as mirror:
        create_endpoint(client, name, "sk-0123456789")
        mirror.wait_for(client.list_changes().revision)
        with pytest.raises(GatewayError) as caught:
            mirror.resolve(name)
        assert caught.value.code is Code.PERMISSION_DENIED
        assert mirror.endpoint(name) is not None


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_values_stay_while_the_server_is_away_and_are_never_in_the_file(tmp_path: Path, mode: str) -> None:
    place, file = sqlite_place(tmp_path / "store.sqlite", with_tables=True), tmp_path / "mirror"
    with serving(place) as server:
        target = server.http_target
        admin, token = create_token(place.url, "boss", "ADMIN"), create_token(place.url, "gw", "READ", "RESOLVE")
        with GatewayClient(target, token=admin) as client:
            create_endpoint(client, "chat", "sk-never-in-a-file")
            create_endpoint(client, "late", "sk-never-in-a-file")
        options: dict[str, Any] = {"client": {"token": token, "retry_timeout": 0}, "file": file}
        opened = open_mirror(target, mode, **options)
        mirror = opened.__enter__()
        assert key_of(mirror.resolve("chat")) == "sk-never-in-a-file"
    try:
        eventually(lambda: mirror.error is not None, "the server is away")
        assert key_of(mirror.resolve("chat")) == "sk-never-in-a-file"
        with pytest.raises(GatewayError) as caught:
            mirror.resolve("late")
        assert caught.value.code is Code.UNAVAILABLE
    finally:
        opened.__exit__(None, None, None)
    for name in ("chat", "nope"):
        with pytest.raises(GatewayError) as caught:
            mirror.resolve(name)
        assert caught.value.code is (Code.CANCELLED if name == "chat" else Code.NOT_FOUND)
    assert b"never-in-a-file" not in file.read_bytes()
    assert b"chat" in file.read_bytes()
    with open_mirror(target, mode, **options) as mirror:
        assert mirror.endpoint("chat") is not None
        with pytest.raises(GatewayError) as caught:
            mirror.resolve("chat")
        assert caught.value.code is Code.UNAVAILABLE


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_wait_for_a_resolution_has_an_end(here: Site, mode: str, name: str) -> None:
    with here.client() as client, here.mirror(f"http-{mode}") as mirror:
        create_endpoint(client, name, "sk-0123456789")
        mirror.wait_for(client.list_changes().revision)
        with pytest.raises(GatewayError) as caught:
            mirror.resolve(name, timeout=0.0)
        assert (caught.value.code, caught.value.reason) == (Code.DEADLINE_EXCEEDED, "RESOLUTION_LATE")
        assert key_of(mirror.resolve(name)) == "sk-0123456789"
        assert accesses(client, name) == 1


def test_in_a_child_of_the_process_the_state_stays_and_waiting_is_refused(here: Site, name: str) -> None:
    with here.client() as client, here.mirror("http-sync") as mirror:
        for each in (name, f"{name}-late"):
            create_endpoint(client, each, "sk-0123456789")
        mirror.wait_for(client.list_changes().revision)

        def use(_: int) -> list[str]:
            found = [mirror.endpoint(name).name]
            for wait in (lambda: mirror.resolve(f"{name}-late"), lambda: mirror.wait_for(0)):
                try:
                    wait()
                except GatewayError as error:
                    found.append(error.reason)
            return found

        assert in_children(1, use) == [[name, "FORKED", "FORKED"]]
        assert key_of(mirror.resolve(name)) == "sk-0123456789"


async def test_mirrors_that_see_one_rotation_resolve_once_each_and_spread_their_calls(here: Site, name: str) -> None:
    import asyncio
    import contextlib

    from gateway_entities import AsyncGatewayClient
    from gateway_entities.mirror import AsyncGatewayMirror

    count, jitter = profiles.count(1000, 30), 1.0
    with here.client() as client:
        (secret_id,) = await asyncio.to_thread(create_endpoint, client, name, "sk-the-first-key")
        async with contextlib.AsyncExitStack() as stack:
            opened = await stack.enter_async_context(AsyncGatewayClient(here.server.grpc_target, token=here.gateway))
            mirrors = [
                await stack.enter_async_context(AsyncGatewayMirror(opened, resolve_jitter=jitter)) for _ in range(count)
            ]
            await asyncio.gather(*(each.resolve(name) for each in mirrors))
            before = await asyncio.to_thread(accesses, client, name)
            began = time.time()
            await asyncio.to_thread(client.update_secret, secret_id, secret_value={"api_key": "sk-the-second-key"})
            async with asyncio.timeout(60):
                while {key_of(await each.resolve(name)) for each in mirrors} != {"sk-the-second-key"}:
                    await asyncio.sleep(0.02)
            endpoint_id = mirrors[0].endpoint(name).endpoint_id  # type: ignore[union-attr]
            found = await asyncio.to_thread(client.list_secret_accesses, endpoint_id=endpoint_id)
    assert before == count
    assert len(found) == 2 * count
    moments = sorted(each.accessed_at / 1000 - began for each in found[:count])
    # At an even pace a fifth of them would come in each fifth of the jitter.
    assert moments[-1] - moments[0] > jitter / 3
    assert max(sum(start <= each < start + jitter / 5 for each in moments) for start in moments) < 0.7 * count
