"""gRPC, over grpcio."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import quote

import grpc
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import Method
from gateway_entities.transports.authorities import system_authorities
from gateway_entities.transports.channels import Channels, Link
from gateway_entities.transports.deadline import Deadline, LoopAffinity, closed, deadline_exceeded, stream_closed
from gateway_entities.transports.fork import reset_in_children
from gateway_entities.transports.metadata import headers
from gateway_entities.transports.target import UNTRUSTED_CERTIFICATE, Target
from gateway_entities.transports.tls import Tls

_DETAILS_KEY = "grpc-status-details-bin"

_UNTRUSTED = ("CERTIFICATE_VERIFY_FAILED", "Hostname Verification Check failed")
"""grpcio reports certificates that are not trusted in the text of the error alone."""

_STREAM_REMOVED = "Stream removed"
"""The beginning of grpcio's text for a call that ended without a status: the server or the network has dropped it."""

_OPTIONS: tuple[tuple[str, int | str], ...] = (
    # Lists have no size limit. An error lists all violations of a request, in a header.
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_metadata_size", 16 << 20),
    ("grpc.absolute_max_metadata_size", 16 << 20),
    # While a channel waits to reconnect, it fails every call. The default of 1 to 120 seconds is too long for a restarted
    # server.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
    # Otherwise channels to one address share a connection and its backoff, and fail together.
    ("grpc.use_local_subchannel_pool", 1),
    # gRPC's own choice of a proxy differs from that of the HTTP transports: it sends calls to loopback through one too.
    ("grpc.enable_http_proxy", 0),
    # DNS could name another policy for the calls of this client.
    ("grpc.service_config_disable_resolution", 1),
    # A flow that the network has dropped is noticed within 30 seconds, by a ping, or by TCP_USER_TIMEOUT, which gRPC sets to
    # the second number. Between calls too, and however long there are none: by default gRPC stops after two pings.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # Round robin reconnects whenever a connection ends, so a client without calls would stay connected for ever.
    ("grpc.client_idle_timeout_ms", 120_000),
)

_BALANCED: tuple[tuple[str, int | str], ...] = (("grpc.service_config", '{"loadBalancingConfig": [{"round_robin": {}}]}'),)
"""For a name: calls go to all its addresses in turn. Round robin reconnects by itself, and when that fails, calls fail until
the next attempt; so one address is better met by the next call, which finds a restarted server."""


class GrpcTransport:
    """A channel to one target. It connects at the first call, and reconnects after a lost connection."""

    deduplicates = True

    def __init__(self, target: Target, tls: Tls | None = None) -> None:
        self._channels = Channels(_connector(target, tls))

    def call(
        self, method: Method[Any, Any], request: bytes, *, timeout: float | None, metadata: Mapping[str, str] | None
    ) -> bytes:
        """Make one call; see :meth:`gateway_entities.transports.base.Transport.call`."""
        left, sent = Deadline(timeout).remaining(), headers(metadata)
        link = self._channels.begin()
        began = time.monotonic()
        code: Code | None = Code.CANCELLED
        try:
            response = _callable(link, method.path)(request, left, sent)
            code = None
            return response
        except grpc.RpcError as error:
            fault = _error(cast(grpc.Call, error))
            code = fault.code
        except ValueError:
            # grpcio raises it for a closed channel.
            if not self._channels.is_closed:
                raise
            fault = closed()
        finally:
            _end(self._channels, link, began, code)
        raise closed() if self._channels.is_closed and fault.code is Code.CANCELLED else fault

    def stream(
        self, method: Method[Any, Any], request: bytes, *, timeout: float | None, metadata: Mapping[str, str] | None
    ) -> GrpcStream:
        """Return the responses of a call; see :meth:`gateway_entities.transports.base.Transport.stream`."""
        return GrpcStream(self._channels, method, request, Deadline(timeout), headers(metadata))

    def close(self) -> None:
        """Close the channel; see :meth:`gateway_entities.transports.base.Transport.close`."""
        for channel in self._channels.close():
            channel.close()


