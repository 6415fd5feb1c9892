"""The gRPC edge: every RPC of METHODS, health and reflection, on one port."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, Final

import grpc
import grpc.aio
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from gateway_entities.errors import GatewayError
from gateway_entities.methods import METHODS, Method
from gateway_entities.server.address import Address, cannot_listen
from gateway_entities.server.codec import PROTO
from gateway_entities.server.dispatch import Dispatcher
from gateway_entities.server.failure import internal_error
from gateway_entities.server.limits import MAX_REQUEST_BYTES

_STATUS: Final[dict[int, grpc.StatusCode]] = {status.value[0]: status for status in grpc.StatusCode}

_OPTIONS: Final = (
    ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
    # Without this a second server may share a port that is taken, and each gets some of the calls.
    ("grpc.so_reuseport", 0),
    # Calls wait in the dispatcher. By default gRPC cancels some once 1000 wait for the event loop, and a client does not
    # repeat a cancelled call.
    ("grpc.server.max_pending_requests", 100_000),
    ("grpc.server.max_pending_requests_hard_limit", 100_000),
)

_LAST_STREAMS_SECONDS: Final = 0.5
"""How long calls may take to end once the dispatcher has none left: answers on their way, and streams of health."""


class GrpcEdge:
    """A gRPC server over a dispatcher. It lives on the event loop that it was made on, which may run in any thread."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._health = health.aio.HealthServicer()
        self._server = grpc.aio.server(options=_OPTIONS)
        services: dict[str, dict[str, grpc.RpcMethodHandler[Any, Any]]] = defaultdict(dict)
        for method in METHODS:
            # Neither a deserializer nor a serializer: the handler gets and returns bytes.
            services[method.service][method.name] = grpc.unary_unary_rpc_method_handler(_handler(dispatcher, method))
        self._services = tuple(services)
        self._server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler(name, handlers) for name, handlers in services.items()]
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection([*services, health.SERVICE_NAME, reflection.SERVICE_NAME], self._server)

    async def start(self, address: Address) -> int:
        """Listen and serve; return the port.

        Raises:
            GatewayError: UNAVAILABLE, if the address is taken or is not this machine's.
        """
        try:
            port = self._server.add_insecure_port(str(address))
        except RuntimeError:
            raise cannot_listen(address, "gRPC") from None
        for service in self._services:
            await self._health.set(service, health_pb2.HealthCheckResponse.SERVING)
        await self._server.start()
        return port

    async def drain(self) -> None:
        """Report NOT_SERVING to whoever asks for health or watches it."""
        await self._health.enter_graceful_shutdown()

    async def stop(self) -> None:
        """Stop listening and end every call. The dispatcher is drained first."""
        await self._server.stop(_LAST_STREAMS_SECONDS)


def _handler(
    dispatcher: Dispatcher, method: Method[Any, Any]
) -> Callable[[bytes, grpc.aio.ServicerContext[Any, Any]], Awaitable[bytes]]:
    def work(body: bytes) -> bytes:
        return PROTO.encode(dispatcher.serve(method, PROTO.decode(body, method.request_type)))

    async def answer(body: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        try:
            return await dispatcher.run(lambda: work(body), context.time_remaining(), during=method.path)
        except GatewayError as error:
            failure = error
        except Exception as error:
            failure = internal_error(error, method.path)
        status = Status(code=failure.code.number, message=failure.message, details=failure.details())
        trailers = (("grpc-status-details-bin", status.SerializeToString()),)
        return await context.abort(_STATUS[failure.code.number], failure.message, trailers)

    return answer
