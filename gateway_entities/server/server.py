"""The gateway server: one store, one service, a gRPC and an HTTP edge, on one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import METHODS
from gateway_entities.server.address import Address
from gateway_entities.server.grpc import GrpcServer
from gateway_entities.server.http.allowed_hosts import AllowedHosts, check_hosts
from gateway_entities.server.http.app import HttpServer, http_app
from gateway_entities.server.http.cors import check_origins
from gateway_entities.server.http.fast_path import CachedResponder
from gateway_entities.server.http.metrics_endpoint import MetricsPage
from gateway_entities.server.readiness import Readiness
from gateway_entities.server.rpc.auth import Authenticator
from gateway_entities.server.rpc.dispatcher import Dispatcher
from gateway_entities.server.rpc.response_cache import ResponseCache
from gateway_entities.server.service import GatewayService
from gateway_entities.server.store import Store, open_store
from gateway_entities.server.store.crypto.key_sources import KeySource
from gateway_entities.server.store.repositories.token import AccessScope
from gateway_entities.server.telemetry.metrics import Metrics
from gateway_entities.server.telemetry.observer import Observer
from gateway_entities.server.tls import Tls

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_QUIET_SECONDS: Final = 1.0
"""How long, at most, a stop goes on refusing those who call all the time, before it closes the listeners."""


class _Running(NamedTuple):
    readiness: Readiness
    dispatcher: Dispatcher
    grpc: GrpcServer
    undo: contextlib.AsyncExitStack


class Server:
    """A gateway: ``start`` it, and ``stop`` it on the same event loop, which may run in any thread. It starts only once."""

    def __init__(
        self,
        store_url: str,
        *,
        grpc: str = "127.0.0.1:50051",
        http: str = "127.0.0.1:8080",
        keys: Sequence[KeySource] = (),
        cors_origins: Sequence[str] = (),
        tls: Tls | None = None,
        allowed_hosts: Sequence[str] = (),
        require_token: bool = False,
        drain_delay: float = 0.0,
    ) -> None:
        """Say what to serve and where.

        Args:
            store_url: where the configuration is kept, such as ``sqlite:///gateway.sqlite``.
            grpc: ``HOST:PORT`` for gRPC. A port of 0 picks a free one.
            http: ``HOST:PORT`` for HTTP, likewise.
            keys: where the keys are that secrets are encrypted with, as for ``open_store``.
            cors_origins: origins, such as ``https://app.example``, whose pages may call the HTTP port from a browser.
            tls: TLS for both ports. An address that is not loopback needs it.
            allowed_hosts: the names that requests to the HTTP port may have been sent to, beside those of loopback. Without
                any, over TLS every name will do: the certificate proves it.
            require_token: serve nobody without a token, even when the store has none yet. Without this, callers need a token
                once the store has had one, and from the start when an address is not loopback and clients need no
                certificate.
            drain_delay: seconds between the moment when a stop makes it not ready and the one when it refuses new calls, for
                load balancers to notice.

        Raises:
            GatewayError: INVALID_ARGUMENT for an address, an origin or a host of another form; FAILED_PRECONDITION for an
                address that is not loopback, without TLS.
        """
        self._store_url = store_url
        self._keys = keys
        self._grpc = Address.parse(grpc)
        self._http = Address.parse(http)
        self._cors_origins = check_origins(cors_origins)
        self._tls = tls
        self._hosts = check_hosts(allowed_hosts) if allowed_hosts or tls is None else None
        self._require_token = require_token
        self._drain_delay = drain_delay
        self._hurry = asyncio.Event()
        only_here = self._grpc.is_loopback and self._http.is_loopback
        # Without tokens, whoever can reach it could use it.
        self._public = not only_here and (tls is None or tls.client_ca_file is None)
        for address in (self._grpc, self._http):
            if tls is None and not address.is_loopback:
                raise GatewayError(
                    Code.FAILED_PRECONDITION,
                    f"refusing to listen on {address} without TLS: secrets and tokens would cross the network in clear. "
                    "Give a certificate and its key (--tls-cert, --tls-key), or a loopback address (127.0.0.1, [::1])",
                    reason="NOT_LOOPBACK",
                )
        self._running: _Running | None = None
        self._closing: asyncio.Task[None] | None = None

    @property
    def grpc_target(self) -> str:
        """Where it takes gRPC calls, such as ``grpc://127.0.0.1:50051``; the port is the real one once it has started."""
        return f"grpc{'s' if self._tls else ''}://{self._grpc}"

    @property
    def http_target(self) -> str:
        """Where it takes HTTP calls, such as ``http://127.0.0.1:8080``; the port is the real one once it has started."""
        return f"http{'s' if self._tls else ''}://{self._http}"

    async def start(self) -> None:
        """Open the store, migrate it if need be, and serve. After an error nothing is left open.

        Raises:
            GatewayError: UNAVAILABLE, if an address is taken; FAILED_PRECONDITION, if a file of TLS cannot be used, or if
                others than this machine could reach the server and none of them has a token; what ``open_store`` raises.
        """
        tls = None if self._tls is None else self._tls.load()
        async with contextlib.AsyncExitStack() as undo:
            store = await asyncio.to_thread(open_store, self._store_url, keys=self._keys)
            undo.push_async_callback(asyncio.to_thread, store.close)
            if self._public and not self._require_token:
                await asyncio.to_thread(_ensure_a_token, store)
            access = Authenticator(store, required=self._public or self._require_token)
            live = store.revision_probe()
            if live is not None:
                undo.push_async_callback(live.close)
            known = ResponseCache(store.revision, access.admit_at_once, ask=None if live is None else live.ask)
            dispatcher = Dispatcher(GatewayService(store), admit=access.admit, known=known)
            undo.push_async_callback(dispatcher.close)
            observer = Observer()
            store.watch(observer.metrics.transaction)
            readiness = Readiness(lambda: _look_at(store, observer.metrics))
            undo.push_async_callback(readiness.close)
            page = MetricsPage(
                observer.metrics, lambda credentials: access.admit(credentials, AccessScope.READ, offline=True)
            )
            hosts = None if self._hosts is None else AllowedHosts(self._hosts)
            app = http_app(
                dispatcher,
                readiness.check,
                observer=observer,
                metrics=page,
                cors_origins=self._cors_origins,
                hosts=hosts,
            )
            at_once = CachedResponder(dispatcher, METHODS, observer=observer, hosts=hosts)
            http = HttpServer(app, None if tls is None else tls.context, at_once)
            undo.push_async_callback(http.stop)
            self._http = self._http._replace(port=await http.start(self._http))
            grpc = GrpcServer(dispatcher, observer, tls)
            undo.push_async_callback(grpc.stop)
            self._grpc = self._grpc._replace(port=await grpc.start(self._grpc))

            async def tell_ready(ready: bool) -> None:
                observer.metrics.ready(ready)
                await grpc.tell_ready(ready)

            readiness.watch(tell_ready)
            self._running = _Running(readiness, dispatcher, grpc, undo.pop_all())

    async def stop(self, grace: float) -> None:
        """Stop, and close the store.

        Health reports NOT_SERVING and ``/readyz`` 503 at once. After the drain delay new calls are refused as UNAVAILABLE,
        and when the calls in flight have ended, the listeners close. A second ``stop`` with less grace, at the same time,
        makes the first one end sooner; one without any grace skips the delay. Nothing happens if the server does not run.

        Args:
            grace: seconds that calls in flight may take to end. Those that take longer are answered UNAVAILABLE; the store
                closes once their transactions have ended, because a thread cannot be stopped.
        """
        if self._running is None:
            return
        await self._running.readiness.stop()
        await self._running.grpc.drain()
        if not grace:
            self._hurry.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), self._drain_delay)
        await self._running.dispatcher.drain(grace)
        await self._running.dispatcher.quiet(min(grace, _QUIET_SECONDS))
        if self._closing is None:
            self._closing = asyncio.create_task(self._running.undo.aclose())
        await asyncio.shield(self._closing)

    async def run_until_signalled(self, grace: float, ready: Callable[[Server], None]) -> None:
        """Start, serve until SIGTERM or SIGINT, and stop. A second signal stops at once. For the main thread only.

        Args:
            grace: as in ``stop``.
            ready: called once, when the server takes calls and its targets are known.
        """
        loop = asyncio.get_running_loop()
        first, second = asyncio.Event(), asyncio.Event()

        def note() -> None:
            (second if first.is_set() else first).set()

        for number in _SIGNALS:
            loop.add_signal_handler(number, note)
        try:
            await self.start()
            ready(self)
            await first.wait()
            stopping = [asyncio.create_task(self.stop(grace)), asyncio.create_task(second.wait())]
            await asyncio.wait(stopping, return_when=asyncio.FIRST_COMPLETED)
            stopping[1].cancel()
            await self.stop(0)
            await stopping[0]
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)


def _look_at(store: Store, metrics: Metrics) -> None:
    store.ping()
    with store.read() as transaction:
        metrics.revision(transaction.changes.last())


def _ensure_a_token(store: Store) -> None:
    with store.read() as transaction:
        if transaction.tokens.list():
            return
    raise GatewayError(
        Code.FAILED_PRECONDITION,
        "refusing to listen beyond loopback: the store has no token yet, so that nobody could prove who they are. Make one "
        "(gateway-entities token create), or want client certificates (--tls-client-ca), or start with --require-token and "
        "make one later",
        reason="NO_TOKEN",
    )
