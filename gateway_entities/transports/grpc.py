"""gRPC, over grpcio."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, cast
from urllib.parse import quote

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import Method
from gateway_entities.transports.deadline import Deadline, LoopAffinity, closed, deadline_exceeded
from gateway_entities.transports.metadata import headers
from gateway_entities.transports.target import UNTRUSTED_CERTIFICATE, Target
from gateway_entities.transports.tls import Tls

_DETAILS_KEY = "grpc-status-details-bin"

_UNTRUSTED = ("CERTIFICATE_VERIFY_FAILED", "Hostname Verification Check failed")
"""grpcio reports certificates that are not trusted in the text of the error alone."""

_OPTIONS: tuple[tuple[str, int], ...] = (
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
)


class GrpcTransport:
    """A channel to one server. It connects at the first call, and reconnects after a lost connection."""

    deduplicates = True

    def __init__(self, target: Target, tls: Tls | None = None) -> None:
        if target.secure:
            self._channel = grpc.secure_channel(_address(target), _credentials(tls), _OPTIONS)
        else:
            self._channel = grpc.insecure_channel(_address(target), _OPTIONS)
        self._callables: dict[str, grpc.UnaryUnaryMultiCallable[bytes, bytes]] = {}
        self._closed = False

    def call(
        self, method: Method[Any, Any], request: bytes, *, timeout: float | None, metadata: Mapping[str, str] | None
    ) -> bytes:
        """Make one call; see :meth:`gateway_entities.transports.base.Transport.call`."""
        left = Deadline(timeout).remaining()
        try:
            send = self._callables.get(method.path)
            if send is None:
                send = self._callables[method.path] = self._channel.unary_unary(method.path)
            return send(request, left, headers(metadata))
        except grpc.RpcError as error:
            failed = cast(grpc.Call, error)
            fault = _error(failed.code(), failed.details(), failed.trailing_metadata())
        except ValueError:
            # grpcio raises it for a closed channel.
            if not self._closed:
                raise
            fault = closed()
        raise closed() if self._closed and fault.code is Code.CANCELLED else fault

    def close(self) -> None:
        """Close the channel; see :meth:`gateway_entities.transports.base.Transport.close`."""
        self._closed = True
        self._channel.close()


class AsyncGrpcTransport:
    """The asyncio counterpart. The channel belongs to the event loop of the first call."""

    deduplicates = True

    def __init__(self, target: Target, tls: Tls | None = None) -> None:
        self._target = target
        self._tls = tls
        self._channel: grpc.aio.Channel | None = None
        self._callables: dict[str, grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]] = {}
        self._loop = LoopAffinity()
        self._closed = False

    def _callable(self, path: str) -> grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]:
        found = self._callables.get(path)
        if found is not None:
            return found
        if self._channel is None:
            if self._target.secure:
                credentials = _credentials(self._tls)
                self._channel = grpc.aio.secure_channel(_address(self._target), credentials, _OPTIONS)
            else:
                self._channel = grpc.aio.insecure_channel(_address(self._target), _OPTIONS)
        self._callables[path] = self._channel.unary_unary(path)
        return self._callables[path]

    async def call(
        self, method: Method[Any, Any], request: bytes, *, timeout: float | None, metadata: Mapping[str, str] | None
    ) -> bytes:
        """Make one call; see :meth:`gateway_entities.transports.base.AsyncTransport.call`."""
        left = Deadline(timeout).remaining()
        self._loop.check()
        if self._closed:
            raise closed()
        send = self._callable(method.path)
        try:
            return await send(request, timeout=left, metadata=headers(metadata))
        except grpc.aio.AioRpcError as error:
            fault = _error(
                error.code(), error.details(), cast("Iterable[tuple[str, str | bytes]]", error.trailing_metadata())
            )
        except asyncio.CancelledError:
            # Closing the channel raises it too, although the caller's task is not cancelled.
            task = asyncio.current_task()
            if not self._closed or (task is not None and task.cancelling()):
                raise
            fault = closed()
        except asyncio.InvalidStateError:
            # grpcio raises it for a call on a closed channel.
            if not self._closed:
                raise
            fault = closed()
        raise closed() if self._closed and fault.code is Code.CANCELLED else fault

    async def close(self) -> None:
        """Close the channel; see :meth:`gateway_entities.transports.base.AsyncTransport.close`."""
        self._closed = True
        if self._channel is not None:
            await self._channel.close()


def _address(target: Target) -> str:
    # gRPC reads the path as that of a URI, in which a percent sign begins an escape.
    return f"unix:{quote(target.socket_path)}" if target.socket_path else target.authority


def _credentials(tls: Tls | None) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials() if tls is None else grpc.ssl_channel_credentials(tls.ca, tls.key, tls.certificate)


def _error(status: grpc.StatusCode, message: str | None, trailers: Iterable[tuple[str, str | bytes]] | None) -> GatewayError:
    """Return the error of a failed call, from the server or from grpcio."""
    code = Code.from_number(status.value[0])
    described = Status()
    for key, value in trailers or ():
        if key == _DETAILS_KEY and isinstance(value, bytes):
            try:
                described.ParseFromString(value)
            except DecodeError:
                described.Clear()
    if code is Code.DEADLINE_EXCEEDED and not described.code:
        return deadline_exceeded()
    if code is Code.UNAVAILABLE and not described.code and any(text in (message or "") for text in _UNTRUSTED):
        return GatewayError(code, message or "", reason=UNTRUSTED_CERTIFICATE)
    return GatewayError.from_details(code, message or code.name.lower().replace("_", " "), described.details)
