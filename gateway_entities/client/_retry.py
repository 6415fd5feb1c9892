"""Retries of calls, without I/O: which calls, until when, the pauses between the attempts, and the budget of a client."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

from google.protobuf.message import Message

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import RESOLVE_GATEWAY_ENDPOINT, Method
from gateway_entities.transports.deadline import Deadline
from gateway_entities.transports.fork import reset_in_children
from gateway_entities.transports.target import UNTRUSTED_CERTIFICATE

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
"""The pause before a retry doubles from the first to the longest; each is between half of it and the whole, at random."""
_WITHOUT_DEADLINE_S = 30.0
"""Seconds for which a call without a deadline is retried."""
_SHARED_TIMEOUTS = 3
"""Attempts of a mutation that get half of the remaining time; the next one gets all of it."""

_BUDGET = 10.0
"""Retries that the calls of one client may make in a burst."""
_BUDGET_PER_S = 5.0
"""Retries per second that they may make beyond it."""
_EARNED_BY_CALL = 0.1
"""Retries that a call earns by succeeding at the first attempt."""


class RetryBudget:
    """Token bucket that limits the retries of all calls of a client, so that they do not hold a server down.

    Each retry uses a token. One that succeeds returns it, so that the budget delays no caller once the server works.
    """

    __slots__ = ("__weakref__", "_lock", "_refilled_at", "_tokens")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens = _BUDGET
        self._refilled_at = time.monotonic()
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        """Replace the lock. The child has a budget of its own from here on, as full as the parent's is now."""
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Remove a token for one retry; return False if there is none."""
        with self._lock:
            now = time.monotonic()
            self._tokens = min(_BUDGET, self._tokens + (now - self._refilled_at) * _BUDGET_PER_S)
            self._refilled_at = now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True

    def earn(self, tokens: float) -> None:
        """Add tokens, because the server works."""
        # A full budget, nearly always, costs no lock.
        if self._tokens < _BUDGET:
            with self._lock:
                self._tokens = min(_BUDGET, self._tokens + tokens)


class Retries:
    """The retries of one client.

    Attributes:
        budget: limits the retries of all calls.
        timeout: seconds for which a call is retried, within its own deadline; None for no other limit.
    """

    __slots__ = ("budget", "timeout")

    def __init__(self, timeout: float | None) -> None:
        self.budget = RetryBudget()
        self.timeout = timeout


class RetryPolicy:
    """Attempts of one call: their timeouts, which errors are retried, and the pauses between them."""

    __slots__ = ("_deadline", "_deduplicated", "_pause", "_retries", "_retry_until", "_retryable", "_shared_timeouts")

    def __init__(
        self, method: Method[Any, Any], request: Message, deadline: Deadline, retries: Retries, *, deduplicates: bool
    ) -> None:
        """Create the policy of a call. A mutation without a request_id gets one, if the server deduplicates.

        Args:
            method: the RPC.
            request: its request.
            deadline: the deadline of the call.
            retries: those of the client.
            deduplicates: whether the transport carries request_ids, so that a repeated mutation is applied once.
        """
        self._deduplicated = method.has_request_id and deduplicates
        if self._deduplicated:
            ensure_request_id(request)
        # A repeated resolution records another access, and that is all that it does.
        self._retryable = method.idempotent or self._deduplicated or method is RESOLVE_GATEWAY_ENDPOINT
        self._shared_timeouts = _SHARED_TIMEOUTS if self._deduplicated else 0
        self._deadline = deadline
        self._retries = retries
        self._pause = 0.0
        self._retry_until: float | None = None

    def timeout(self) -> float | None:
        """Return the timeout of the next attempt in seconds; None for no limit.

        Raises:
            GatewayError: DEADLINE_EXCEEDED when no time is left.
        """
        left = self._deadline.remaining()
        # A lost response is requested again, which needs time too.
        return left / 2 if left is not None and self._shared_timeouts else left

    def pauses(self, error: GatewayError) -> Iterator[float]:
        """Yield the pauses in seconds from a failed attempt to the next one: more than one if the budget is used up.

        Raises:
            GatewayError: the error itself, if it is not retried.
        """
        yield self._pause_after(error)
        while not self._retries.budget.take():
            yield self._pause_after(error)

    def succeeded(self) -> None:
        """Note that the call has got its response."""
        self._retries.budget.earn(_EARNED_BY_CALL if self._retry_until is None else 1)

    def _pause_after(self, error: GatewayError) -> float:
        import random

        late = error.code is Code.DEADLINE_EXCEEDED
        lost = error.code is Code.UNAVAILABLE or (self._deduplicated and late)
        if not lost or not self._retryable or error.reason == UNTRUSTED_CERTIFICATE:
            raise error
        now = time.monotonic()
        if self._retry_until is None:
            self._retry_until = self._end(now)
        if late and self._shared_timeouts:
            self._shared_timeouts -= 1
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_S) or _FIRST_PAUSE_S
        # Clients that failed together must not come back together.
        pause = self._pause * random.uniform(0.5, 1.0)  # noqa: S311 - Nobody gains by guessing it.
        if now + pause >= self._retry_until:
            raise error
        return pause

    def _end(self, now: float) -> float:
        timeout, deadline = self._retries.timeout, self._deadline.at
        if timeout is not None:
            return now + timeout if deadline is None else min(now + timeout, deadline)
        return now + _WITHOUT_DEADLINE_S if deadline is None else deadline


def ensure_request_id(request: Any) -> None:
    """Set a random request_id, unless the request has one."""
    if not request.HasField("request_id"):
        import uuid

        request.request_id = uuid.uuid4().hex
