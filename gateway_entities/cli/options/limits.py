"""Options of ``serve`` for the limits of a server: one for each setting of Limits."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import click

from gateway_entities.cli.options.seconds import Seconds
from gateway_entities.server.rpc.limits import DEFAULT_LIMITS, Limits

_HELP: Final = {
    "grpc_connections": "Most gRPC connections; fewer if the limit of open files is low. Beyond it new ones are closed.",
    "grpc_streams": "Most calls in flight on one gRPC connection.",
    "grpc_pending_calls": "Most gRPC calls that wait for the server to look at them. Beyond it calls are cancelled.",
    "grpc_handshake_timeout_s": "Seconds for the handshakes of a gRPC connection, TLS and HTTP/2.",
    "grpc_request_timeout_s": "Seconds for the message of a gRPC call to arrive.",
    "grpc_idle_timeout_s": "Seconds without a call after which a gRPC connection is closed.",
    "grpc_connection_age_s": "Seconds after which a gRPC connection takes no more calls, and its client reconnects.",
    "grpc_connection_grace_s": "Seconds that the calls in flight on it have then.",
    "grpc_keepalive_s": "Seconds without data from a gRPC client after which it is probed.",
    "grpc_ping_interval_s": "Minimum seconds between keepalive pings of a gRPC client, which is disconnected otherwise.",
    "grpc_waiting_requests": "Most gRPC calls that wait for memory to receive their message.",
    "http_connections": "Most HTTP connections; fewer if the limit of open files is low. Beyond it the one that has waited "
    "longest for a request is closed.",
    "http_connections_per_peer": "Most HTTP connections of one IPv4 address or IPv6 /64 network. Raise it behind a proxy.",
    "http_head_timeout_s": "Seconds for the headers of a request, from the accept of its connection.",
    "http_body_timeout_s": "Seconds for the body of a request, from the end of its headers.",
    "http_idle_timeout_s": "Seconds between two requests of an HTTP connection.",
    "http_connection_age_s": "Seconds after which an HTTP connection ends with its next response; clients reconnect.",
    "http_write_timeout_s": "Seconds in which a client reads nothing of its response.",
    "streams": "Most streams of WatchGateway in flight, of both ports. Beyond it new ones are refused.",
    "stream_age_s": "Seconds after which a stream ends, and its client goes on with a new one.",
    "stream_write_timeout_s": "Seconds that a message of a gRPC stream waits for the client to read. Then the stream ends.",
    "waits": "Most calls in flight that wait for nodes, of both ports. Beyond it new ones are refused.",
    "watch_buffer_bytes": "Most bytes of the recent updates for watchers, which all of them share.",
    "watch_snapshot_bytes": "Bytes of snapshots that watchers are reading, beyond which new watchers are refused.",
    "request_bytes_in_flight": "Most bytes of all request bodies of a port together. Beyond it requests are "
    "refused, over HTTP with 503.",
    "response_bytes_in_flight": "Most bytes of all responses of a port together, likewise.",
    "read_workers": "Worker threads of requests that only read.",
    "write_workers": "Worker threads of all other requests. The store has one writer; more of them only prepare their work.",
    "queue_timeout_s": "Seconds that a request waits for a worker thread. Beyond it the request is refused with 503.",
    "store_write_timeout_s": "Seconds that a write waits for other writers of the store.",
    "store_lock_timeout_s": "Seconds that a statement on PostgreSQL waits for a lock of another program.",
    "store_statement_timeout_s": "Seconds that a statement on PostgreSQL may take.",
    "write_stall_s": "Seconds in which writes wait and none succeeds, after which the server is not ready.",
    "max_store_bytes": "Size of the store from which writes are refused; a part of it is reserved for deletions.",
    "change_retention_s": "Seconds that changes stay in the change log, at least 86400.",
    "max_changes": "Most changes in the change log; those of the last 24 hours stay in any case.",
    "cached_tokens": "Most tokens in memory. Beyond it the one that was looked up first is looked up again.",
    "token_lookups_per_s": "Most look-ups a second of tokens that are not in memory. Beyond it calls with such a token are "
    "refused with 503.",
}


def limit_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; the command gets ``limits``, a Limits."""

    @functools.wraps(function)
    def run(*args: Any, **options: Any) -> Any:
        limits = Limits(**{name: options.pop(name) for name in _HELP})
        return function(*args, limits=limits, **options)

    decorated: Callable[..., Any] = run
    for name in reversed(_HELP):
        decorated = limit_option(name)(decorated)
    return decorated


def limit_option(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option of one setting of Limits."""
    default = getattr(DEFAULT_LIMITS, name)
    is_rate = name.endswith("_per_s")
    is_time = name.endswith("_s") and not is_rate
    # The change log never loses a change of the last 24 hours.
    seconds = Seconds(min=86_400) if name == "change_retention_s" else Seconds(min=0, min_open=True)
    return click.option(
        f"--{name.removesuffix('_per_s' if is_rate else '_s').replace('_', '-')}",
        name,
        metavar="SECONDS" if is_time else "NUMBER",
        type=seconds if is_time else click.IntRange(min=1),
        default=default,
        show_default=True,
        help=_HELP[name],
    )
