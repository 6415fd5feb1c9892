"""Mirrors of both kinds behind one blocking interface, and a server for each kind of network."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from gateway_entities import AsyncGatewayClient, GatewayClient, GatewayEndpointModelConfig, GatewayModelLinkageType
from gateway_entities.mirror import AsyncGatewayMirror, GatewayMirror, MirrorUpdate
from gateway_entities.server.server import Server
from gateway_entities.server.store.admin.token_manager import open_tokens
from gateway_entities.server.store.repositories.token import AccessScope
from gateway_entities.server.tls import Tls
from tests.certificates import Authority
from tests.stores import serving, sqlite_place

PAIRS = ("grpc-sync", "grpc-async", "http-sync", "http-async")
NETWORKS = ("plain", "tls", "unix")


class BlockingMirror:
    """An AsyncGatewayMirror with the methods of a GatewayMirror, on a loop in a thread of its own."""

    def __init__(self, mirror: AsyncGatewayMirror, loop: asyncio.AbstractEventLoop) -> None:
        self._mirror = mirror
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._mirror, name)
        if not asyncio.iscoroutinefunction(found):
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            if self._loop.is_closed():
                return asyncio.run(found(*args, **kwargs))
            return asyncio.run_coroutine_threadsafe(found(*args, **kwargs), self._loop).result()

        return call


@contextlib.contextmanager
def open_mirror(
    target: str,
    mode: str,
    *,
    client: dict[str, Any] | None = None,
    subscriber: Callable[[MirrorUpdate], None] | None = None,
    **options: Any,
) -> Generator[Any]:
    """Run a mirror.

    Args:
        target: the server.
        mode: ``sync`` or ``async``.
        client: arguments of its client.
        subscriber: a subscriber from the first update on.
        options: arguments of the mirror.
    """
    if mode == "sync":
        with GatewayClient(target, **client or {}) as opened:
            mirror = GatewayMirror(opened, **options)
            if subscriber is not None:
                mirror.subscribe(subscriber)
            with mirror:
                yield mirror
        return
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    stack = contextlib.AsyncExitStack()

    async def enter() -> AsyncGatewayMirror:
        opened = await stack.enter_async_context(AsyncGatewayClient(target, **client or {}))
        mirror = AsyncGatewayMirror(opened, **options)
        if subscriber is not None:
            mirror.subscribe(subscriber)
        return await stack.enter_async_context(mirror)

    try:
        yield BlockingMirror(asyncio.run_coroutine_threadsafe(enter(), loop).result(30), loop)
    finally:
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class Site(NamedTuple):
    """A server whose store has tokens.

    Attributes:
        server: the server.
        options: arguments of clients, besides the token.
        admin: the token of an administrator.
        gateway: the token of a gateway, with the scopes read and resolve.
    """

    server: Server
    options: dict[str, Any]
    admin: str
    gateway: str

    def target(self, pair: str) -> str:
        return self.server.grpc_target if pair.startswith("grpc") else self.server.http_target

    def mirror(self, pair: str, *, token: str | None = None, **options: Any) -> contextlib.AbstractContextManager[Any]:
        client = {**self.options, "token": token or self.gateway}
        return open_mirror(self.target(pair), pair.rpartition("-")[2], client=client, **options)

    def client(self) -> GatewayClient:
        return GatewayClient(self.server.http_target, token=self.admin, **self.options)


@contextlib.contextmanager
def site(folder: Path, network: str) -> Generator[Site]:
    """Run a server with tokens, in a folder whose path is short enough for sockets."""
    place = sqlite_place(folder / "store.sqlite", with_tables=True)
    options: dict[str, Any] = {}
    client: dict[str, Any] = {}
    if network == "tls":
        authority = Authority(folder / "authority")
        pair = authority.sign("server", "gateway", "localhost", "127.0.0.1")
        options, client = {"tls": Tls(pair.cert, pair.key)}, {"ca_file": authority.cert}
    elif network == "unix":
        options = {"grpc": f"unix://{folder}/g.sock", "http": f"unix://{folder}/h.sock"}
    with serving(place, **options) as server:
        yield Site(
            server, client, create_token(place.url, "boss", "ADMIN"), create_token(place.url, "gw", "READ", "RESOLVE")
        )


def create_token(store_url: str, name: str, *scopes: str, endpoints: Iterable[str] | None = None) -> str:
    scope = AccessScope(0)
    for each in scopes:
        scope |= AccessScope[each]
    with open_tokens(store_url) as tokens:
        return tokens.create(name, scope, endpoints=endpoints).text


def create_endpoint(client: GatewayClient, name: str, key: str, *, secrets: int = 1) -> list[str]:
    """Create an endpoint with a model for each of its secrets, of equal weight; return the ids of the secrets."""
    ids: list[str] = []
    configs: list[GatewayEndpointModelConfig] = []
    for number in range(secrets):
        secret = client.create_secret(f"{name}-{number}", {"api_key": key}, provider="openai")
        model = client.create_model_definition(
            f"{name}-{number}", secret_id=secret.secret_id, provider="openai", model_name=f"m-{number}"
        )
        ids.append(secret.secret_id)
        configs.append(GatewayEndpointModelConfig(model.model_definition_id, GatewayModelLinkageType.PRIMARY, weight=1.0))
    client.create_endpoint(name, configs)
    return ids


def key_of(resolved: Any, number: int = 0) -> str:
    return resolved.models[number].secret_value.reveal()["api_key"]


def eventually(found: Callable[[], bool], what: str) -> None:
    """Wait until something is so.

    Raises:
        AssertionError: it was not within 20 seconds.
    """
    until = time.monotonic() + 20
    while not found():
        assert time.monotonic() < until, what
        time.sleep(0.01)
