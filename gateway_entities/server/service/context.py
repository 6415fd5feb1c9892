"""The current call: its authenticated caller, its deadline, and whether its caller still waits for it."""

from __future__ import annotations

import time
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.repositories.token import AccessScope, scope_names

CALLER: Final[ContextVar[str | None]] = ContextVar("caller", default=None)
"""Name of the authenticated caller, None without authentication. The dispatcher sets it for the duration of each call."""

ENDPOINTS: Final[ContextVar[frozenset[str] | None]] = ContextVar("endpoints", default=None)
"""Names of the endpoints that the caller may resolve and spend on, None for all. The dispatcher sets it likewise."""

SCOPE: Final[ContextVar[AccessScope | None]] = ContextVar("scope", default=None)
"""The scopes of the caller, None for a caller without a token. The dispatcher sets it likewise."""

OWNERS: Final[ContextVar[frozenset[str] | None]] = ContextVar("owners", default=None)
"""Owners whose configurations alone the caller may apply, None for a caller without this limit. The dispatcher sets it
likewise."""


class Call:
    """A call in progress.

    Attributes:
        deadline: its end as a ``time.monotonic``; None without one.
        is_over: whether its caller has its response, or has gone. It is set in another thread than the work's.
    """

    __slots__ = ("deadline", "is_over")

    def __init__(self, deadline: float | None = None) -> None:
        self.deadline = deadline
        self.is_over = False


class Wait:
    """A call that may wait for others, in no worker thread.

    Attributes:
        began: the ``time.monotonic`` at its start.
        outcome: done when the call is to be made again, with what it has waited for. Any thread may complete or cancel it.
    """

    __slots__ = ("began", "outcome")

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.outcome: Future[Any] = Future()

    def left(self, timeout: float | None) -> float | None:
        """Return the seconds that are left of a time-out that began with the call; None for none."""
        return None if timeout is None else timeout - (time.monotonic() - self.began)


WAIT: Final[ContextVar[Wait | None]] = ContextVar("wait", default=None)
"""Set by the dispatcher for a call that may wait; None where it must not."""


class StillWaiting(Exception):  # noqa: N818 - not an error.
    """Raised by a call that waits for others: call it again when the outcome of its Wait is done."""


CALL: Final[ContextVar[Call | None]] = ContextVar("call", default=None)
"""The current call; None outside of calls. The dispatcher sets it."""


def may_use(endpoint_name: str | None) -> bool:
    """Return whether the caller may resolve an endpoint of this name, and spend on it."""
    endpoints = ENDPOINTS.get()
    return endpoints is None or endpoint_name in endpoints


def require_no_owners() -> None:
    """Check that the caller's changes are not limited to the configurations of owners.

    Raises:
        GatewayError: PERMISSION_DENIED.
    """
    if OWNERS.get() is not None:
        raise limited_to_owners("It changes the configuration with ApplyGatewayConfiguration only (config apply)")


def limited_to_owners(cause: str) -> GatewayError:
    """Return the error of a caller who goes beyond its owners.

    Args:
        cause: the sentence that says what goes beyond them, without its period.
    """
    names = ", ".join(f"'{owner}'" for owner in sorted(OWNERS.get() or ()))
    return GatewayError(
        Code.PERMISSION_DENIED,
        f"The token of '{CALLER.get()}' is limited to configurations of the owner {names}. {cause}.",
        reason="OWNER_NOT_ALLOWED",
    )


_ENTITIES: Final[ContextVar[list[bytes] | None]] = ContextVar("entities", default=None)


@contextmanager
def encoded_entities() -> Generator[list[bytes]]:
    """Collect the entities of a list in the wire format, for as long as the context is open.

    A service may then add them there, as their field of the response, and leave the response message without them.
    """
    encoded: list[bytes] = []
    before = _ENTITIES.set(encoded)
    try:
        yield encoded
    finally:
        _ENTITIES.reset(before)


def collected_entities() -> list[bytes] | None:
    """Return where entities are collected; None where they belong into the response message."""
    return _ENTITIES.get()


def require_scope(scope: AccessScope, reason: str) -> None:
    """Check that the caller has one of some scopes, for what only some requests of an RPC need.

    Args:
        scope: the scopes.
        reason: what needs it, such as "a plan with secret values".

    Raises:
        GatewayError: PERMISSION_DENIED.
    """
    own = SCOPE.get()
    if own is not None and not own & scope:
        raise GatewayError(
            Code.PERMISSION_DENIED,
            f"{reason} needs a token of scope {' or '.join(scope_names(scope))}; that of {CALLER.get()!r} has "
            f"{', '.join(scope_names(own))}",
            reason="SCOPE_TOO_SMALL",
        )


def check_call() -> None:
    """Check that a caller still waits for the current call. Cheap; for places between the steps of its work.

    Raises:
        GatewayError: DEADLINE_EXCEEDED or CANCELLED.
    """
    call = CALL.get()
    if call is None:
        return
    if call.deadline is not None and time.monotonic() >= call.deadline:
        raise deadline_exceeded()
    if call.is_over:
        raise GatewayError(Code.CANCELLED, "the caller has gone")


def deadline_exceeded() -> GatewayError:
    """Return the error of a call whose deadline has passed."""
    return GatewayError(Code.DEADLINE_EXCEEDED, "the deadline passed before the call ended")
