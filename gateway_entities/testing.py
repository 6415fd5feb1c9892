"""Run a gateway in the tests of other projects.

    import pytest
    from gateway_entities import GatewayClient
    from gateway_entities.testing import Gateway, gateway

    @pytest.fixture(scope="session")
    def running():
        with gateway() as running:
            yield running

    def test_an_endpoint_is_found(running: Gateway):
        with GatewayClient(running.grpc_target) as client:
            ...

    def test_a_key_is_resolved(running: Gateway):
        with GatewayClient(running.grpc_target, token=running.create_token("test", "admin")) as client:
            ...
        with running.mirror() as mirror:
            key = mirror.resolve("chat").models[0].secret_value.reveal()["api_key"]

It is the real server with a real store, without mocks. It needs the ``server`` extra.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import threading
from collections.abc import AsyncGenerator, Generator, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway_entities.client import AsyncGatewayClient, GatewayClient
from gateway_entities.errors import Code, GatewayError
from gateway_entities.extras import advice
from gateway_entities.mirror import AsyncGatewayMirror, GatewayMirror

try:
    from gateway_entities.server.server import Server
    from gateway_entities.server.store.admin.token_manager import open_tokens
    from gateway_entities.server.store.repositories.token import GATEWAY, AccessScope
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"gateway_entities.testing needs the extra server (no module {error.name}); {advice('server')}", name=error.name
    ) from error

_GRACE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway.

    Attributes:
        grpc_target: the gRPC target for a client, such as ``grpc://127.0.0.1:40001``.
        http_target: the HTTP target for a client, such as ``http://127.0.0.1:40002``.
        store_path: the SQLite file of its store.
    """

    grpc_target: str
    http_target: str
    store_path: Path

    def create_token(
        self, name: str, *scopes: str, endpoints: Iterable[str] | None = None, owners: Iterable[str] | None = None
    ) -> str:
        """Create a token and return its text. After the first one every call needs a token.

        Args:
            name: the actor of its requests: 1 to 255 printable characters. It has no other token.
            scopes: one or more of ``read``, ``write``, ``admin``, ``resolve``, ``spend`` and ``node``; or ``gateway``,
                which is what a gateway needs: ``read``, ``resolve``, ``spend`` and ``node``.
            endpoints: the names of the endpoints that it may resolve and spend on; None for all.
            owners: the owners whose configurations alone it may apply, changing nothing else; None for no such limit.

        Raises:
            GatewayError: INVALID_ARGUMENT; ALREADY_EXISTS (the name).
        """
        scope = AccessScope(0)
        for each in scopes:
            if each == "gateway":
                scope |= GATEWAY
                continue
            if each.upper() not in AccessScope.__members__:
                known = ", ".join((*map(str.lower, AccessScope.__members__), "gateway"))
                raise GatewayError(Code.INVALID_ARGUMENT, f"{each!r} is not a scope; the scopes are {known}")
            scope |= AccessScope[each.upper()]
        with open_tokens(f"sqlite:///{self.store_path}") as manager:
            return manager.create(name, scope, endpoints=endpoints, owners=owners).text

    @contextlib.contextmanager
    def mirror(self, name: str = "gateway", *, endpoints: Iterable[str] | None = None) -> Generator[GatewayMirror]:
        """Run a mirror with a token of its own, which may resolve, for the duration of the block.

        Args:
            name: the name of the token, which no other one has.
            endpoints: the names of the endpoints that it may resolve and spend on; None for all.

        Raises:
            GatewayError: as ``create_token``.
        """
        token = self.create_token(name, "gateway", endpoints=endpoints)
        with GatewayClient(self.grpc_target, token=token) as client, GatewayMirror(client) as mirror:
            yield mirror

    @contextlib.asynccontextmanager
    async def async_mirror(
        self, name: str = "gateway", *, endpoints: Iterable[str] | None = None
    ) -> AsyncGenerator[AsyncGatewayMirror]:
        """Run a mirror for asyncio; arguments and errors as of ``mirror``."""
        token = await asyncio.to_thread(self.create_token, name, "gateway", endpoints=endpoints)
        async with AsyncGatewayClient(self.grpc_target, token=token) as client, AsyncGatewayMirror(client) as mirror:
            yield mirror


@contextlib.contextmanager
def gateway(*, cors_origins: Sequence[str] = (), allowed_api_bases: Sequence[str] = ()) -> Generator[Gateway]:
    """Run a gateway on free ports of 127.0.0.1 with an empty store, for the duration of the block.

    It runs on an event loop in a separate thread, so it works with sync and async code, and several may run in parallel. At
    the end, requests in flight have one second to complete, and the store is removed.

    Args:
        cors_origins: origins whose pages may call it from a browser, such as ``http://localhost:3000``.
        allowed_api_bases: hosts of providers whose ``api_base`` may be http and need not be public, such as
            ``localhost:11434``.

    Raises:
        GatewayError: it cannot start.
    """
    with tempfile.TemporaryDirectory(prefix="gateway-entities-") as folder:
        store_path = Path(folder) / "gateway.sqlite"
        server = Server(
            f"sqlite:///{store_path}",
            grpc="127.0.0.1:0",
            http="127.0.0.1:0",
            cors_origins=cors_origins,
            allowed_api_bases=allowed_api_bases,
        )
        started: Future[Gateway] = Future()
        leave = threading.Event()

        def run() -> None:
            try:
                asyncio.run(_run(server, store_path, started, leave))
            except Exception as error:
                # The caller waits for the start, whatever fails.
                if started.done():
                    raise
                started.set_exception(error)

        thread = threading.Thread(target=run, name="gateway")
        thread.start()
        try:
            yield started.result()
        finally:
            # Also if the caller was interrupted while it waited for the start.
            leave.set()
            thread.join()


async def _run(server: Server, store_path: Path, started: Future[Gateway], leave: threading.Event) -> None:
    await server.start()
    started.set_result(Gateway(server.grpc_target, server.http_target, store_path))
    await asyncio.to_thread(leave.wait)
    await server.stop(_GRACE)
