"""Limits that both edges keep."""

from __future__ import annotations

from typing import Final

MAX_REQUEST_BYTES: Final = 4 * 1024 * 1024
"""Most bytes of one request, compressed or not. It is gRPC's own default."""

MAX_HEADER_BYTES: Final = 16 * 1024
"""Most bytes of the headers of one request, its path and query included. It is the most that gRPC takes by default."""

MAX_STREAMS: Final = 4096
"""Most gRPC calls that one connection has in flight; gRPC answers UNAVAILABLE to the others, and in a burst to some before.
It is far from what a client with work to do has. An HTTP/1.1 connection has one call at a time."""

MAX_LIST_BYTES: Final = 64 * 1024 * 1024
"""Encoded size of a list in MLflow's dialect, which is answered whole."""
