"""Which web pages may call the server from a browser: CORS, https://fetch.spec.whatwg.org/#http-cors-protocol.

A browser sends what a page asks of another origin, but lets the page read the answer only if the answer allows its origin.
Every call of this server that changes something has a header or an HTTP method for which a browser asks beforehand (a
preflight), and does not send the call without that permission. So a page of any other origin can change nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from gateway_entities.errors import Code, GatewayError

_METHODS: Final = ("GET", "POST", "PATCH", "DELETE")
_REQUEST_HEADERS: Final = (
    "Authorization",
    "Content-Encoding",
    "Content-Type",
    "Connect-Protocol-Version",
    "Connect-Timeout-Ms",
    "X-Request-Id",
    "X-User-Agent",
)
"""What Connect's clients in browsers send with a unary call, and the credentials of a caller."""
_RESPONSE_HEADERS: Final = ("Content-Encoding", "X-Request-Id")
"""What they read that a browser does not show them anyway."""
_MAX_AGE_SECONDS: Final = 7200
"""How long a browser may remember a preflight. It is the longest that Chromium does."""
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


def check_origins(origins: Sequence[str]) -> tuple[str, ...]:
    """Return the origins, which browsers write in one way only.

    Raises:
        GatewayError: INVALID_ARGUMENT, for one that no browser would send, and for ``*`` and ``null``: where callers are
            not authenticated, every page that anybody opens could then read and change everything.
    """
    for origin in origins:
        form = re.fullmatch(r"(https?)://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::([1-9][0-9]{0,4}))?", origin)
        if form is None or form[2] == _DEFAULT_PORTS[form[1]]:
            raise GatewayError(
                Code.INVALID_ARGUMENT,
                f"{origin!r} is not an origin as browsers send it; valid forms are https://app.example and "
                "http://localhost:3000: in lower case, without a path, and without the scheme's default port",
            )
    return tuple(origins)


def with_cors(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """Return the app with leave for pages of these origins to call it and read every answer, errors too.

    Without origins it is the app itself, none of whose answers says a word about CORS. Cookies and the like are never asked
    for.
    """
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=_METHODS,
        allow_headers=_REQUEST_HEADERS,
        expose_headers=_RESPONSE_HEADERS,
        max_age=_MAX_AGE_SECONDS,
    )