class AsyncGrpcTransport:
    """The asyncio counterpart, over the same channels and not those of grpc.aio.

    Once a process has used grpc.aio, a thread of that is always inside gRPC, and no forked child can use gRPC.
    """

    deduplicates = True

    def __init__(self, target: Target, tls: Tls | None = None) -> None:
        self._channels = Channels(_connector(target, tls))
        self._loop = LoopAffinity()
        reset_in_children(self)

    async def call(
        self, method: Method[Any, Any], request: bytes, *, timeout: float | None, metadata: Mapping[str, str] | None
    ) -> bytes:
        """Make one call; see :meth:`gateway_entities.transports.base.AsyncTransport.call`."""
        left, sent = Deadline(timeout).remaining(), headers(metadata)
        self._loop.check()
        link = self._channels.begin()
        began = time.monotonic()
        try:
            call = _callable(link, method.path).future(request, left, sent)
        except BaseException as error:
            _end(self._channels, link, began, Code.CANCELLED)
            if self._channels.is_closed and isinstance(error, ValueError):
                raise closed() from None
            raise
        loop = asyncio.get_running_loop()
        done = loop.create_future()

        def ended(_: object) -> None:
            # In a thread of grpcio's.
            _end(self._channels, link, began, _code(call))
            # The loop may have ended without waiting for the call.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_resolve, done)

        call.add_done_callback(ended)
        try:
            await done
        except asyncio.CancelledError:
            call.cancel()
            raise
        if call.code() is grpc.StatusCode.OK:
            return call.result()
        fault = _error(call)
        raise closed() if self._channels.is_closed and fault.code is Code.CANCELLED else fault

    def stream(
        self, method: Method[Any, Any], request: bytes, *, timeout: float | None, metadata: Mapping[str, str] | None
    ) -> AsyncGrpcStream:
        """Return the responses of a call; see :meth:`gateway_entities.transports.base.AsyncTransport.stream`."""
        self._loop.check()
        return AsyncGrpcStream(GrpcStream(self._channels, method, request, Deadline(timeout), headers(metadata)))

    async def close(self) -> None:
        """Close the channel; see :meth:`gateway_entities.transports.base.AsyncTransport.close`."""
        for channel in self._channels.close():
            channel.close()

    def reset_after_fork(self) -> None:
        """Forget the parent's event loop."""
        self._loop = LoopAffinity()


class GrpcStream:
    """A stream of messages; see :class:`gateway_entities.transports.base.MessageStream`."""

    def __init__(
        self,
        channels: Channels[grpc.Channel],
        method: Method[Any, Any],
        request: bytes,
        deadline: Deadline,
        metadata: tuple[tuple[str, str], ...],
    ) -> None:
        self._channels, self._path, self._request = channels, method.path, request
        self._deadline, self._metadata = deadline, metadata
        self._link: Link[grpc.Channel] | None = None
        self._call: Any = None
        self._ended: GatewayError | None = None
        self._is_over = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if self._is_over:
            raise StopIteration
        self._is_over = True
        if self._ended is not None:
            # The call may be that of a parent process.
            raise self._ended
        try:
            call = self._call or self._begin()
            message: bytes = next(call)
        except grpc.RpcError as error:
            fault = self._ended or _error(cast(grpc.Call, error))
            if self._channels.is_closed and fault.code is Code.CANCELLED:
                fault = closed()
        else:
            self._is_over = False
            if self._link is not None:
                self._link.heard_at = time.monotonic()
            return message
        raise fault

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the stream."""
        self.end(stream_closed())

    @property
    def has_ended(self) -> bool:
        """Whether it was closed, or ended by a fork."""
        return self._ended is not None

    def end(self, error: GatewayError) -> None:
        """End the stream, in any thread. A second end does nothing."""
        # After a fork it is the parent's.
        if self._ended is not None:
            return
        # Without a lock, which a fork could find taken: a call that begins meanwhile looks for the error when it has begun.
        self._ended = error
        call = self._call
        if call is not None:
            call.cancel()

    def __del__(self) -> None:
        self.close()

    def _begin(self) -> Any:
        channels, (link, key) = self._channels, self._channels.begin_stream(self)
        began = time.monotonic()
        try:
            call: Any = cast("Any", link.channel).unary_stream(self._path)(
                self._request, self._deadline.remaining(), self._metadata
            )
        except BaseException as error:
            _close(channels.end_stream(key, link, began, Code.CANCELLED))
            if channels.is_closed and isinstance(error, ValueError):
                raise closed() from None
            raise
        self._link, self._call = link, call

        # Not a method of the stream, which gRPC would keep alive.
        def end(ended: grpc.Call) -> None:
            _close(channels.end_stream(key, link, began, _code(ended)))

        call.add_done_callback(end)
        if self._ended is not None:
            call.cancel()
        return call


class AsyncGrpcStream:
    """A stream of messages; see :class:`gateway_entities.transports.base.AsyncMessageStream`.

    A thread waits for them, which is inside gRPC only when a message has been asked for.
    """

    def __init__(self, stream: GrpcStream) -> None:
        self._stream = stream
        self._requests: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        message = next(self._stream, None) if self._stream.has_ended else await self._wait()
        if message is None:
            raise StopAsyncIteration
        return message

    async def _wait(self) -> bytes | None:
        if self._thread is None:
            self._thread = threading.Thread(
                target=_read_when_asked, args=(self._stream, self._requests), name="gateway-stream", daemon=True
            )
            self._thread.start()
        loop = asyncio.get_running_loop()
        waiting: _Waiting = loop, loop.create_future()
        self._requests.put(waiting)
        message = None
        try:
            message = await waiting[1]
        finally:
            if message is None:
                self._end()
        return message

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the stream."""
        self._end()

    def __del__(self) -> None:
        self._end()

    def _end(self) -> None:
        self._stream.close()
        self._requests.put(None)


