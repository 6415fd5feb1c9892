"""What the two clients share for spending, without I/O."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from operator import index
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from gateway_entities.client._base import read_entity
from gateway_entities.entities import (
    GatewayBudgetBalance,
    GatewayBudgetWindow,
    GatewayReservationState,
    GatewaySpendAlert,
    GatewaySpendGrouping,
    GatewaySpendRefusal,
    GatewaySpendReservation,
)
from gateway_entities.entities.amount import Amount, from_nanos, to_nanos
from gateway_entities.entities.base import Entity
from gateway_entities.entities.enums import names
from gateway_entities.errors import Code, FieldViolation, GatewayError

if TYPE_CHECKING:
    from collections.abc import Coroutine


E = TypeVar("E", bound=Entity[Any])
R = TypeVar("R", bound=AbstractAsyncContextManager[Any])


class RecordedSpend(list[GatewayBudgetWindow]):
    """The windows that a charge was counted in, updated, in the order of their policies.

    Attributes:
        alerts: the alerts that the charge has raised.
        saturated: whether one of the windows holds 2^63 - 1 nano-units, a current_spend of about 9.2e9, and counts no more.
    """

    def __init__(
        self,
        windows: Iterable[GatewayBudgetWindow] = (),
        alerts: Iterable[GatewaySpendAlert] = (),
        *,
        saturated: bool = False,
    ) -> None:
        super().__init__(windows)
        self.alerts = list(alerts)
        self.saturated = saturated


class SettledSpend(NamedTuple):
    """The outcome of a commit or a release.

    Attributes:
        reservation: the reservation, settled.
        balances: its windows, in the order of their policies.
        alerts: the alerts that the call has raised.
    """

    reservation: GatewaySpendReservation
    balances: list[GatewayBudgetBalance]
    alerts: list[GatewaySpendAlert]


class BudgetExceededError(GatewayError):
    """A budget does not admit a reservation: RESOURCE_EXHAUSTED with reason BUDGET_EXCEEDED.

    Attributes:
        rejection: the policy that rejects it, and its window. Its ``window_end_ms`` is when the budget starts again.
    """

    def __init__(self, refusal: GatewaySpendRefusal) -> None:
        policy, balance = refusal.budget_policy, refusal.balance
        scope, unit = (getattr(each, "name", each) for each in (policy.target_scope, balance.budget_unit))
        target = "" if policy.target_value is None else f" {policy.target_value}"
        left = from_nanos(balance.remaining_nanos or 0)
        limit = from_nanos(balance.limit_nanos or 0)
        super().__init__(
            Code.RESOURCE_EXHAUSTED,
            f"the budget {policy.budget_policy_id} ({scope}{target}) has {left:f} of {limit:f} {unit} left until "
            f"{_time(balance.window_end_ms)}",
            reason="BUDGET_EXCEEDED",
        )
        self.rejection = refusal


def _time(milliseconds: int) -> str:
    """Return a time in milliseconds since the Unix epoch as text of RFC 3339; as a number beyond the calendar."""
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return f"{milliseconds} ms"
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def require_unsettled(reservation: GatewaySpendReservation) -> None:
    """Check that a reservation holds its estimate, or has been charged it: that a request may be made with it.

    Raises:
        GatewayError: FAILED_PRECONDITION with reason RESERVATION_SETTLED; it was committed or released.
    """
    if reservation.state not in {GatewayReservationState.COMMITTED, GatewayReservationState.RELEASED}:
        return
    committed = reservation.state == GatewayReservationState.COMMITTED
    raise GatewayError(
        Code.FAILED_PRECONDITION,
        f"the reservation {reservation.reservation_id} was {'committed' if committed else 'released'} before, and holds "
        "nothing: reserve with another request_id",
        reason="RESERVATION_SETTLED",
    )


def amount_nanos_of(amount: Amount | None, nanos: int | None) -> int | None:
    """Return the amount in nano-units of which one of the two forms is given.

    Raises:
        GatewayError: INVALID_ARGUMENT; both are, or the amount is not exact.
    """
    if amount is None:
        return nanos
    if nanos is not None:
        raise GatewayError.invalid([FieldViolation("amount_nanos", "must not be given together with amount")])
    return to_nanos(amount, "amount_nanos")


def optional_nanos(amount: Amount | None, field: str) -> int | None:
    """Return an amount in nano-units; None for None.

    Raises:
        GatewayError: INVALID_ARGUMENT naming the field.
    """
    return None if amount is None else to_nanos(amount, field)


def groupings(values: Iterable[GatewaySpendGrouping | int | str] | None) -> list[Any] | None:
    """Return the numbers of groupings, which may be names; None for None.

    Raises:
        GatewayError: INVALID_ARGUMENT; one is no name of a grouping.
    """
    if values is None:
        return None
    if not isinstance(values, str):
        # A caller may pass anything.
        with contextlib.suppress(TypeError, LookupError):
            return [int(GatewaySpendGrouping[each]) if isinstance(each, str) else index(each) for each in values]
    raise GatewayError.invalid([FieldViolation("group_by", f"must be a list of {names(GatewaySpendGrouping)}")])


def entities(kind: type[E], messages: Iterable[Any]) -> list[E]:
    """Return the entities of messages in a response.

    Raises:
        GatewayError: INTERNAL; one lacks a required field.
    """
    return [read_entity(kind, message) for message in messages]


class AsyncReserving(Generic[R]):
    """A reservation that is being made: await it, or use it as an async context manager."""

    def __init__(self, reserving: Coroutine[Any, Any, R]) -> None:
        self._reserving = reserving
        self._reservation: R | None = None

    def __await__(self) -> Generator[Any, Any, R]:
        return self._reserving.__await__()

    async def __aenter__(self) -> R:
        self._reservation = await self._reserving
        await self._reservation.__aenter__()
        return self._reservation

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._reservation is not None  # noqa: S101 - it was entered.
        await self._reservation.__aexit__(kind, error, traceback)
