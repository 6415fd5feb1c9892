"""Hearing of every HTTP request: the outermost layer of the app."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway_entities.errors import Code
from gateway_entities.server.telemetry.observer import Observer
from gateway_entities.server.telemetry.request_context import CURRENT, REQUEST_ID, UNKNOWN_METHOD

_CODES: Final = {
    400: Code.INVALID_ARGUMENT,
    401: Code.UNAUTHENTICATED,
    403: Code.PERMISSION_DENIED,
    # A path that is not there, as in gRPC.
    404: Code.UNIMPLEMENTED,
    413: Code.RESOURCE_EXHAUSTED,
    503: Code.UNAVAILABLE,
}
"""What an answer's status says where no GatewayError did; other errors are UNKNOWN, as Connect's clients read them."""
_PREFLIGHT: Final = ("http", "preflight")
ID_HEADER: Final = REQUEST_ID.encode()
"""The name of the header with the id of a request."""


def headers_for(observer: Observer, headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return those of a request's headers that an observer wants."""
    wanted = observer.headers
    return {text: value.decode("latin-1") for name, value in headers if (text := name.decode("latin-1")) in wanted}


class TelemetryMiddleware:
    """An app whose requests an observer hears of. Every answer has the id of its request."""

    def __init__(
        self, app: ASGIApp, observer: Observer, methods: Mapping[str, tuple[str, str]], rest: tuple[str, ...]
    ) -> None:
        """Take what to call the requests.

        Args:
            app: the app.
            observer: who hears of them.
            methods: for each path, the transport and the method as an Exchange has them.
            rest: the starts of the other paths that are of the REST dialect.
        """
        self._app = app
        self._observer = observer
        self._methods = methods
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        path = scope["path"]
        # What a browser asks before a call is not the call.
        named = _PREFLIGHT if scope["method"] == "OPTIONS" else self._methods.get(path)
        transport, method = named or ("rest" if path.startswith(self._rest) else "http", UNKNOWN_METHOD)
        exchange = self._observer.begin(transport, method, headers_for(self._observer, scope["headers"]))

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = status = message["status"]
                if exchange.code is None and status >= 400:
                    exchange.code = _CODES.get(status, Code.UNKNOWN).name
                message["headers"] = [*message["headers"], (ID_HEADER, exchange.request_id.encode())]
            await send(message)

        entered = CURRENT.set(exchange)
        try:
            await self._app(scope, receive, answer)
        finally:
            CURRENT.reset(entered)
            if exchange.status is None:
                exchange.code = Code.CANCELLED.name
            self._observer.end(exchange)
