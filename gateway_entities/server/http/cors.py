"""CORS: the web pages that may call the server from a browser, https://fetch.spec.whatwg.org/#http-cors-protocol.

A browser lets a page read a response of another origin only if the response allows the page's origin. Every call that
changes something has a header or an HTTP method that needs a preflight, so a page of an origin that is not allowed can
change nothing.
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
"""What Connect's web clients send with a call or a stream, and credentials."""
_RESPONSE_HEADERS: Final = ("Content-Encoding", "X-Request-Id")
"""What web clients read and browsers hide by default."""
_MAX_AGE_S: Final = 7200
"""Seconds that a browser may cache a preflight. It is Chromium's maximum."""
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


def check_origins(origins: Sequence[str]) -> tuple[str, ...]:
    """Return the origins, which have one form only.

    Raises:
        GatewayError: INVALID_ARGUMENT for one that no browser sends, and for ``*`` and ``null``: without authentication
            every page could then read and change everything.
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
    """Return an app that pages of these origins may call, and whose responses, errors too, they may read.

    Without origins it is the app itself, without CORS headers. Browsers send no cookies.
    """
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=_METHODS,
        allow_headers=_REQUEST_HEADERS,
        expose_headers=_RESPONSE_HEADERS,
        max_age=_MAX_AGE_S,
    )