_Waiting = tuple[asyncio.AbstractEventLoop, "asyncio.Future[bytes | None]"]


def _read_when_asked(stream: GrpcStream, requests: queue.SimpleQueue[_Waiting | None]) -> None:
    while (waiting := requests.get()) is not None:
        loop, done = waiting
        message, error = None, None
        try:
            message = next(stream, None)
        except Exception as failure:
            error = failure
        # The loop may have ended without waiting for the message.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_settle, done, message, error)


def _settle(done: asyncio.Future[bytes | None], message: bytes | None, error: Exception | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(message)
    else:
        done.set_exception(error)


def _connector(target: Target, tls: Tls | None) -> Callable[[], grpc.Channel]:
    """Return a function that creates a channel."""
    # gRPC reads the path as that of a URI, in which a percent sign begins an escape.
    address = f"unix:{quote(target.socket_path)}" if target.socket_path else target.authority
    options = _OPTIONS + _BALANCED if _is_name(target.host) else _OPTIONS
    if not target.secure:
        return lambda: grpc.insecure_channel(address, options)
    key, certificate = (None, None) if tls is None else (tls.key, tls.certificate)
    # gRPC's own default is a list inside grpcio.
    authorities = system_authorities() if tls is None or tls.ca is None else tls.ca
    return lambda: grpc.secure_channel(address, grpc.ssl_channel_credentials(authorities, key, certificate), options)


def _is_name(host: str) -> bool:
    """Whether a host may have several addresses. ``localhost`` has two, of which often one has no server."""
    try:
        ip_address(host)
    except ValueError:
        return host.lower() != "localhost"
    return False


def _callable(link: Link[grpc.Channel], path: str) -> grpc.UnaryUnaryMultiCallable[bytes, bytes]:
    found: grpc.UnaryUnaryMultiCallable[bytes, bytes] | None = link.callables.get(path)
    if found is None:
        found = link.channel.unary_unary(path)
        link.callables[path] = found
    return found


def _end(channels: Channels[grpc.Channel], link: Link[grpc.Channel], began: float, code: Code | None) -> None:
    _close(channels.end(link, began, code))


def _close(unused: grpc.Channel | None) -> None:
    if unused is not None:
        unused.close()


def _code(call: grpc.Call) -> Code | None:
    status = call.code()
    return None if status is grpc.StatusCode.OK else Code.from_number(status.value[0])


def _resolve(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)


def _error(call: grpc.Call) -> GatewayError:
    """Return the error of a failed call, from the server or from grpcio."""
    code, message = Code.from_number(call.code().value[0]), call.details()
    described = Status()
    for key, value in call.trailing_metadata() or ():
        if key == _DETAILS_KEY and isinstance(value, bytes):
            try:
                described.ParseFromString(value)
            except DecodeError:
                described.Clear()
    if code is Code.DEADLINE_EXCEEDED and not described.code:
        return deadline_exceeded()
    if code in {Code.UNKNOWN, Code.INTERNAL} and not described.code and (message or "").startswith(_STREAM_REMOVED):
        return GatewayError(Code.UNAVAILABLE, f"the call ended without a status: {message}")
    if code is Code.UNAVAILABLE and not described.code and any(text in (message or "") for text in _UNTRUSTED):
        return GatewayError(code, message or "", reason=UNTRUSTED_CERTIFICATE)
    return GatewayError.from_details(code, message or code.name.lower().replace("_", " "), described.details)
