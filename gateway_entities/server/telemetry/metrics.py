"""The server's Prometheus metrics."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import choose_encoder, gzip_accepted
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway_entities.server.telemetry.budget_status import BudgetStatus
from gateway_entities.server.telemetry.log_queue import dropped_lines
from gateway_entities.server.telemetry.watch_status import WatchStatus

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histograms' buckets, in seconds."""
_NANOS: Final = 10**9


class _DroppedLines(Collector):
    """The log is one for the process."""

    def collect(self) -> Iterable[Metric]:
        """Yield the counter."""
        yield CounterMetricFamily(
            "gateway_entities_log_lines_dropped",
            "Log lines that were dropped, because the log was not read fast enough.",
            dropped_lines(),
        )


class _Watch(Collector):
    """The watch stream, looked at when the metrics are."""

    def __init__(self, status: Callable[[], WatchStatus]) -> None:
        self._status = status

    def collect(self) -> Iterable[Metric]:
        """Yield the metrics."""
        status = self._status()
        yield GaugeMetricFamily("gateway_entities_watchers", "Watchers of the configuration.", status.watchers)
        yield GaugeMetricFamily(
            "gateway_entities_watch_lag_revisions",
            "Number of changes by which the slowest watcher is behind.",
            status.lag,
        )
        sizes = GaugeMetricFamily(
            "gateway_entities_watch_bytes",
            "Encoded updates in memory: recent ones, and snapshots and catch-ups that watchers are reading.",
            labels=("kind",),
        )
        sizes.add_metric(("recent",), status.ring_bytes)
        sizes.add_metric(("snapshot",), status.outside_bytes)
        yield sizes
        updates = CounterMetricFamily(
            "gateway_entities_watch_updates",
            "Updates that were read from the store: of new changes, for watchers that were too far behind, and snapshots.",
            labels=("kind",),
        )
        updates.add_metric(("change",), status.updates)
        updates.add_metric(("catch_up",), status.catch_ups)
        updates.add_metric(("snapshot",), status.snapshots)
        yield updates


class _Budgets(Collector):
    """The current windows of budget policies."""

    def __init__(self) -> None:
        self.statuses: Sequence[BudgetStatus] = ()

    def collect(self) -> Iterable[Metric]:
        """Yield the metrics."""
        shown = (
            ("spend", "Amount recorded in the current window, in the unit of the budget.", "recorded"),
            ("reserved", "Amount reserved in the current window, in the unit of the budget.", "reserved"),
            ("limit", "Amount of the budget, in its unit; none for one that cannot be reached.", "limit"),
            ("overrun", "Amount by which both exceed the budget, in its unit.", "overrun"),
        )
        for name, text, field in shown:
            family = GaugeMetricFamily(f"gateway_budget_{name}", text, labels=("budget_policy_id",))
            for status in self.statuses:
                nanos: int | None = getattr(status, field)
                if nanos is not None:
                    family.add_metric((status.budget_policy_id,), nanos / _NANOS)
            yield family


class _Registry(CollectorRegistry):
    """A registry without the times at which series were created, which would add a series for each counter and histogram.

    The library can leave them out itself, but only for all registries of a process, which has others.
    """

    def collect(self) -> Iterable[Metric]:
        """Yield the metrics."""
        for metric in super().collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric


