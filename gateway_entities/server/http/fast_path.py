"""Cached responses to Connect calls, sent without an ASGI task.

The fast path runs the same functions as the app. What it has parsed of a request stays in the scope's extensions, so the app
does not parse it again after a cache miss.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from starlette.types import Scope

from gateway_entities.errors import GatewayError
from gateway_entities.methods import Method
from gateway_entities.server.http.allowed_hosts import AllowedHosts
from gateway_entities.server.http.asgi import (
    MAX_UNSENT_BYTES,
    NOT_CACHED,
    HttpResponse,
    ResponseError,
    credentials_of,
    parse_once,
)
from gateway_entities.server.http.connect import Call, parse_call
from gateway_entities.server.http.telemetry import ID_HEADER, observed_headers
from gateway_entities.server.rpc.auth import Credentials
from gateway_entities.server.rpc.dispatcher import Dispatcher
from gateway_entities.server.telemetry.observer import Observer


class _Head(NamedTuple):
    call: Call
    credentials: Credentials
    observed: Mapping[str, str]


class CachedResponder:
    """Sends cached responses of one dispatcher. For the event loop."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        methods: Iterable[Method[Any, Any]],
        *,
        observer: Observer,
        hosts: AllowedHosts | None,
    ) -> None:
        """Create a responder with the same arguments as the app.

        Args:
            dispatcher: the dispatcher with the cache.
            methods: the RPCs of Connect calls.
            observer: records the requests.
            hosts: the allowed host names; None for any.
        """
        self._dispatcher = dispatcher
        self._methods = {method.path.encode(): method for method in methods if dispatcher.can_get_cached(method)}
        self._observer = observer
        self._hosts = hosts

    def handles(self, path: bytes) -> bool:
        """Whether the response to a POST to a path can be in the cache."""
        return path in self._methods

    def try_respond(self, path: bytes, scope: Scope, body: bytes, send: Callable[[HttpResponse], None]) -> bool:
        """Send the response to a POST if it is in the cache; return whether it is.

        Args:
            path: a path that ``handles`` is true for.
            scope: ASGI's; the fields of the request line may be missing.
            body: the whole body.
            send: sends a response, before it is logged and counted.
        """
        began = time.perf_counter()
        head = parse_once(scope, self._parse)
        if head is None:
            return False
        method = self._methods[path]
        key = (method.path, head.call.codec.name, body)
        found = self._dispatcher.get_cached(key, method, head.credentials, head.call.timeout)
        if found is None:
            # The app has to look again once it has authenticated the caller.
            if self._dispatcher.authenticates(method, head.credentials):
                scope["extensions"][NOT_CACHED] = {}
            return False
        principal, data = found
        if len(data) > MAX_UNSENT_BYTES:
            # The app sends it in parts, as the client reads them.
            return False
        context = self._observer.begin("connect", method.path, head.observed)
        context.began, context.status, context.actor = began, 200, principal.name
        headers = ((b"content-type", head.call.content_type), (ID_HEADER, context.request_id.encode()))
        try:
            send(HttpResponse(200, headers, data))
        finally:
            self._observer.end(context)
        return True

    def _parse(self, scope: Scope) -> _Head | None:
        """Return the parsed headers; None if the app has to respond, with an error or with more headers."""
        # Pages of other origins get CORS headers.
        if any(name == b"origin" for name, _ in scope["headers"]):
            return None
        if self._hosts is not None and not parse_once(scope, self._hosts.includes):
            return None
        try:
            call = parse_once(scope, parse_call)
        except (ResponseError, GatewayError):
            return None
        if call.gzipped:
            return None
        return _Head(call, parse_once(scope, credentials_of), parse_once(scope, observed_headers, self._observer))
