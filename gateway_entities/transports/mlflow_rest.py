"""MLflow's REST dialect, to an MLflow server. One call may take several HTTP requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import Method
from gateway_entities.mlflow_rest import exchange
from gateway_entities.mlflow_rest.plans import plan
from gateway_entities.mlflow_rest.steps import Step
from gateway_entities.transports.deadline import Deadline
from gateway_entities.transports.http1.pool import AsyncConnectionPool, ConnectionPool, HttpRequest
from gateway_entities.transports.metadata import headers
from gateway_entities.transports.target import Target
from gateway_entities.transports.tls import Tls


class MlflowTransport:
    """Calls over a pool of connections to one server."""

    deduplicates = False

    def __init__(self, target: Target, tls: Tls | None = None) -> None:
        self._target = target
        self._pool = ConnectionPool(target, tls)

    def call(
        self, method: Method[Any, Any], request: bytes, *, timeout: float | None, metadata: Mapping[str, str] | None
    ) -> bytes:
        """Make one call; see :meth:`gateway_entities.transports.base.Transport.call`."""
        deadline = Deadline(timeout)
        steps = plan(method, method.request_type.FromString(request))
        response: Any = None
        while True:
            try:
                step: Step = steps.send(response)
            except StopIteration as end:
                result: bytes = end.value.SerializeToString()
                return result
            received = self._pool.request(_request(self._target, step, metadata), deadline)
            response = exchange.read(step, received.status, received.body)

    def stream(self, method: Method[Any, Any], request: bytes, **options: object) -> NoReturn:  # noqa: ARG002 - a Transport's.
        """Refuse a stream: MLflow has none.

        Raises:
            GatewayError: UNIMPLEMENTED.
        """
        raise GatewayError(Code.UNIMPLEMENTED, f"MLflow's REST API has no {method.name}", reason="NO_STREAMS")

    def close(self) -> None:
        """Close every connection; see :meth:`gateway_entities.transports.base.Transport.close`."""
        self._pool.close()


class AsyncMlflowTransport:
    """The asyncio counterpart. The connections belong to the event loop of the first call."""

    deduplicates = False

    def __init__(self, target: Target, tls: Tls | None = None) -> None:
        self._target = target
        self._pool = AsyncConnectionPool(target, tls)

    async def call(
        self, method: Method[Any, Any], request: bytes, *, timeout: float | None, metadata: Mapping[str, str] | None
    ) -> bytes:
        """Make one call; see :meth:`gateway_entities.transports.base.AsyncTransport.call`."""
        deadline = Deadline(timeout)
        steps = plan(method, method.request_type.FromString(request))
        response: Any = None
        while True:
            try:
                step: Step = steps.send(response)
            except StopIteration as end:
                result: bytes = end.value.SerializeToString()
                return result
            received = await self._pool.request(_request(self._target, step, metadata), deadline)
            response = exchange.read(step, received.status, received.body)

    def stream(self, method: Method[Any, Any], request: bytes, **options: object) -> NoReturn:  # noqa: ARG002 - a Transport's.
        """Refuse a stream: MLflow has none.

        Raises:
            GatewayError: UNIMPLEMENTED.
        """
        raise GatewayError(Code.UNIMPLEMENTED, f"MLflow's REST API has no {method.name}", reason="NO_STREAMS")

    async def close(self) -> None:
        """Close every connection; see :meth:`gateway_entities.transports.base.AsyncTransport.close`."""
        await self._pool.close()


def _request(target: Target, step: Step, metadata: Mapping[str, str] | None) -> HttpRequest:
    sent = exchange.write(step)
    lines = [("host", target.authority), *headers(metadata)]
    if sent.body:
        lines.append(("content-type", "application/json"))
    return HttpRequest(sent.verb, target.prefix + sent.path, lines, sent.body)
