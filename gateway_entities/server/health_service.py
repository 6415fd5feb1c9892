"""The service ``grpc.health.v1.Health``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final, cast

from grpc_health.v1 import health_pb2, health_pb2_grpc

from gateway_entities.errors import Code, GatewayError

_SERVING: Final = health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)
_NOT_SERVING: Final = health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.NOT_SERVING)
_UNKNOWN: Final = health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVICE_UNKNOWN)


class HealthService(health_pb2_grpc.HealthServicer):
    """The health of some services, for one event loop.

    Unlike in gRPC's own servicer, a watcher that reads nothing delays neither other watchers nor a change.
    """

    def __init__(self, services: Iterable[str]) -> None:
        """Create it, with no service ready.

        Args:
            services: the names of the services.
        """
        self._statuses = dict.fromkeys(services, _NOT_SERVING)
        # Of the next change; each has an event of its own.
        self._changed = asyncio.Event()
        self._is_drained = False

    def set_ready(self, ready: bool) -> None:
        """Set the status of every service. After ``drain`` it does nothing."""
        if not self._is_drained:
            self._set(_SERVING if ready else _NOT_SERVING)

    def drain(self) -> None:
        """Report NOT_SERVING from now on."""
        self._is_drained = True
        self._set(_NOT_SERVING)

    def _set(self, status: health_pb2.HealthCheckResponse) -> None:
        self._statuses = dict.fromkeys(self._statuses, status)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def Check(  # noqa: N802 - the name of the RPC.
        self,
        request: health_pb2.HealthCheckRequest,
        context: object,  # noqa: ARG002 - gRPC's signature.
    ) -> health_pb2.HealthCheckResponse:
        """Return the status of a service.

        Raises:
            GatewayError: NOT_FOUND.
        """
        status = self._statuses.get(request.service)
        if status is None:
            raise GatewayError(Code.NOT_FOUND, "no such service")
        return status

    async def List(self, request: object, context: object) -> Any:  # noqa: ARG002, N802 - gRPC's signature.
        """Return the status of each service."""
        # Its types leave this RPC out.
        return cast("Any", health_pb2).HealthListResponse(statuses=self._statuses)

    async def Watch(self, request: health_pb2.HealthCheckRequest, context: Any) -> None:  # noqa: N802 - the name of the RPC.
        """Send the status of a service now and after each change."""
        last = None
        while True:
            changed = self._changed
            status = self._statuses.get(request.service, _UNKNOWN)
            if status != last:
                await context.write(status)
                last = status
            else:
                await changed.wait()
