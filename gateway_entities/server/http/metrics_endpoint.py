"""``GET /metrics``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.types import Receive, Scope

from gateway_entities.errors import GatewayError
from gateway_entities.server.http.asgi import credentials_of
from gateway_entities.server.http.connect import HttpResponse, error_reply
from gateway_entities.server.rpc.auth import Credentials
from gateway_entities.server.telemetry.metrics import Metrics


class MetricsPage:
    """Shows metrics to whoever may see them, also while calls are refused or the store is away."""

    def __init__(self, metrics: Metrics, admit: Callable[[Credentials], object]) -> None:
        """Take the metrics, and what raises for a caller who may not see them; it runs in a worker thread."""
        self._metrics = metrics
        self._admit = admit

    async def reply(self, scope: Scope, receive: Receive) -> HttpResponse:  # noqa: ARG002 - RpcProtocol's signature.
        """Answer a request; see :meth:`gateway_entities.server.http.asgi.RpcProtocol.reply`."""
        credentials = credentials_of(scope)
        accept = b",".join(value for name, value in scope["headers"] if name == b"accept").decode("latin-1")

        def show() -> tuple[bytes, str]:
            self._admit(credentials)
            return self._metrics.show(accept)

        text, content_type = await asyncio.to_thread(show)
        return HttpResponse(200, ((b"content-type", content_type.encode()),), text)

    def error_reply(self, error: GatewayError) -> HttpResponse:
        """Return an error in Connect's form."""
        return error_reply(error)
