"""A limit on the bytes that all requests of a server hold together."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Final, Self

from gateway_entities.errors import Code, GatewayError

OVERLOADED: Final = "OVERLOADED"
"""The reason of an error that ends when other requests have ended: the same request may succeed later."""


class ByteBudget:
    """Bytes that leases share. Safe to use from many threads."""

    def __init__(self, maximum: int, purpose: str) -> None:
        """Create a budget.

        Args:
            maximum: bytes of all leases together.
            purpose: what the bytes are, for the error, such as ``requests``.
        """
        self._maximum = maximum
        self._purpose = purpose
        self._used = 0
        self._lock = threading.Lock()

    @property
    def used(self) -> int:
        """Bytes of all leases."""
        return self._used

    def lease(self) -> Lease:
        """Return a lease of no bytes yet."""
        return Lease(self)

    def check(self, size: int) -> None:
        """Check the size of one request, which would not fit later either.

        Raises:
            GatewayError: RESOURCE_EXHAUSTED if it is over the maximum.
        """
        if size > self._maximum:
            raise GatewayError(
                Code.RESOURCE_EXHAUSTED,
                f"it takes more than the server's budget for {self._purpose}, {self._maximum} bytes",
                reason="OVER_BUDGET",
            )

    def take(self, count: int) -> None:
        """Count bytes.

        Raises:
            GatewayError: RESOURCE_EXHAUSTED with the reason OVERLOADED if they are too many; none is counted then.
        """
        with self._lock:
            if count > 0 and self._used + count > self._maximum:
                raise GatewayError(
                    Code.RESOURCE_EXHAUSTED,
                    f"the {self._purpose} in flight fill the server's budget of {self._maximum} bytes; try again later",
                    reason=OVERLOADED,
                )
            self._used += count

    def give_back(self, count: int) -> None:
        """Count bytes no longer."""
        with self._lock:
            self._used -= count


class Lease:
    """The bytes of one request. A context manager that gives them back; it may grow in another thread."""

    __slots__ = ("_budget", "_closed", "_lock", "_size")

    def __init__(self, budget: ByteBudget) -> None:
        self._budget = budget
        self._size = 0
        self._closed = False
        self._lock = threading.Lock()

    def grow(self, count: int) -> None:
        """Count more bytes, or fewer.

        Raises:
            GatewayError: RESOURCE_EXHAUSTED as of ByteBudget's methods; CANCELLED if the lease is closed: the request has
                ended.
        """
        with self._lock:
            if self._closed:
                raise GatewayError(Code.CANCELLED, "the caller has gone")
            self._budget.check(self._size + count)
            self._budget.take(count)
            self._size += count

    def resize(self, count: int) -> None:
        """Count so many bytes in place of those until now.

        Raises:
            GatewayError: as of ``grow``.
        """
        self.grow(count - self._size)

    def close(self) -> None:
        """Give the bytes back."""
        with self._lock:
            self._closed = True
            size, self._size = self._size, 0
        if size:
            self._budget.give_back(size)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
