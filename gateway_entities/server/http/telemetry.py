"""The outermost layer of the app: telemetry of every HTTP request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway_entities.errors import Code
from gateway_entities.server.http.asgi import parse_once
from gateway_entities.server.telemetry.observer import Observer
from gateway_entities.server.telemetry.request_context import CURRENT, REQUEST_ID, UNKNOWN_METHOD

_CODES: Final = {
    400: Code.INVALID_ARGUMENT,
    401: Code.UNAUTHENTICATED,
    403: Code.PERMISSION_DENIED,
    # A path that does not exist, as in gRPC.
    404: Code.UNIMPLEMENTED,
    413: Code.RESOURCE_EXHAUSTED,
    503: Code.UNAVAILABLE,
}
"""The codes of responses without a GatewayError; other errors are UNKNOWN, as Connect's clients read them."""
_PREFLIGHT: Final = ("http", "preflight")
ID_HEADER: Final = REQUEST_ID.encode()
"""The header with the trace id of a request."""


def observed_headers(scope: Scope, observer: Observer) -> dict[str, str]:
    """Return the headers of a request that an observer reads."""
    names = observer.headers
    return {text: value.decode("latin-1") for name, value in scope["headers"] if (text := name.decode("latin-1")) in names}


class TelemetryMiddleware:
    """Reports an app's requests to an observer, and adds the request id to every response."""

    def __init__(
        self, app: ASGIApp, observer: Observer, methods: Mapping[str, tuple[str, str]], rest: tuple[str, ...]
    ) -> None:
        """Wrap an app.

        Args:
            app: the app.
            observer: records the requests.
            methods: for each path, the transport and the method of its RequestContext.
            rest: the prefixes of the other paths of the REST dialect.
        """
        self._app = app
        self._observer = observer
        self._methods = methods
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        path = scope["path"]
        # A browser's preflight is not the call.
        named = _PREFLIGHT if scope["method"] == "OPTIONS" else self._methods.get(path)
        transport, method = named or ("rest" if path.startswith(self._rest) else "http", UNKNOWN_METHOD)
        headers = parse_once(scope, observed_headers, self._observer)
        context = self._observer.begin(transport, method, headers, path if named is None else None)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                context.status = status = message["status"]
                if context.code is None and status >= 400:
                    context.code = _CODES.get(status, Code.UNKNOWN).name
                message["headers"] = [*message["headers"], (ID_HEADER, context.request_id.encode())]
            await send(message)

        token = CURRENT.set(context)
        try:
            await self._app(scope, receive, send_with_id)
        finally:
            CURRENT.reset(token)
            if context.status is None:
                context.code = Code.CANCELLED.name
            self._observer.end(context)
