"""How a client makes its calls: defaults, retries, pages. The two colours differ in nothing but the waiting."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import Method, Request, Response
from gateway_entities.transports.base import Deadline, headers, open_async_transport, open_transport

if TYPE_CHECKING:
    from typing import Self

    from gateway_entities.client._operation import Call, Pages

Result = TypeVar("Result")
Item = TypeVar("Item")

_ATTEMPTS = 4
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 1.0


class Retries:
    """Decides, for one call, whether an error is tried again and after what pause."""

    __slots__ = ("_attempts", "_deadline")

    def __init__(self, method: Method[Any, Any], deadline: Deadline) -> None:
        self._attempts = _ATTEMPTS if method.idempotent else 1
        self._deadline = deadline

    def pause_after(self, error: GatewayError) -> float:
        """Return the seconds to wait before the next attempt.

        Raises:
            GatewayError: the error itself, when there is to be no other attempt.
        """
        import random

        self._attempts -= 1
        if error.code is not Code.UNAVAILABLE or self._attempts == 0:
            raise error
        longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** (_ATTEMPTS - 1 - self._attempts))
        # Clients that failed together must not come back together.
        pause = longest * random.uniform(0.5, 1.0)  # noqa: S311 - Nobody gains by guessing it.
        if self._deadline.at is not None and time.monotonic() + pause >= self._deadline.at:
            raise error
        return pause


class _Defaults:
    """What both colours keep: the target, and what a call does not say itself."""

    def __init__(self, target: str, timeout: float | None, metadata: Mapping[str, str] | None) -> None:
        self._target = target
        self._timeout = timeout
        self._metadata = dict(headers(metadata))
        Deadline(timeout)

    def _deadline(self, timeout: float | None) -> Deadline:
        return Deadline(self._timeout if timeout is None else timeout)


class Sender(_Defaults):
    """Makes the calls of :class:`GatewayClient`."""

    def __init__(self, target: str, *, timeout: float | None = 30.0, metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(target, timeout, metadata)
        self._transport = open_transport(target)

    def _call(self, method: Method[Request, Response], request: Request, deadline: Deadline) -> Response:
        retries = Retries(method, deadline)
        while True:
            try:
                return self._transport.call(method, request, timeout=deadline.remaining(), metadata=self._metadata)
            except GatewayError as error:
                pause = retries.pause_after(error)
            time.sleep(pause)

    def _send(self, call: Call[Result], timeout: float | None) -> Result:
        return call.read(self._call(call.method, call.request, self._deadline(timeout)))

    def _collect(self, pages: Pages[Item], timeout: float | None) -> list[Item]:
        deadline = self._deadline(timeout)
        items: list[Item] = []
        token: str | None = None
        while token != "":
            found, token = pages.read(self._call(pages.method, pages.request(token), deadline))
            items += found
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

    def __init__(self, target: str, *, timeout: float | None = 30.0, metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(target, timeout, metadata)
        self._transport = open_async_transport(target)

    async def _call(self, method: Method[Request, Response], request: Request, deadline: Deadline) -> Response:
        import asyncio

        retries = Retries(method, deadline)
        while True:
            try:
                return await self._transport.call(method, request, timeout=deadline.remaining(), metadata=self._metadata)
            except GatewayError as error:
                pause = retries.pause_after(error)
            await asyncio.sleep(pause)

    async def _send(self, call: Call[Result], timeout: float | None) -> Result:
        return call.read(await self._call(call.method, call.request, self._deadline(timeout)))

    async def _collect(self, pages: Pages[Item], timeout: float | None) -> list[Item]:
        deadline = self._deadline(timeout)
        items: list[Item] = []
        token: str | None = None
        while token != "":
            found, token = pages.read(await self._call(pages.method, pages.request(token), deadline))
            items += found
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
