"""The options of the gRPC server."""

from __future__ import annotations

from typing import Final

from gateway_entities.server.rpc.descriptors import descriptor_limit
from gateway_entities.server.rpc.limits import GRPC_LOOKAHEAD_BYTES, MAX_HEADER_BYTES, MAX_REQUEST_BYTES, Limits

_KEEPALIVE_TIMEOUT_S: Final = 20


def channel_options(limits: Limits) -> tuple[tuple[str, int], ...]:
    """Return the options for the limits of a server."""
    return (
        ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
        # Between two different sizes gRPC refuses some requests at random.
        ("grpc.max_metadata_size", MAX_HEADER_BYTES),
        ("grpc.absolute_max_metadata_size", MAX_HEADER_BYTES),
        ("grpc.max_concurrent_streams", limits.grpc_streams),
        ("grpc.http2.lookahead_bytes", GRPC_LOOKAHEAD_BYTES),
        # It would raise the bytes that gRPC receives ahead to several MiB a stream.
        ("grpc.http2.bdp_probe", 0),
        # By default a second server can share the port, and each gets some of the calls.
        ("grpc.so_reuseport", 0),
        # Beyond it gRPC cancels calls, which clients do not retry; between two different numbers it does so at random.
        ("grpc.server.max_pending_requests", limits.grpc_pending_calls),
        ("grpc.server.max_pending_requests_hard_limit", limits.grpc_pending_calls),
        ("grpc.max_allowed_incoming_connections", min(limits.grpc_connections, descriptor_limit() // 3)),
        ("grpc.server_handshake_timeout_ms", _milliseconds(limits.grpc_handshake_timeout_s)),
        ("grpc.max_connection_idle_ms", _milliseconds(limits.grpc_idle_timeout_s)),
        ("grpc.max_connection_age_ms", _milliseconds(limits.grpc_connection_age_s)),
        ("grpc.max_connection_age_grace_ms", _milliseconds(limits.grpc_connection_grace_s)),
        ("grpc.keepalive_time_ms", _milliseconds(limits.grpc_keepalive_s)),
        # Idle clients are probed too, and may probe the server. By default that is a fault every 5 minutes, or every 2 hours
        # without a call, and the third one ends the connection: GOAWAY, too_many_pings.
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", _milliseconds(limits.grpc_ping_interval_s)),
        # The server's grpc.keepalive_timeout_ms has no effect.
        ("grpc.http2.ping_timeout_ms", _milliseconds(min(_KEEPALIVE_TIMEOUT_S, limits.grpc_keepalive_s))),
    )


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
