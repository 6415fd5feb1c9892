"""Request limits of both servers, gRPC and HTTP."""

from __future__ import annotations

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
