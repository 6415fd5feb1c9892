"""The gRPC server: every RPC of METHODS, health and reflection, on one port."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

import grpc
import grpc.aio
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import METHODS, Method
from gateway_entities.server.address import Address, address_unavailable
from gateway_entities.server.rpc.auth import Credentials, certificate_name
from gateway_entities.server.rpc.codec import PROTO
from gateway_entities.server.rpc.dispatcher import Dispatcher
from gateway_entities.server.rpc.errors import internal_error
from gateway_entities.server.rpc.limits import MAX_HEADER_BYTES, MAX_REQUEST_BYTES, MAX_STREAMS
from gateway_entities.server.telemetry.observer import Observer
from gateway_entities.server.telemetry.request_context import CURRENT, OK, REQUEST_ID, UNKNOWN_METHOD, set_error
from gateway_entities.server.tls import LoadedTls

_STATUS: Final[dict[int, grpc.StatusCode]] = {status.value[0]: status for status in grpc.StatusCode}

_PATHS: Final = frozenset(method.path for method in METHODS)

_OPTIONS: Final = (
    ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
    # Between two different sizes gRPC refuses some requests at random.
    ("grpc.max_metadata_size", MAX_HEADER_BYTES),
    ("grpc.absolute_max_metadata_size", MAX_HEADER_BYTES),
    ("grpc.max_concurrent_streams", MAX_STREAMS),
    # By default a second server can share the port, and each gets some of the calls.
    ("grpc.so_reuseport", 0),
    # Calls wait in the dispatcher. By default gRPC cancels some once 1000 wait for the event loop, and clients do not retry
    # cancelled calls.
    ("grpc.server.max_pending_requests", 100_000),
    ("grpc.server.max_pending_requests_hard_limit", 100_000),
)

_SHUTDOWN_TIMEOUT_S: Final = 0.5
"""Seconds for calls to end once the dispatcher has none left: responses being sent, and health streams."""


class GrpcServer:
    """A gRPC server over a dispatcher. It runs on the event loop that it was created on, which may run in any thread."""

    def __init__(self, dispatcher: Dispatcher, observer: Observer, tls: LoadedTls | None = None) -> None:
        """Create a server.

        Args:
            dispatcher: runs the calls.
            observer: records the calls.
            tls: the TLS files; None for no TLS.
        """
        self._tls = tls
        self._health = health.aio.HealthServicer()
        self._server = grpc.aio.server(options=_OPTIONS, interceptors=[_TelemetryInterceptor(observer)])
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
            GatewayError: UNAVAILABLE if the address is in use or not one of this machine.
        """
        try:
            port = self._listen(str(address))
        except RuntimeError:
            raise address_unavailable(address, "gRPC") from None
        await self.set_ready(True)
        await self._server.start()
        return port

    def _listen(self, address: str) -> int:
        if self._tls is None:
            return self._server.add_insecure_port(address)
        pair = (self._tls.key, self._tls.certificate)
        client_ca = self._tls.client_ca
        return self._server.add_secure_port(
            address, grpc.ssl_server_credentials([pair], client_ca, require_client_auth=client_ca is not None)
        )

    async def set_ready(self, ready: bool) -> None:
        """Set the health status of every service."""
        status = health_pb2.HealthCheckResponse.SERVING if ready else health_pb2.HealthCheckResponse.NOT_SERVING
        for service in ("", *self._services):
            await self._health.set(service, status)

    async def drain(self) -> None:
        """Report NOT_SERVING from now on."""
        await self._health.enter_graceful_shutdown()

    async def stop(self) -> None:
        """Stop listening and end every call. The dispatcher is drained first."""
        await self._server.stop(_SHUTDOWN_TIMEOUT_S)


class _TelemetryInterceptor(grpc.aio.ServerInterceptor):
    """Reports every call to an observer, also those that no handler receives."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Pass a call on."""
        handler = await continuation(handler_call_details)
        path: str = handler_call_details.method
        names = self._observer.headers
        metadata = handler_call_details.invocation_metadata
        headers = {name: str(value) for name, value in metadata if name in names}
        context = self._observer.begin("grpc", path if handler else UNKNOWN_METHOD, headers)
        if handler is None:
            context.code = Code.UNIMPLEMENTED.name
        elif path in _PATHS:
            # The handler overwrites it, unless it is not called: the request is too large.
            context.code = Code.RESOURCE_EXHAUSTED.name
        CURRENT.set(context)
        # This task is the call's own, and ends after the response has been sent.
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - this is a coroutine.
        task.add_done_callback(lambda _: self._observer.end(context))
        return handler


def _handler(
    dispatcher: Dispatcher, method: Method[Any, Any]
) -> Callable[[bytes, grpc.aio.ServicerContext[Any, Any]], Awaitable[bytes]]:
    def work(body: bytes, credentials: Credentials) -> bytes:
        response = dispatcher.execute(method, credentials, lambda: PROTO.decode(body, method.request_type))
        data = PROTO.encode(response)
        dispatcher.put_cached((method.path, PROTO.name, body), response, data)
        return data

    async def handle(body: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        request = CURRENT.get()
        assert request is not None  # noqa: S101 - the interceptor has set it.
        trailers: tuple[tuple[str, str | bytes], ...] = ((REQUEST_ID, request.request_id),)
        try:
            credentials = _credentials(context)
            key = (method.path, PROTO.name, body)
            response = await dispatcher.revalidate_cached(key, method, credentials, context.time_remaining())
            if response is None:
                timeout = context.time_remaining()
                response = await dispatcher.call(method, credentials, lambda: work(body, credentials), timeout)
        except GatewayError as error:
            failure = error
        except asyncio.CancelledError:
            # The client is gone, or its deadline has passed.
            request.code = (Code.DEADLINE_EXCEEDED if context.time_remaining() == 0 else Code.CANCELLED).name
            raise
        except Exception as error:
            failure = internal_error(error, method.path)
        else:
            request.code = OK
            context.set_trailing_metadata(trailers)
            return response
        set_error(failure)
        status = Status(code=failure.code.number, message=failure.message, details=failure.details())
        trailers = (*trailers, ("grpc-status-details-bin", status.SerializeToString()))
        return await context.abort(_STATUS[failure.code.number], failure.message, trailers)

    return handle


def _credentials(context: grpc.aio.ServicerContext[Any, Any]) -> Credentials:
    metadata = context.invocation_metadata() or ()
    authorization = tuple(str(value) for name, value in metadata if name == "authorization")
    peer: Mapping[str, Iterable[bytes]] = context.auth_context()
    if "x509_pem_cert" not in peer:
        return Credentials(authorization)
    names = (name.decode(errors="replace") for name in peer.get("x509_common_name", ()))
    return Credentials(authorization, certificate_name(names))
