"""How a client makes its calls: defaults, retries, pages. The two colours differ in nothing but the waiting."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from google.protobuf.message import DecodeError, Message

from gateway_entities.errors import Code, GatewayError, WireError
from gateway_entities.methods import Method, Request, Response
from gateway_entities.transports.deadline import Deadline
from gateway_entities.transports.metadata import bearer, headers
from gateway_entities.transports.open import open_async_transport, open_transport
from gateway_entities.transports.target import TlsFiles

if TYPE_CHECKING:
    import os
    from typing import Self

    from gateway_entities.client._operation import Call, Pages

Result = TypeVar("Result")
Item = TypeVar("Item")

_ATTEMPTS = 4
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 1.0


class Retries:
    """Decides, for one call, how long an attempt may take, whether an error is tried again, and after what pause."""

    __slots__ = ("_attempts", "_deadline", "_named")

    def __init__(self, method: Method[Any, Any], request: Message, deadline: Deadline, *, deduplicates: bool) -> None:
        """Look at a call, and give the request a name if a repeat of it can be told by that.

        Args:
            method: the RPC.
            request: its request.
            deadline: when the call has to be over.
            deduplicates: whether the transport carries names, so that a repeat does nothing twice.
        """
        self._named = method.named and deduplicates
        if self._named:
            name_request(request)
        self._attempts = _ATTEMPTS if method.idempotent or self._named else 1
        self._deadline = deadline

    def timeout(self) -> float | None:
        """Return the seconds that the next attempt may take.

        Raises:
            GatewayError: DEADLINE_EXCEEDED when none are left.
        """
        left = self._deadline.remaining()
        # An answer that was lost on its way is asked for again, so there must be time for that.
        return left / 2 if left is not None and self._named and self._attempts > 1 else left

    def pause_after(self, error: GatewayError) -> float:
        """Return the seconds to wait before the next attempt.

        Raises:
            GatewayError: the error itself, when there is to be no other attempt.
        """
        import random

        self._attempts -= 1
        lost = error.code is Code.UNAVAILABLE or (self._named and error.code is Code.DEADLINE_EXCEEDED)
        if not lost or self._attempts == 0:
            raise error
        longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** (_ATTEMPTS - 1 - self._attempts))
        # Clients that failed together must not come back together.
        pause = longest * random.uniform(0.5, 1.0)  # noqa: S311 - Nobody gains by guessing it.
        if self._deadline.at is not None and time.monotonic() + pause >= self._deadline.at:
            raise error
        return pause


def name_request(request: Any) -> None:
    """Give a request a name of its own, unless it has one."""
    if not request.HasField("request_id"):
        import uuid

        request.request_id = uuid.uuid4().hex


def _decode(method: Method[Request, Response], data: bytes) -> Response:
    try:
        return method.response_type.FromString(data)
    except DecodeError:
        raise GatewayError(Code.INTERNAL, f"the server's response is not a {method.name}Response") from None


def _result(read: Callable[[Any], Result], response: Message) -> Result:
    """Return what a response means.

    Raises:
        GatewayError: INTERNAL; it lacks what every answer of its kind has.
    """
    try:
        return read(response)
    except WireError as error:
        message = f"the server's answer is not complete: {error.message}"
    raise GatewayError(Code.INTERNAL, message, reason="BAD_ANSWER")


def _next_token(token: str, before: str | None) -> str:
    if token and token == before:
        raise GatewayError(Code.INTERNAL, "the server's list does not end: a page leads to itself", reason="BAD_ANSWER")
    return token


class _Defaults:
    """What both colours keep: the target, and what a call does not say itself."""

    def __init__(self, target: str, timeout: float | None, metadata: Mapping[str, str] | None, token: str | None) -> None:
        self._target = target
        self._timeout = timeout
        self._metadata = dict(headers(metadata))
        if token is not None:
            if "authorization" in self._metadata:
                raise GatewayError(
                    Code.INVALID_ARGUMENT, "metadata['authorization'] and a token are one too many", reason="BAD_METADATA"
                )
            self._metadata["authorization"] = bearer(target, token)
        Deadline(timeout)

    def _deadline(self, timeout: float | None) -> Deadline:
        return Deadline(self._timeout if timeout is None else timeout)


class Sender(_Defaults):
    """Makes the calls of :class:`GatewayClient`."""

    def __init__(
        self,
        target: str,
        *,
        timeout: float | None = 30.0,
        metadata: Mapping[str, str] | None = None,
        token: str | None = None,
        ca_file: str | os.PathLike[str] | None = None,
        cert_file: str | os.PathLike[str] | None = None,
        key_file: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__(target, timeout, metadata, token)
        self._transport = open_transport(target, TlsFiles(ca_file, cert_file, key_file))

    def _call(self, method: Method[Request, Response], request: Request, deadline: Deadline) -> Response:
        transport = self._transport
        retries = Retries(method, request, deadline, deduplicates=transport.deduplicates)
        data = request.SerializeToString()
        while True:
            try:
                response = transport.call(method, data, timeout=retries.timeout(), metadata=self._metadata)
                return _decode(method, response)
            except GatewayError as error:
                pause = retries.pause_after(error)
            time.sleep(pause)

    def _send(self, call: Call[Result], timeout: float | None) -> Result:
        return _result(call.read, self._call(call.method, call.request, self._deadline(timeout)))

    def _collect(self, pages: Pages[Item], timeout: float | None) -> list[Item]:
        deadline = self._deadline(timeout)
        items: list[Item] = []
        token: str | None = None
        while token != "":
            found, following = _result(pages.read, self._call(pages.method, pages.request(token), deadline))
            items += found
            token = _next_token(following, token)
        return items

    def close(self) -> None:
        """Let go of every connection. Calls in flight in other threads end with CANCELLED. A second close does nothing."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class AsyncSender(_Defaults):
    """Makes the calls of :class:`AsyncGatewayClient`."""

    def __init__(
        self,
        target: str,
        *,
        timeout: float | None = 30.0,
        metadata: Mapping[str, str] | None = None,
        token: str | None = None,
        ca_file: str | os.PathLike[str] | None = None,
        cert_file: str | os.PathLike[str] | None = None,
        key_file: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__(target, timeout, metadata, token)
        self._transport = open_async_transport(target, TlsFiles(ca_file, cert_file, key_file))

    async def _call(self, method: Method[Request, Response], request: Request, deadline: Deadline) -> Response:
        import asyncio

        transport = self._transport
        retries = Retries(method, request, deadline, deduplicates=transport.deduplicates)
        data = request.SerializeToString()
        while True:
            try:
                response = await transport.call(method, data, timeout=retries.timeout(), metadata=self._metadata)
                return _decode(method, response)
            except GatewayError as error:
                pause = retries.pause_after(error)
            await asyncio.sleep(pause)

    async def _send(self, call: Call[Result], timeout: float | None) -> Result:
        return _result(call.read, await self._call(call.method, call.request, self._deadline(timeout)))

    async def _collect(self, pages: Pages[Item], timeout: float | None) -> list[Item]:
        deadline = self._deadline(timeout)
        items: list[Item] = []
        token: str | None = None
        while token != "":
            found, following = _result(pages.read, await self._call(pages.method, pages.request(token), deadline))
            items += found
            token = _next_token(following, token)
        return items

    async def close(self) -> None:
        """Let go of every connection. Calls in flight end with CANCELLED. A second close does nothing."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
