"""The gateway server: one store, one service, a gRPC and an HTTP server, on one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shlex
import signal
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import METHODS
from gateway_entities.server.address import Address
from gateway_entities.server.compactor import Compactor
from gateway_entities.server.current_tls import CurrentTls
from gateway_entities.server.grpc import GrpcServer
from gateway_entities.server.http.allowed_hosts import AllowedHosts, check_hosts
from gateway_entities.server.http.app import http_app
from gateway_entities.server.http.cors import check_origins
from gateway_entities.server.http.fast_path import CachedResponder
from gateway_entities.server.http.health_app import health_app, health_limits
from gateway_entities.server.http.listener import HttpServer
from gateway_entities.server.http.metrics_endpoint import MetricsEndpoint
from gateway_entities.server.provider_catalog import ProviderCatalog
from gateway_entities.server.readiness import Readiness
from gateway_entities.server.rpc.auth import Authenticator
from gateway_entities.server.rpc.dispatcher import Dispatcher
from gateway_entities.server.rpc.limits import DEFAULT_LIMITS, Limits
from gateway_entities.server.rpc.response_cache import ResponseCache
from gateway_entities.server.service import AllowedAddresses, GatewayService
from gateway_entities.server.service.spending.ledger import DEFAULT_SHARES, check_shares
from gateway_entities.server.service.writes.compaction import Retention
from gateway_entities.server.spend_upkeep import SpendUpkeep
from gateway_entities.server.store import Store, open_store
from gateway_entities.server.store.crypto.key_sources import KeySource
from gateway_entities.server.store.repositories.token import AccessScope
from gateway_entities.server.store.sql.database import StatementTimeouts
from gateway_entities.server.telemetry.metrics import Metrics
from gateway_entities.server.telemetry.observer import Observer
from gateway_entities.server.tls import LoadedTls, Tls
from gateway_entities.server.watch.digests import Digests
from gateway_entities.server.watch.feed import Feed

if TYPE_CHECKING:
    # Its module needs psycopg.
    from gateway_entities.server.store.sql.revision_probe import RevisionProbe

_STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_MAX_QUIET_WAIT_S: Final = 1.0
"""Seconds, at most, that a stop waits for callers to go away before it closes the listeners."""
_HEALTH_METRICS_AGE_S: Final = 1.0


_log = logging.getLogger(__name__)


class _Running(NamedTuple):
    readiness: Readiness
    dispatcher: Dispatcher
    grpc: GrpcServer
    tls: CurrentTls | None
    cleanup: contextlib.AsyncExitStack


class Server:
    """A gateway server. ``start`` and ``stop`` it on one event loop, in any thread. It starts only once."""

    def __init__(
        self,
        store_url: str,
        *,
        grpc: str = "127.0.0.1:50051",
        http: str = "127.0.0.1:8080",
        health: str | None = None,
        keys: Sequence[KeySource] = (),
        cors_origins: Sequence[str] = (),
        tls: Tls | None = None,
        allowed_hosts: Sequence[str] = (),
        require_token: bool = False,
        allowed_api_bases: Sequence[str] = (),
        provider_catalog: Path | None = None,
        tls_terminated_upstream: bool = False,
        drain_delay: float = 0.0,
        limits: Limits = DEFAULT_LIMITS,
        new_store: bool = False,
        alert_shares: Sequence[int] = DEFAULT_SHARES,
    ) -> None:
        """Create a server; nothing is opened yet.

        Args:
            store_url: the URL of the store, such as ``sqlite:///gateway.sqlite``.
            grpc: ``HOST:PORT`` for gRPC. A port of 0 picks a free one. Or ``unix:///PATH``: the file has the mode 0600, and
                the clients of a Unix socket are local as those of loopback are.
            http: ``HOST:PORT`` or ``unix:///PATH`` for HTTP, likewise.
            health: ``HOST:PORT`` for a listener that serves ``/healthz``, ``/readyz``, ``/version`` and ``/metrics`` alone,
                over plain HTTP to every caller, on any address; None for no such listener.
            keys: sources of the encryption keys for secrets, as for ``open_store``.
            cors_origins: origins, such as ``https://app.example``, whose pages may call the HTTP port from a browser.
            tls: TLS for both ports; a Unix socket has none. An address that is not loopback needs it.
            allowed_hosts: host names allowed in requests to the HTTP port, besides those of loopback. If there are none,
                every name is allowed with TLS, because the certificate proves it, and with ``tls_terminated_upstream``,
                because a page that makes a browser use another name has no token.
            require_token: refuse callers without a token even while the store has none. Otherwise callers need a token once
                the store has had one, and from the start if an address is not loopback and clients need no certificate.
            allowed_api_bases: hosts of providers, ``HOST`` or ``HOST:PORT``, whose ``api_base`` may be http and need not be
                public. Otherwise it has to be an https address of a public host.
            provider_catalog: a JSON file of the providers and models that MLflow's web page offers; None for the built-in
                ones.
            tls_terminated_upstream: a proxy on this host, or in this pod, ends TLS, and what it sends to the server crosses
                no network. Addresses that are not loopback then need no TLS; callers need a token in any case.
            drain_delay: seconds from not ready to refusing new calls in a stop, for load balancers to notice.
            limits: the limits of connections, times, memory and the store.
            new_store: as for ``open_store``.
            alert_shares: shares of a budget, in percent, at which its spending raises an alert: 1 to 1000 each.

        Raises:
            GatewayError: INVALID_ARGUMENT for a malformed address, origin, host, share or file of providers, or for ``tls``
                with ``tls_terminated_upstream``; FAILED_PRECONDITION for an address that is not loopback, without TLS.
        """
        self._store_url = store_url
        self._keys = keys
        self._new_store = new_store
        self._alert_shares = check_shares(alert_shares)
        self._grpc = Address.parse(grpc)
        self._http = Address.parse(http)
        self._health = None if health is None else Address.parse(health)
        self._cors_origins = check_origins(cors_origins)
        self._tls = tls
        is_encrypted = tls is not None or tls_terminated_upstream
        self._hosts = None if is_encrypted and not allowed_hosts else check_hosts(allowed_hosts)
        self._require_token = require_token
        self._allowed_addresses = AllowedAddresses(allowed_api_bases)
        self._catalog = None if provider_catalog is None else ProviderCatalog.load(provider_catalog)
        self._upstream = tls_terminated_upstream
        self._drain_delay = drain_delay
        self._limits = limits
        self._skip_delay = asyncio.Event()
        loopback = self._grpc.is_loopback and self._http.is_loopback
        # Without tokens, every caller who can reach it could use it.
        self._public = tls_terminated_upstream or (not loopback and (tls is None or tls.client_ca_file is None))
        if tls is not None and tls_terminated_upstream:
            raise GatewayError(Code.INVALID_ARGUMENT, "TLS ends either upstream or in this server, not in both")
        for address in (self._grpc, self._http):
            if not is_encrypted and not address.is_loopback:
                raise GatewayError(
                    Code.FAILED_PRECONDITION,
                    f"refusing to listen on {address} without TLS: secrets and tokens would cross the network unencrypted. "
                    "Give a certificate and its key (--tls-cert, --tls-key), or a loopback address (127.0.0.1, [::1]). If a "
                    "proxy on the same host or in the same pod ends TLS, say so with --tls-terminated-upstream",
                    reason="NOT_LOOPBACK",
                )
        self._running: _Running | None = None
        self._stopping = False
        self._closing: asyncio.Task[None] | None = None

    @property
    def grpc_target(self) -> str:
        """The target for gRPC clients, such as ``grpc://127.0.0.1:50051``; the port is the real one once it has started."""
        return f"grpc+{self._grpc}" if self._grpc.path else f"grpc{'s' if self._tls else ''}://{self._grpc}"

    @property
    def http_target(self) -> str:
        """The target for HTTP clients, such as ``http://127.0.0.1:8080``; the port is the real one once it has started."""
        return str(self._http) if self._http.path else f"http{'s' if self._tls else ''}://{self._http}"

    @property
    def health_target(self) -> str | None:
        """The target of the health listener, likewise; None without one."""
        return None if self._health is None else f"http://{self._health}"

    async def start(self) -> None:
        """Open the store, migrate it if necessary, and serve. After an error nothing is left open.

        Raises:
            GatewayError: UNAVAILABLE if an address is in use; FAILED_PRECONDITION if a TLS file cannot be used, or if the
                server is reachable from other machines and the store has no token; what ``open_store`` raises.
        """
        observer, limits = Observer(), self._limits

        def report_tls(loaded: LoadedTls, failed: bool) -> None:
            observer.metrics.certificate(loaded.expires_at.timestamp(), failed=failed)

        tls = None if self._tls is None else CurrentTls(self._tls, report_tls)
        async with contextlib.AsyncExitStack() as undo:
            store = await asyncio.to_thread(
                open_store,
                self._store_url,
                keys=self._keys,
                busy_timeout=limits.store_write_timeout_s,
                timeouts=StatementTimeouts(limits.store_lock_timeout_s, limits.store_statement_timeout_s),
                write_stall=limits.write_stall_s,
                max_bytes=limits.max_store_bytes,
                new_store=self._new_store,
            )
            undo.push_async_callback(asyncio.to_thread, store.close)
            has_had_token = await asyncio.to_thread(_has_had_token, store)
            if self._public and not (self._require_token or has_had_token):
                raise _no_token()
            authenticator = Authenticator(store, required=self._public or self._require_token, limits=limits)
            probe = store.revision_probe()
            if probe is not None:
                undo.push_async_callback(probe.close)
            cache = ResponseCache(
                store.revision, authenticator.authenticate_from_cache, probe=None if probe is None else probe.query
            )
            service = self._service(store, observer, probe, undo)
            dispatcher = Dispatcher(
                service,
                authenticate=authenticator.authenticate,
                cache=cache,
                limits=self._limits,
            )
            undo.push_async_callback(dispatcher.close)
            observer.metrics.waits(lambda: dispatcher.waits)
            readiness = Readiness(lambda: _check_store(store, observer.metrics))
            undo.push_async_callback(readiness.close)
            metrics = MetricsEndpoint(
                observer.metrics,
                lambda credentials: authenticator.authenticate(credentials, AccessScope.READ, offline=True).name,
            )
            health = None if self._health is None else self._health_server(readiness, observer)
            if health is not None:
                # Closed last, so that probes are answered until the end.
                undo.push_async_callback(health.stop)
            hosts = None if self._hosts is None else AllowedHosts(self._hosts)
            app = http_app(
                dispatcher,
                readiness.check,
                observer=observer,
                metrics=metrics,
                cors_origins=self._cors_origins,
                hosts=hosts,
                limits=self._limits,
                catalog=self._catalog,
            )
            responder = CachedResponder(dispatcher, METHODS, observer=observer, hosts=hosts)
            context = None if tls is None or self._http.path else tls.context
            http = HttpServer(app, context, responder, self._limits)
            undo.push_async_callback(http.stop)
            self._http = self._http._replace(port=await http.start(self._http))
            grpc = GrpcServer(dispatcher, observer, None if tls is None else tls.contents, limits=self._limits)
            undo.push_async_callback(grpc.stop)
            self._grpc = self._grpc._replace(port=await grpc.start(self._grpc))

            async def report(ready: bool) -> None:
                observer.metrics.ready(ready)
                grpc.set_ready(ready)

            readiness.watch(report)
            self._start_upkeep(store, service, observer, undo)
            if tls is not None:
                tls.watch()
                undo.push_async_callback(tls.close)
            if health is not None and self._health is not None:
                self._health = self._health._replace(port=await health.start(self._health))
            self._running = _Running(readiness, dispatcher, grpc, tls, undo.pop_all())
        self._log_start(store, tls, has_had_token=has_had_token)

    def _service(
        self, store: Store, observer: Observer, probe: RevisionProbe | None, undo: contextlib.AsyncExitStack
    ) -> GatewayService:
        feed = Feed(
            store,
            None if probe is None else probe.query,
            ring_bytes=self._limits.watch_buffer_bytes,
            shared_bytes=self._limits.watch_snapshot_bytes,
        )
        undo.push_async_callback(feed.close)
        store.observe(observer.metrics.transaction)
        observer.metrics.store_quota(self._limits.max_store_bytes)
        observer.metrics.watch(feed.status)
        service = GatewayService(store, self._allowed_addresses)
        service.watch = feed.watch
        service.alert_shares = self._alert_shares
        service.report_alert = lambda alert: observer.metrics.budget_alert(alert.share_percent)
        digests = Digests(feed.watch, service.waits.notify)
        undo.push_async_callback(digests.close)
        service.nodes.digests = digests
        observer.metrics.nodes(lambda: service.nodes.count)
        undo.push_async_callback(asyncio.to_thread, service.nodes.close)
        undo.push_async_callback(asyncio.to_thread, service.waits.close)
        service.accesses.observe(observer.metrics.secret_accesses)
        # Closed after the calls that wait for it, and before the store.
        undo.push_async_callback(asyncio.to_thread, service.close)
        return service

    def _start_upkeep(
        self, store: Store, service: GatewayService, observer: Observer, undo: contextlib.AsyncExitStack
    ) -> None:
        retention = Retention(int(self._limits.change_retention_s * 1000), self._limits.max_changes)
        for each in (Compactor(store, retention), SpendUpkeep(service, observer.metrics)):
            each.start()
            undo.push_async_callback(asyncio.to_thread, each.close)

    def _health_server(self, readiness: Readiness, observer: Observer) -> HttpServer:
        limits = health_limits(self._limits)
        # Every caller may ask for them, as often as it likes.
        metrics = MetricsEndpoint(observer.metrics, lambda _credentials: None, max_age=_HEALTH_METRICS_AGE_S)
        return HttpServer(health_app(readiness.check, observer=observer, metrics=metrics, limits=limits), limits=limits)

    def _log_start(self, store: Store, tls: CurrentTls | None, *, has_had_token: bool) -> None:
        _log.info("gateway-entities %s serves the store %s", version("gateway-entities"), store.location)
        if store.new_key_file is not None:
            _log.info(
                "created the key file %s; without it the secrets cannot be decrypted: keep a copy elsewhere",
                store.new_key_file,
            )
        if tls is not None:
            tls.log()
        _log.info("listening on %s", ", ".join(filter(None, (self.grpc_target, self.http_target, self.health_target))))
        if self._upstream:
            _log.warning(
                "TLS ends upstream: traffic to this server is not encrypted; only a proxy on this host or in this pod may "
                "reach it"
            )
        if self._public or self._require_token or has_had_token:
            _log.info("every call needs a token")
        elif self._tls is not None and self._tls.client_ca_file is not None:
            _log.info("every call needs a client certificate, until the store has a token")
        else:
            who = (
                "the user of this server, and root" if self._grpc.path and self._http.path else "every user of this machine"
            )
            _log.info(
                "open to %s, until the store has a token: gateway-entities token create NAME --scope admin --store %s",
                who,
                shlex.quote(store.url),
            )

    async def reload(self) -> None:
        """Read the TLS files again now. The server does so by itself when they change, within 10 seconds.

        Files that cannot be used are logged, and the former ones stay in use. Connections that are open keep their
        certificate. Does nothing without TLS.
        """
        if self._running is not None and self._running.tls is not None:
            await self._running.tls.reload()

    async def stop(self, grace: float) -> None:
        """Stop, and close the store.

        Health reports NOT_SERVING and ``/readyz`` 503 immediately. After the drain delay new calls are refused as
        UNAVAILABLE, and when the calls in flight have ended, the listeners close. A concurrent ``stop`` with less grace
        shortens this one; with no grace it skips the delay. Does nothing if the server does not run.

        Args:
            grace: seconds for calls in flight to end. Those that take longer are answered UNAVAILABLE; the store closes
                after their transactions, because a thread cannot be stopped.
        """
        if self._running is None:
            return
        if not self._stopping:
            self._stopping = True
            _log.info(
                "draining: new calls are refused after %g s, and calls in flight have %g s to end", self._drain_delay, grace
            )
        await self._running.readiness.stop()
        self._running.grpc.drain()
        if not grace:
            self._skip_delay.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._skip_delay.wait(), self._drain_delay)
        await self._running.dispatcher.drain(grace)
        await self._running.dispatcher.wait_for_quiet(min(grace, _MAX_QUIET_WAIT_S))
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(self._running))
        await asyncio.shield(self._closing)

    async def _close(self, running: _Running) -> None:
        await running.cleanup.aclose()
        _log.info("stopped")

    async def run_until_signalled(self, grace: float, ready: Callable[[Server], None]) -> None:
        """Start, serve until SIGTERM or SIGINT, and stop; a second signal stops without grace. SIGHUP is ``reload``.

        For the main thread only.

        Args:
            grace: as in ``stop``.
            ready: called once, when the server accepts calls and its targets are final.
        """
        loop = asyncio.get_running_loop()
        first, second = asyncio.Event(), asyncio.Event()

        reloads = set[asyncio.Task[None]]()

        def on_signal(number: signal.Signals) -> None:
            _log.info("received %s", number.name)
            (second if first.is_set() else first).set()

        def on_hangup() -> None:
            _log.info("received SIGHUP: the TLS files are read again")
            reloads.add(task := loop.create_task(self.reload()))
            task.add_done_callback(reloads.discard)

        for number in _STOP_SIGNALS:
            loop.add_signal_handler(number, on_signal, number)
        loop.add_signal_handler(signal.SIGHUP, on_hangup)
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
            for number in (*_STOP_SIGNALS, signal.SIGHUP):
                loop.remove_signal_handler(number)


def _check_store(store: Store, metrics: Metrics) -> None:
    store.ping()
    store.check_writes()
    with store.read() as transaction:
        metrics.revision(transaction.changes.last(), transaction.changes.oldest())
    size = store.size()
    metrics.store_size(size.used_bytes, size.free_bytes)
    try:
        store.ensure_room(size)
    except GatewayError:
        metrics.store_full(full=True)
        raise
    metrics.store_full(full=False)


def _has_had_token(store: Store) -> bool:
    with store.read() as transaction:
        return transaction.state.get().has_had_token


def _no_token() -> GatewayError:
    return GatewayError(
        Code.FAILED_PRECONDITION,
        "refusing to serve other machines: the store has no token, so callers could not authenticate. Create one "
        "(gateway-entities token create), or require client certificates (--tls-client-ca), or start with --require-token "
        "and create one later",
        reason="NO_TOKEN",
    )