class Metrics:
    """The metrics of one server, in a registry of its own. Safe to use from many threads.

    Every label has a bounded number of values, none of which a caller can choose. A series begins with its first event, so
    that a server has those of the methods and transports that are used.
    """

    def __init__(self) -> None:
        self._registry = _Registry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        build = Info("gateway_entities_build", "The version of this package, always 1.", registry=self._registry)
        build.info({"version": version("gateway-entities")})
        self._requests = Counter(
            "gateway_entities_requests",
            "Requests that were answered or given up.",
            ("transport", "method", "code"),
            registry=self._registry,
        )
        self._durations = Histogram(
            "gateway_entities_request_duration_seconds",
            "Time from the arrival of a request's headers to the end of its response.",
            ("transport", "method"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        in_flight = Gauge(
            "gateway_entities_requests_in_flight",
            "Requests that are being answered.",
            ("transport",),
            registry=self._registry,
        )
        self._in_flight = {transport: in_flight.labels(transport) for transport in ("grpc", "connect", "rest", "http")}
        streams = Gauge(
            "gateway_entities_streams",
            "Streams in flight, which are not among the requests in flight.",
            ("transport",),
            registry=self._registry,
        )
        self._streams = {transport: streams.labels(transport) for transport in ("grpc", "connect")}
        self._stream_messages = Counter(
            "gateway_entities_stream_messages",
            "Messages that were sent on streams, counted at their end.",
            ("transport", "method"),
            registry=self._registry,
        )
        self._stream_bytes = Counter(
            "gateway_entities_stream_bytes",
            "Bytes of these messages.",
            ("transport", "method"),
            registry=self._registry,
        )
        transactions = Histogram(
            "gateway_entities_store_transaction_seconds",
            "Time that a transaction of the store was open.",
            ("kind",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        waits = Histogram(
            "gateway_entities_store_wait_seconds",
            "Time that it took to open a transaction of the store: waiting for a connection, and a write also for the lock.",
            ("kind",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._transactions = {kind: (waits.labels(kind), transactions.labels(kind)) for kind in ("read", "write")}
        self._ready = Gauge(
            "gateway_entities_ready", "1 if the server accepts calls and its store responds.", registry=self._registry
        )
        self._ready.set(1)
        self._revision = Gauge(
            "gateway_entities_store_revision",
            "The revision of the store, read once a second.",
            registry=self._registry,
        )
        self._registry.register(_DroppedLines())
        self._oldest_revision = Gauge(
            "gateway_entities_store_oldest_revision",
            "The oldest revision in the change log, read once a second.",
            registry=self._registry,
        )
        sizes = Gauge(
            "gateway_entities_store_bytes",
            "Size of the store: bytes in use, and bytes in its file that are free for later rows.",
            ("state",),
            registry=self._registry,
        )
        self._sizes = sizes.labels("used"), sizes.labels("free")
        self._quota = Gauge(
            "gateway_entities_store_max_bytes",
            "Maximum of the bytes in use, a reserve for deletions included.",
            registry=self._registry,
        )
        self._full = Gauge(
            "gateway_entities_store_full",
            "1 if the store has reached its maximum size without the reserve, and writes are refused.",
            registry=self._registry,
        )
        self._accesses = Counter(
            "gateway_entities_secret_accesses",
            "Accesses to the values of secrets, by ResolveGatewayEndpoint.",
            registry=self._registry,
        )
        self._budgets = _Budgets()
        self._registry.register(self._budgets)
        self._alerts = Counter(
            "gateway_budget_alerts",
            "Alerts of budgets that calls of this server have raised, by the share in percent that was reached.",
            ("share",),
            registry=self._registry,
        )
        self._nodes = Gauge(
            "gateway_entities_nodes", "Nodes that acknowledge revisions at this server.", registry=self._registry
        )
        self._waits = Gauge(
            "gateway_entities_waits", "Calls of WaitForGatewayConvergence in flight.", registry=self._registry
        )
        self._rendering = threading.Lock()
        self._rendered: dict[str, tuple[float, bytes]] = {}
        self._certificate: tuple[Gauge, Gauge] | None = None
        # Looking a child up by its labels takes longer than counting with it.
        self._children: dict[tuple[str, str, str], tuple[Counter, Histogram]] = {}

    def begin(self, transport: str) -> None:
        """Count a request that has arrived."""
        self._in_flight[transport].inc()

    def end(self, transport: str, method: str, code: str, seconds: float) -> None:
        """Count a request that has ended; the labels are the attributes of a RequestContext."""
        key = transport, method, code
        found = self._children.get(key)
        if found is None:
            found = self._requests.labels(*key), self._durations.labels(transport, method)
            self._children[key] = found
        found[0].inc()
        found[1].observe(seconds)
        self._in_flight[transport].dec()

    def begin_stream(self, transport: str) -> None:
        """Count a request that has arrived as a stream."""
        self._in_flight[transport].dec()
        self._streams[transport].inc()

    def end_stream(self, transport: str, method: str, code: str, messages: int, size: int) -> None:
        """Count a stream that has ended. Its duration is the client's choice, and not among those of requests."""
        self._requests.labels(transport, method, code).inc()
        self._stream_messages.labels(transport, method).inc(messages)
        self._stream_bytes.labels(transport, method).inc(size)
        self._streams[transport].dec()

    def watch(self, status: Callable[[], WatchStatus]) -> None:
        """Show the state of a watch stream. The function is called in any thread."""
        self._registry.register(_Watch(status))

    def nodes(self, count: Callable[[], int]) -> None:
        """Show the number of nodes. The function is called in any thread."""
        self._nodes.set_function(count)

    def waits(self, count: Callable[[], int]) -> None:
        """Show the number of calls that wait for nodes. The function is called in any thread."""
        self._waits.set_function(count)

    def budgets(self, statuses: Sequence[BudgetStatus]) -> None:
        """Show the current windows of budgets, of a bounded number of policies."""
        self._budgets.statuses = statuses

    def budget_alert(self, share_percent: int) -> None:
        """Count an alert."""
        self._alerts.labels(str(share_percent)).inc()

    def transaction(self, kind: str, wait: float, duration: float) -> None:
        """Count a ``read`` or ``write`` transaction of the store: seconds until it was open, and seconds open."""
        waits, durations = self._transactions[kind]
        waits.observe(wait)
        durations.observe(duration)

    def secret_accesses(self, number: int) -> None:
        """Count accesses to the values of secrets that were recorded."""
        self._accesses.inc(number)

    def ready(self, ready: bool) -> None:
        """Set whether the server is ready."""
        self._ready.set(ready)

    def revision(self, revision: int, oldest: int) -> None:
        """Set the revision of the store, and the oldest in its change log."""
        self._revision.set(revision)
        self._oldest_revision.set(oldest)

    def store_size(self, used: int, free: int) -> None:
        """Set the size of the store in bytes."""
        self._sizes[0].set(used)
        self._sizes[1].set(free)

    def store_quota(self, max_bytes: int) -> None:
        """Set the maximum size of the store in bytes."""
        self._quota.set(max_bytes)

    def store_full(self, *, full: bool) -> None:
        """Set whether the store is full."""
        self._full.set(full)

    def certificate(self, expires_at: float, *, failed: bool) -> None:
        """Set when the TLS certificate expires, a Unix time, and whether a newer one cannot be used."""
        if self._certificate is None:
            # Without TLS there are none: an expiry of 0 would be one in the past.
            self._certificate = (
                Gauge(
                    "gateway_entities_tls_certificate_expiry_seconds",
                    "Unix time after which the TLS certificate in use is not valid.",
                    registry=self._registry,
                ),
                Gauge(
                    "gateway_entities_tls_reload_failed",
                    "1 if the TLS files have changed and cannot be used, so that the former certificate stays in use.",
                    registry=self._registry,
                ),
            )
        expiry, reload_failed = self._certificate
        expiry.set(expires_at)
        reload_failed.set(failed)

    def render(self, accept: str, accept_encoding: str = "", max_age: float = 0.0) -> tuple[bytes, dict[str, str]]:
        """Return the metrics in Prometheus' text format.

        Args:
            accept: the request's Accept header, which may ask for the OpenMetrics format.
            accept_encoding: its Accept-Encoding header, which may ask for gzip.
            max_age: the maximum age of the text, in seconds. Rendering takes several milliseconds.

        Returns:
            The body of a response and its headers, with names in lower case.
        """
        encode, content_type = choose_encoder(accept)
        with self._rendering:
            rendered = self._rendered.get(content_type)
            if rendered is None or time.monotonic() - rendered[0] >= max_age:
                # There are a few content types.
                rendered = self._rendered[content_type] = time.monotonic(), encode(self._registry)
        text = rendered[1]
        headers = {"content-type": content_type, "vary": "accept, accept-encoding"}
        if not gzip_accepted(accept_encoding):
            return text, headers
        # The names of methods and buckets repeat, so the fastest level leaves a twentieth of it.
        return gzip.compress(text, compresslevel=1), headers | {"content-encoding": "gzip"}
