"""The gRPC server: every RPC of METHODS, health and reflection, on one port."""

from __future__ import annotations

import asyncio
import socket
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Final, cast
from urllib.parse import quote

import grpc
import grpc.aio
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import METHODS, Method
from gateway_entities.server.address import Address, address_unavailable
from gateway_entities.server.grpc_options import channel_options
from gateway_entities.server.grpc_sink import GrpcSink
from gateway_entities.server.health_service import HealthService
from gateway_entities.server.rpc.auth import Credentials, certificate_name
from gateway_entities.server.rpc.byte_budget import ByteBudget
from gateway_entities.server.rpc.codec import PROTO
from gateway_entities.server.rpc.dispatcher import Dispatcher
from gateway_entities.server.rpc.errors import internal_error
from gateway_entities.server.rpc.limits import DEFAULT_LIMITS, MAX_REQUEST_BYTES, Limits
from gateway_entities.server.rpc.receive_queue import ReceiveQueue
from gateway_entities.server.rpc.response_cache import CACHEABLE_METHODS
from gateway_entities.server.rpc.send_budget import SendBudget
from gateway_entities.server.socket_file import SocketFile, private_umask
from gateway_entities.server.telemetry.observer import Observer
from gateway_entities.server.telemetry.request_context import CURRENT, OK, REQUEST_ID, UNKNOWN_METHOD, set_error
from gateway_entities.server.tls import TlsContents

_STATUS: Final[dict[int, grpc.StatusCode]] = {status.value[0]: status for status in grpc.StatusCode}

_METADATA: Final[ContextVar[Sequence[tuple[str, str | bytes]]]] = ContextVar("metadata")
"""The metadata of this task's call. gRPC would make another copy of it."""

_PATHS: Final = frozenset(method.path for method in METHODS)

_ANY: Final = "::"
_ANY_IPV4: Final = "0.0.0.0"  # noqa: S104 - the operator has asked for it.
_MAX_OPEN_BYTES: Final = 4096
"""Maximum size of a message for health or reflection: the name of a service, a symbol or a file."""
_MAX_OPEN_STREAMS: Final = 1024
"""Maximum streams of health and reflection in flight: one for each connection of the default limit."""
_UNCOUNTED_BYTES: Final = 4096
"""Messages up to this size are not counted in the budgets: what surrounds them costs as much, and streams are limited."""
_CANCELLATION_DELAY_S: Final = 0.5
"""Seconds, at most, between the end of a cancelled stream and its cancellation."""

_STATUS_TIMEOUT_S: Final = 1.0
"""Seconds for the status of a stream to be sent. After that it is sent when, and if, the client reads."""

_SHUTDOWN_TIMEOUT_S: Final = 0.5
"""Seconds for calls to end once the dispatcher has none left: responses being sent, and health streams."""


