"""Limits of both servers, gRPC and HTTP: constants of the protocol, and settings of one server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_REQUEST_BYTES: Final = 4 * 1024 * 1024
"""Maximum bytes of one request, compressed or not. It is gRPC's own default."""

MAX_HEADER_BYTES: Final = 16 * 1024
"""Maximum bytes of the headers of one request, path and query included. It is gRPC's own default."""

MAX_STREAMS: Final = 128
"""Maximum gRPC calls in flight on one connection; gRPC answers UNAVAILABLE to the others, and in a burst to some before.
An HTTP/1.1 connection has one call at a time."""

GRPC_LOOKAHEAD_BYTES: Final = 8 * 1024
"""Bytes of a gRPC request that the server receives before it has authenticated the caller and has memory for the request."""

MAX_LIST_BYTES: Final = 64 * 1024 * 1024
"""Maximum size of a list in MLflow's dialect, which has no pages: of its JSON. The budget of responses may be smaller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of one server that an operator can set.

    Attributes:
        grpc_connections: maximum gRPC connections to one address, at most a third of the files that the process may open.
            Further connections are closed immediately.
        grpc_streams: maximum gRPC calls in flight on one connection; a cancelled call counts until the server has noticed.
        grpc_pending_calls: maximum gRPC calls, of all connections, that wait for the server to look at them. Further calls
            are cancelled.
        grpc_handshake_timeout_s: seconds from the accept of a gRPC connection to the end of its handshakes, TLS and HTTP/2.
        grpc_request_timeout_s: seconds for the message of a gRPC call to arrive, 1 second while other calls wait for memory.
        grpc_idle_timeout_s: seconds without a call after which a gRPC connection is closed. Clients reconnect.
        grpc_connection_age_s: seconds, at random up to 10 % more or less, after which a gRPC connection takes no more calls.
            Clients look up the server's name again and reconnect.
        grpc_connection_grace_s: seconds that the calls in flight have then.
        grpc_keepalive_s: seconds without data from a client after which it is probed. A gRPC connection that does not answer
            for as long, at most 20 seconds, is closed.
        grpc_ping_interval_s: minimum seconds between two probes of a client, its keepalive. Beyond it, with no data between
            them, the third closes the connection.
        grpc_waiting_requests: maximum gRPC calls that wait for memory to receive their message.
        http_connections: maximum HTTP connections. Fewer are accepted if the process may not open enough files. Beyond it
            the connection that has waited longest for a request is closed; if none waits, the new one is refused.
        http_connections_per_peer: the same for one IPv4 address, or one IPv6 network of 64 bits.
        http_head_timeout_s: seconds from the accept of a connection, or from the first byte of a later request, to the end
            of the request's headers.
        http_body_timeout_s: seconds from the end of a request's headers to the end of its body.
        http_idle_timeout_s: seconds between two requests of a connection.
        http_connection_age_s: seconds after which an HTTP connection ends with its next response, a tenth more or less at
            random. Clients reconnect.
        http_write_timeout_s: seconds in which a client reads nothing of a response.
        streams: maximum streams in flight, of both ports. Beyond it streams are refused as RESOURCE_EXHAUSTED.
        stream_age_s: seconds, at random up to 10 % more or less, after which a stream ends with UNAVAILABLE. Clients go on
            with a new one, perhaps of another server.
        stream_write_timeout_s: seconds that a message of a gRPC stream waits for the client to read. Then the stream is
            dropped. Over HTTP it is ``http_write_timeout_s``.
        waits: maximum calls of WaitForGatewayConvergence in flight, of both ports. Beyond it they are refused as
            RESOURCE_EXHAUSTED.
        watch_buffer_bytes: maximum bytes of the recent updates of WatchGateway, which all watchers share. A watcher that is
            further behind gets one update with all that it lacks.
        watch_snapshot_bytes: bytes of snapshots and of updates for watchers that are further behind, beyond which no more
            are made before some have been read: such watchers are refused as RESOURCE_EXHAUSTED.
        request_bytes_in_flight: maximum bytes of all request bodies of a port being received or executed. Beyond it requests
            are refused as RESOURCE_EXHAUSTED.
        response_bytes_in_flight: maximum bytes of all responses of a port being computed or sent, likewise.
        read_workers: worker threads of calls that only read.
        write_workers: worker threads of other calls. The store has one writer, so more of them only prepare their work.
        queue_timeout_s: seconds that a call waits for a worker thread. Beyond it the call is refused as UNAVAILABLE.
        store_write_timeout_s: seconds that a write waits for other writers, those of other processes included.
        store_lock_timeout_s: seconds that a statement on PostgreSQL waits for a lock that another program holds.
        store_statement_timeout_s: seconds that a statement on PostgreSQL may take.
        write_stall_s: seconds without a write that gets through, while some wait or fail, after which the server is not
            ready.
        max_store_bytes: the size of the store from which writes are refused as RESOURCE_EXHAUSTED. Its last eighth, at most
            64 MiB, is reserved for deletions.
        change_retention_s: seconds that changes stay in the change log; at least 24 hours apply.
        max_changes: maximum number of changes in the change log; those of the last 24 hours stay in any case.
        cached_tokens: maximum tokens in memory. Beyond it the one that was looked up first is looked up again.
        token_lookups_per_s: maximum look-ups of tokens that are not in memory, per second, made-up ones included. Beyond it
            a call with such a token is refused as UNAVAILABLE.
    """

    grpc_connections: int = 1000
    grpc_streams: int = MAX_STREAMS
    grpc_pending_calls: int = 2048
    grpc_handshake_timeout_s: float = 10.0
    grpc_request_timeout_s: float = 30.0
    grpc_idle_timeout_s: float = 300.0
    grpc_connection_age_s: float = 3600.0
    grpc_connection_grace_s: float = 60.0
    grpc_keepalive_s: float = 60.0
    grpc_ping_interval_s: float = 5.0
    grpc_waiting_requests: int = 1024
    http_connections: int = 1000
    http_connections_per_peer: int = 250
    http_head_timeout_s: float = 10.0
    http_body_timeout_s: float = 30.0
    http_idle_timeout_s: float = 75.0
    http_connection_age_s: float = 3600.0
    http_write_timeout_s: float = 30.0
    streams: int = 5000
    stream_age_s: float = 1800.0
    stream_write_timeout_s: float = 30.0
    waits: int = 1000
    watch_buffer_bytes: int = 16 * 1024 * 1024
    watch_snapshot_bytes: int = 128 * 1024 * 1024
    request_bytes_in_flight: int = 64 * 1024 * 1024
    response_bytes_in_flight: int = 64 * 1024 * 1024
    read_workers: int = 16
    write_workers: int = 4
    queue_timeout_s: float = 10.0
    store_write_timeout_s: float = 10.0
    store_lock_timeout_s: float = 2.0
    store_statement_timeout_s: float = 30.0
    write_stall_s: float = 10.0
    max_store_bytes: int = 16 * 1024 * 1024 * 1024
    change_retention_s: float = 90 * 24 * 60 * 60.0
    max_changes: int = 1_000_000
    cached_tokens: int = 16_384
    token_lookups_per_s: int = 500


DEFAULT_LIMITS: Final = Limits()
