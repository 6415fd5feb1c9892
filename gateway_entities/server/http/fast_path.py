"""Connect calls whose answers are known, answered before anything else is set in motion for them.

The ASGI app answers the same calls in the same way. But its task, and the layers on the way to it, take several times as
long as an answer that is there already.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from starlette.types import Scope

from gateway_entities.errors import GatewayError
from gateway_entities.methods import Method
from gateway_entities.server.http.allowed_hosts import AllowedHosts
from gateway_entities.server.http.asgi import credentials_of
from gateway_entities.server.http.connect import BadCallError, HttpResponse, read_headers
from gateway_entities.server.http.telemetry import ID_HEADER, headers_for
from gateway_entities.server.rpc.dispatcher import Dispatcher
from gateway_entities.server.telemetry.observer import Observer


class CachedResponder:
    """Answers of one dispatcher. For the event loop."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        methods: Iterable[Method[Any, Any]],
        *,
        observer: Observer | None,
        hosts: AllowedHosts | None,
    ) -> None:
        """Take the same as the app.

        Args:
            dispatcher: what knows the answers.
            methods: the RPCs.
            observer: who hears of the requests that are answered.
            hosts: the host names that requests may have been sent to; None for any.
        """
        self._dispatcher = dispatcher
        self._methods = {method.path.encode(): method for method in methods}
        self._observer = observer
        self._hosts = hosts

    def may_know(self, path: bytes) -> bool:
        """Tell whether the answer to a POST to a path may be known."""
        return path in self._methods

    def reply(self, path: bytes, scope: Scope, body: bytes) -> HttpResponse | None:
        """Return the answer to a POST, with all headers but content-length; None when the app has to answer.

        Args:
            path: one that may be known.
            scope: ASGI's, without what follows from the request's first line.
            body: the request's, whole.
        """
        began = time.perf_counter()
        headers = scope["headers"]
        # Pages of other origins get more headers, or none of it.
        if any(name == b"origin" for name, _ in headers) or not (self._hosts is None or self._hosts.include(headers)):
            return None
        try:
            call = read_headers(headers)
        except (BadCallError, GatewayError):
            return None
        if call.gzipped:
            return None
        method = self._methods[path]
        key = (method.path, call.codec.name, body)
        found = self._dispatcher.known_at_once(key, method, credentials_of(scope), call.timeout)
        if found is None:
            return None
        admitted, data = found
        type_header = (b"content-type", call.content_type)
        if self._observer is None:
            return HttpResponse(200, (type_header,), data)
        exchange = self._observer.begin("connect", method.path, headers_for(self._observer, headers))
        exchange.began, exchange.status, exchange.actor = began, 200, admitted.name
        self._observer.end(exchange)
        return HttpResponse(200, (type_header, (ID_HEADER, exchange.request_id.encode())), data)