class GrpcServer:
    """A gRPC server over a dispatcher. It runs on the event loop that it was created on, which may run in any thread."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        observer: Observer,
        tls: Callable[[], TlsContents] | None = None,
        *,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        """Create a server.

        Args:
            dispatcher: runs the calls.
            observer: records the calls.
            tls: returns the current contents of the TLS files, in any thread; None for no TLS.
            limits: the limits of connections and of memory.
        """
        self._tls = tls
        self._file: SocketFile | None = None
        interceptors = [_TelemetryInterceptor(observer), _OpenServices(_receive_queue(limits))]
        self._server = grpc.aio.server(options=channel_options(limits), interceptors=interceptors)
        calls = _Calls(dispatcher, observer, limits, has_certificates=tls is not None)
        services: dict[str, dict[str, grpc.RpcMethodHandler[Any, Any]]] = defaultdict(dict)
        for method in METHODS:
            # Neither a deserializer nor a serializer: the handler gets and returns bytes. On the wire a stream of requests
            # is the same as one request, but gRPC receives a message of it only when the handler reads it.
            create = (
                grpc.stream_stream_rpc_method_handler if method.server_streaming else grpc.stream_unary_rpc_method_handler
            )
            services[method.service][method.name] = create(calls.handler(method))
        self._health = HealthService(("", *services))
        self._server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler(name, handlers) for name, handlers in services.items()]
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection([*services, health.SERVICE_NAME, reflection.SERVICE_NAME], self._server)

    async def start(self, address: Address) -> int:
        """Listen and serve; return the port, 0 for a Unix socket, which has no TLS.

        Raises:
            GatewayError: UNAVAILABLE if the address is in use or not one of this machine, or the file cannot be made.
        """
        try:
            port = self._listen_on_file(address) if address.path else self._listen_on(address)
        except (RuntimeError, OSError):
            raise address_unavailable(address, "gRPC") from None
        self.set_ready(True)
        await self._server.start()
        return port

    def _listen_on(self, address: Address) -> int:
        if address.host == _ANY_IPV4:
            with _ipv6_reserved(address.port) as port:
                return self._listen(str(address._replace(port=port)))
        if address.host == _ANY:
            # Without every IPv6 address gRPC would be content with every IPv4 address.
            socket.create_server((_ANY, address.port), family=socket.AF_INET6, dualstack_ipv6=True).close()
        port = address.port
        for host in address.hosts:
            port = self._listen(str(Address(host, port)))
        return port

    def _listen(self, address: str) -> int:
        if self._tls is None:
            return self._server.add_insecure_port(address)
        return self._server.add_secure_port(address, _server_credentials(self._tls))

    def _listen_on_file(self, address: Address) -> int:
        file = SocketFile(address, "gRPC")
        # gRPC binds and listens in one step. It would take the file of a server that runs.
        with file.claimed() as path, private_umask():
            # It reads the path as that of a URI, in which a percent sign begins an escape.
            self._server.add_insecure_port(f"unix:{quote(path)}")
        self._file = file
        return 0

    def set_ready(self, ready: bool) -> None:
        """Set the health status of every service."""
        self._health.set_ready(ready)

    def drain(self) -> None:
        """Report NOT_SERVING from now on."""
        self._health.drain()

    async def stop(self) -> None:
        """Stop listening and end every call. The dispatcher is drained first."""
        await self._server.stop(_SHUTDOWN_TIMEOUT_S)
        if self._file is not None:
            self._file.remove()


def _server_credentials(tls: Callable[[], TlsContents]) -> grpc.ServerCredentials:
    """Return credentials that follow the TLS files. For one port: each of its handshakes asks for what has changed."""
    sent = tls()

    def fetch() -> grpc.ServerCertificateConfiguration | None:
        nonlocal sent
        current = tls()
        if current is sent:
            return None
        sent = current
        return _configuration(current)

    # Its type leaves out None, for no change.
    fetcher = cast("Callable[[], grpc.ServerCertificateConfiguration]", fetch)
    return grpc.dynamic_ssl_server_credentials(
        _configuration(sent), fetcher, require_client_authentication=sent.client_ca is not None
    )


def _configuration(contents: TlsContents) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(contents.key, contents.certificate)], contents.client_ca)


@contextmanager
def _ipv6_reserved(port: int) -> Generator[int]:
    """Keep gRPC, asked for every IPv4 address, from listening on every IPv6 address too; yield the port."""
    with ExitStack() as stack:
        # It fails if the port is in use there, or this machine has no IPv6; then gRPC cannot listen there either.
        with suppress(OSError):
            reserved = stack.enter_context(socket.socket(socket.AF_INET6))
            reserved.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            reserved.bind(("::", port))
            port = reserved.getsockname()[1]
        yield port


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
        metadata = handler_call_details.invocation_metadata or ()
        headers = {name: str(value) for name, value in metadata if name in names}
        known, unknown = (path, None) if handler else (UNKNOWN_METHOD, path)
        context = self._observer.begin("grpc", known, headers, unknown)
        if handler is None:
            context.code = Code.UNIMPLEMENTED.name
        elif path in _PATHS:
            # Until the call has ended in another way.
            context.code = Code.CANCELLED.name
        CURRENT.set(context)
        _METADATA.set(metadata)
        # This task is the call's own, and ends after the response has been sent.
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - this is a coroutine.
        task.add_done_callback(lambda _: self._observer.end(context))
        return handler


class _OpenServices(grpc.aio.ServerInterceptor):
    """Limits health and reflection, which need no token: their streams, and their messages, received a few at a time.

    By itself gRPC receives the messages of all calls together, each up to the size that the largest RPC needs.
    """

    def __init__(self, queue: ReceiveQueue) -> None:
        self._queue = queue
        self._streams = 0

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any] | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        """Return a handler that receives through the queue."""
        handler: Any = await continuation(handler_call_details)
        if handler is None or handler_call_details.method in _PATHS:
            return cast("grpc.RpcMethodHandler[Any, Any] | None", handler)

        is_stream = handler.response_streaming

        async def handle(_: object, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            self._streams += is_stream
            try:
                if is_stream and self._streams > _MAX_OPEN_STREAMS:
                    raise GatewayError(Code.RESOURCE_EXHAUSTED, "too many streams of health or reflection")
                return await self._respond(handler, context)
            except GatewayError as error:
                return await context.abort(_STATUS[error.code.number], error.message)
            finally:
                self._streams -= is_stream

        # A stream of requests as for the other RPCs, see GrpcServer.
        create = grpc.stream_stream_rpc_method_handler if is_stream else grpc.stream_unary_rpc_method_handler
        return create(handle, handler.request_deserializer, handler.response_serializer)

    async def _respond(self, handler: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        if handler.request_streaming:
            async for response in handler.stream_stream(self._messages(context), context):
                await context.write(response)
            return None
        message = await self._receive(context)
        if message is None:
            raise GatewayError(Code.INVALID_ARGUMENT, "the call has no request message")
        return await (handler.unary_stream if handler.response_streaming else handler.unary_unary)(message, context)

    async def _messages(self, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Message]:
        while (message := await self._receive(context)) is not None:
            yield message

    async def _receive(self, context: grpc.aio.ServicerContext[Any, Any]) -> Message | None:
        # Its type leaves out the end of the stream.
        read = cast("Callable[[], Awaitable[object]]", context.read)
        message = await self._queue.receive(read, context.peer)
        if not isinstance(message, Message):
            return None
        if message.ByteSize() > _MAX_OPEN_BYTES:
            raise GatewayError(Code.RESOURCE_EXHAUSTED, f"the message has more than {_MAX_OPEN_BYTES} bytes")
        return message


class _Calls:
    """The handlers of the RPCs, and the memory that their calls share."""

    def __init__(self, dispatcher: Dispatcher, observer: Observer, limits: Limits, *, has_certificates: bool) -> None:
        self._dispatcher = dispatcher
        self._observer = observer
        self._write_timeout = limits.stream_write_timeout_s
        self._has_certificates = has_certificates
        self._queue = _receive_queue(limits)
        self._requests = ByteBudget(_half(limits), "requests")
        self._responses = SendBudget(limits.response_bytes_in_flight)

    def handler(self, method: Method[Any, Any]) -> Callable[[object, grpc.aio.ServicerContext[Any, Any]], Awaitable[bytes]]:
        """Return the handler of an RPC. It returns the response, or nothing after a stream."""
        respond = self._stream if method.server_streaming else self._respond

        async def handle(_: object, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
            request = CURRENT.get()
            assert request is not None  # noqa: S101 - the interceptor has set it.
            trailers: tuple[tuple[str, str | bytes], ...] = ((REQUEST_ID, request.request_id),)
            try:
                response = await respond(method, context)
            except GatewayError as error:
                failure = error
            except asyncio.CancelledError:
                # The client is gone, or its deadline has passed, or its message is too large.
                if context.time_remaining() == 0:
                    request.code = Code.DEADLINE_EXCEEDED.name
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
            # The status waits behind the messages of a stream, which its client may never read.
            async with asyncio.timeout(_STATUS_TIMEOUT_S if method.server_streaming else None):
                return await context.abort(_STATUS[failure.code.number], failure.message, trailers)

        return handle

    async def _receive(
        self, method: Method[Any, Any], context: grpc.aio.ServicerContext[Any, Any]
    ) -> tuple[Credentials, bytes]:
        """Return the request, after authentication."""
        credentials = _credentials(context.auth_context() if self._has_certificates else {})
        await self._dispatcher.authenticate(method, credentials, context.time_remaining())
        # Its type leaves out the end of the stream.
        read = cast("Callable[[], Awaitable[object]]", context.read)
        body = await self._queue.receive(read, context.peer)
        if not isinstance(body, bytes):
            # The stream has ended without a message. gRPC cancels the call a moment later if the message is too large.
            set_error(GatewayError(Code.RESOURCE_EXHAUSTED, "the message is too large"))
            await asyncio.sleep(_CANCELLATION_DELAY_S)
            raise GatewayError(Code.INVALID_ARGUMENT, "the call has no request message", reason="NO_MESSAGE")
        return credentials, body

    async def _stream(self, method: Method[Any, Any], context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        request = CURRENT.get()
        assert request is not None  # noqa: S101 - the interceptor has set it.
        self._observer.begin_stream(request)
        credentials, body = await self._receive(method, context)
        with self._requests.lease() as lease:
            lease.grow(len(body))
            # A stream must not keep its request for hours.
            bodies = [body]
            del body

            def read() -> Any:
                decoded = PROTO.decode(bodies.pop(), method.request_type)
                lease.close()
                return decoded

            sink = GrpcSink(context, request, self._write_timeout)
            with closing(sink):
                await self._dispatcher.stream(method, credentials, read, sink, context.time_remaining())
        return b""

    async def _respond(self, method: Method[Any, Any], context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        credentials, body = await self._receive(method, context)
        self._responses.check(context.peer)
        if len(body) > _UNCOUNTED_BYTES:
            with self._requests.lease() as lease:
                lease.grow(len(body))
                response = await self._execute(method, credentials, body, context)
        else:
            response = await self._execute(method, credentials, body, context)
        if len(response) > _UNCOUNTED_BYTES:
            _at_end(self._responses.add(context.peer(), len(response), required=method not in CACHEABLE_METHODS))
        return response

    async def _execute(
        self, method: Method[Any, Any], credentials: Credentials, body: bytes, context: grpc.aio.ServicerContext[Any, Any]
    ) -> bytes:
        key = (method.path, PROTO.name, body)
        response = await self._dispatcher.revalidate_cached(key, method, credentials, context.time_remaining())
        if response is not None:
            return response
        work = _work(self._dispatcher, method, credentials, body)
        return await self._dispatcher.call(method, credentials, work, context.time_remaining())


def _work(dispatcher: Dispatcher, method: Method[Any, Any], credentials: Credentials, body: bytes) -> Callable[[], bytes]:
    def work() -> bytes:
        response, data = dispatcher.execute_encoded(
            method, credentials, lambda: PROTO.decode(body, method.request_type), PROTO
        )
        dispatcher.put_cached((method.path, PROTO.name, body), response, data)
        return data

    return work


def _at_end(function: Callable[[], None]) -> None:
    """Call a function when this task ends. A call's task ends after the response has been sent."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - this is a coroutine.
    task.add_done_callback(lambda _: function())


def _credentials(peer: Mapping[str, Iterable[bytes]]) -> Credentials:
    authorization = tuple(str(value) for name, value in _METADATA.get() if name == "authorization")
    if "x509_pem_cert" not in peer:
        return Credentials(authorization)
    names = (name.decode(errors="replace") for name in peer.get("x509_common_name", ()))
    return Credentials(authorization, certificate_name(names))


def _half(limits: Limits) -> int:
    """Of the budget, one half is for messages that are being received, and one for those received."""
    return max(limits.request_bytes_in_flight // 2, MAX_REQUEST_BYTES)


def _receive_queue(limits: Limits) -> ReceiveQueue:
    # Each message may be the largest possible.
    slots = _half(limits) // MAX_REQUEST_BYTES
    return ReceiveQueue(slots, limits.grpc_request_timeout_s, limits.grpc_waiting_requests)
