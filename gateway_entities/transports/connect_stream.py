"""The Connect protocol for server streams: https://connectrpc.com/docs/protocol#streaming-rpcs."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, Self, cast

from gateway_entities.errors import Code, GatewayError
from gateway_entities.transports.connect_error import JSON, error_of_response, read_error
from gateway_entities.transports.deadline import stream_closed
from gateway_entities.transports.http1.streamed import AsyncStreamedResponse, Head, StreamedResponse

STREAM_PROTO: Final = "application/connect+proto"
_STREAM_JSON: Final = "application/connect+json"
_PREFIX: Final = struct.Struct(">BI")
_END: Final = 2
_MAX_MESSAGE_BYTES: Final = 64 * 1024 * 1024
"""Maximum bytes of a message. The server's have at most 1 MiB, or one resource."""
_MAX_ERROR_BYTES: Final = 64 * 1024
"""Bytes of a response without a stream that are read for its error."""


def envelope(request: bytes) -> bytes:
    """Return the body of a request with one message."""
    return _PREFIX.pack(0, len(request)) + request


class EnvelopeReader:
    """Parser of the envelopes of a response. No I/O.

    Attributes:
        has_ended: whether the stream has ended without an error.
    """

    def __init__(self) -> None:
        self.has_ended = False
        self._buffer = bytearray()

    def feed(self, part: bytes) -> Iterator[bytes]:
        """Yield the messages that are complete with the next part of the body; no bytes are its end.

        Raises:
            GatewayError: the error that the stream ends with; INTERNAL for a malformed or truncated stream;
                RESOURCE_EXHAUSTED for a message that is too large.
        """
        if not part:
            raise GatewayError(Code.INTERNAL, "the response ended within the stream", reason="TRUNCATED_STREAM")
        self._buffer += part
        begin = 0
        while len(self._buffer) >= begin + _PREFIX.size:
            flags, length = _PREFIX.unpack_from(self._buffer, begin)
            if flags not in (0, _END):
                raise _malformed(f"an envelope has the flags {flags}; compression was not requested")
            if length > _MAX_MESSAGE_BYTES:
                raise GatewayError(
                    Code.RESOURCE_EXHAUSTED,
                    f"a message of {length} bytes is larger than the limit of {_MAX_MESSAGE_BYTES} bytes",
                    reason="MESSAGE_TOO_LARGE",
                )
            end = begin + _PREFIX.size + length
            if len(self._buffer) < end:
                break
            data = bytes(memoryview(self._buffer)[begin + _PREFIX.size : end])
            begin = end
            if flags == _END:
                if len(self._buffer) > end:
                    raise _malformed("the response goes on after the end of the stream")
                _check_end(data)
                self.has_ended = True
                return
            yield data
        del self._buffer[:begin]


class ConnectStream:
    """A stream of messages; see :class:`gateway_entities.transports.base.MessageStream`."""

    def __init__(self, response: StreamedResponse) -> None:
        self._response = response
        self._messages = _read(response)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        return next(self._messages)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the stream."""
        self._response.close(stream_closed())


def _read(response: StreamedResponse) -> Iterator[bytes]:
    reader = EnvelopeReader()
    try:
        head = response.open()
        kind = _kind(head)
        if not _is_stream(head, kind):
            body = b""
            while head.status != 200 and len(body) < _MAX_ERROR_BYTES and (part := response.read()):
                body += part
            raise _not_a_stream(head, kind, body)
        while not reader.has_ended:
            yield from reader.feed(response.read())
    finally:
        response.close(stream_closed())


class AsyncConnectStream:
    """A stream of messages; see :class:`gateway_entities.transports.base.AsyncMessageStream`."""

    def __init__(self, response: AsyncStreamedResponse) -> None:
        self._response = response
        self._reader = EnvelopeReader()
        self._ready: Iterator[bytes] = iter(())
        self._has_begun, self._is_over = False, False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        message = None
        if not self._is_over:
            try:
                message = await self._next()
            finally:
                if message is None:
                    self._is_over = True
                    self._response.close(stream_closed())
        if message is None:
            raise StopAsyncIteration
        return message

    async def _next(self) -> bytes | None:
        if not self._has_begun:
            self._has_begun = True
            await self._open()
        while (message := next(self._ready, None)) is None and not self._reader.has_ended:
            self._ready = self._reader.feed(await self._response.read())
        return message

    async def _open(self) -> None:
        head = await self._response.open()
        kind = _kind(head)
        if not _is_stream(head, kind):
            body = b""
            while head.status != 200 and len(body) < _MAX_ERROR_BYTES and (part := await self._response.read()):
                body += part
            raise _not_a_stream(head, kind, body)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the stream."""
        self._response.close(stream_closed())
        # The loop closes the connection in its next turn.
        await asyncio.sleep(0)


def _kind(head: Head) -> str:
    content_type = next((value for name, value in head.headers if name.lower() == b"content-type"), b"")
    return content_type.decode("latin-1").lower().partition(";")[0].strip()


def _is_stream(head: Head, kind: str) -> bool:
    return head.status == 200 and kind == STREAM_PROTO


def _not_a_stream(head: Head, kind: str, body: bytes) -> GatewayError:
    """Return the error of a response that is no stream."""
    if head.status != 200:
        return error_of_response(head.status, kind, body)
    return GatewayError(
        # JSON is a Connect encoding too, so the server ignored the requested one.
        Code.INTERNAL if kind in (JSON, _STREAM_JSON) else Code.UNKNOWN,
        f"the response's content type is {kind[:100]!r}, not {STREAM_PROTO}: is this the gateway's HTTP address?",
        reason="NOT_CONNECT",
    )


def _check_end(data: bytes) -> None:
    """Raise the error of the message that ends a stream, if it has one."""
    try:
        content: Any = json.loads(data)
    except (ValueError, RecursionError):
        raise _malformed("the end of the stream is not JSON") from None
    if not isinstance(content, dict):
        raise _malformed("the end of the stream is no JSON object")
    error = cast("dict[str, object]", content).get("error")
    if error is not None:
        raise read_error(error) or GatewayError(Code.UNKNOWN, "the stream ended with an error that is not described")


def _malformed(problem: str) -> GatewayError:
    return GatewayError(Code.INTERNAL, problem, reason="WIRE_FORMAT")
