"""Lanes: worker threads for one kind of work, which never wait for work of another kind."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, TypeVar

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import METHODS

T = TypeVar("T")


READ_METHODS: Final = frozenset(method for method in METHODS if method.reads)
"""The RPCs that only read."""


class Lane:
    """Worker threads with a queue.

    Attributes:
        queue_timeout: seconds that a function may wait for a thread.
    """

    def __init__(self, name: str, workers: int, queue_timeout: float) -> None:
        """Create a lane.

        Args:
            name: the kind of its work, such as ``write``.
            workers: the number of threads.
            queue_timeout: as the attribute.
        """
        self.queue_timeout = queue_timeout
        self._name = name
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix=f"gateway-call-{name}")

    def submit(self, work: Callable[..., T], *arguments: Any) -> Future[T]:
        """Queue a function."""
        return self._pool.submit(work, *arguments)

    def busy(self) -> GatewayError:
        """Return the error of a call that has waited too long for a thread."""
        return GatewayError(
            Code.UNAVAILABLE,
            f"the server was busy with other {self._name} calls for {self.queue_timeout:g} seconds",
            reason="SERVER_BUSY",
        )

    def close(self) -> None:
        """Wait for the functions that run. Those in the queue never do."""
        self._pool.shutdown(cancel_futures=True)
