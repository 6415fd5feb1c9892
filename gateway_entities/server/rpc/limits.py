"""Limits of both servers, gRPC and HTTP: constants of the protocol, and settings of one server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_REQUEST_BYTES: Final = 4 * 1024 * 1024
"""Maximum bytes of one request, compressed or not. It is gRPC's own default."""

MAX_HEADER_BYTES: Final = 16 * 1024
"""Maximum bytes of the headers of one request, path and query included. It is gRPC's own default."""

MAX_STREAMS: Final = 4096
"""Maximum gRPC calls in flight on one connection; gRPC answers UNAVAILABLE to the others, and in a burst to some before.
An HTTP/1.1 connection has one call at a time."""

MAX_LIST_BYTES: Final = 64 * 1024 * 1024
"""Maximum encoded size of a list in MLflow's dialect, which has no pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of one server that an operator can set.

    Attributes:
        http_connections: maximum HTTP connections. Fewer are accepted if the process may not open enough files. Beyond it
            the connection that has waited longest for a request is closed, or without one the new connection.
        http_connections_per_peer: the same for one IPv4 address, or one IPv6 network of 64 bits.
        http_head_timeout_s: seconds from the accept of a connection, or from the first byte of a later request, to the end
            of the request's headers.
        http_body_timeout_s: seconds from the end of a request's headers to the end of its body.
        http_idle_timeout_s: seconds between two requests of a connection.
        http_write_timeout_s: seconds in which a client reads nothing of a response.
        request_bytes_in_flight: maximum bytes of all request bodies being received or executed. Beyond it requests are
            refused as RESOURCE_EXHAUSTED.
        response_bytes_in_flight: maximum bytes of all responses being computed or sent, likewise.
        cached_tokens: maximum tokens in memory. Beyond it the one that was looked up first is looked up again.
        token_lookups_per_s: maximum look-ups of tokens that are not in memory, per second, made-up ones included. Beyond it
            a call with such a token is refused as UNAVAILABLE.
    """

    http_connections: int = 1000
    http_connections_per_peer: int = 250
    http_head_timeout_s: float = 10.0
    http_body_timeout_s: float = 30.0
    http_idle_timeout_s: float = 75.0
    http_write_timeout_s: float = 30.0
    request_bytes_in_flight: int = 64 * 1024 * 1024
    response_bytes_in_flight: int = 64 * 1024 * 1024
    cached_tokens: int = 16_384
    token_lookups_per_s: int = 500
