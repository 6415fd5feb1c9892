# Generated from gateway_entities/client/_async/reservation.py by proto/generate.py. Do not edit.
"""Reservations of spending."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from gateway_entities.client._spend import SettledSpend, require_unsettled
from gateway_entities.entities import GatewayBudgetBalance, GatewaySpendAlert, GatewaySpendReservation
from gateway_entities.entities.amount import Amount, from_nanos
from gateway_entities.errors import GatewayError

if TYPE_CHECKING:
    from typing import Self


class Settling(Protocol):
    """The methods of a client that settle reservations."""

    def commit_spend(self, reservation_id: str, amount: Amount, *, timeout: float | None = None) -> SettledSpend:
        """Record what was spent."""
        ...

    def release_spend(self, reservation_id: str, *, timeout: float | None = None) -> SettledSpend:
        """Give the estimate back."""
        ...

    def extend_spend(
        self, reservation_id: str, *, ttl_ms: int | None = None, timeout: float | None = None
    ) -> GatewaySpendReservation:
        """Give the reservation more time."""
        ...


class SpendReservation:
    """A reservation, to be settled by ``commit`` or ``release``, or by the end of its ``with`` block.

    At the end of the block, what was not settled is committed with its estimate, or released if the block has raised an
    exception: catch it in the block, and commit, if something was spent all the same. After a commit that failed nothing is
    released: commit again, or the estimate is charged when the time is over.

    A reservation that was committed or released before, which a repeat of its request_id returns, holds nothing: its block
    does not begin (FAILED_PRECONDITION, reason RESERVATION_SETTLED). One that has expired is charged, and may be committed.

    Attributes:
        reservation: the reservation, as of the last call.
        balances: its windows, in the order of their policies, likewise.
        alerts: the alerts that the last call has raised.
    """

    def __init__(
        self,
        client: Settling,
        reservation: GatewaySpendReservation,
        balances: list[GatewayBudgetBalance],
        alerts: list[GatewaySpendAlert],
    ) -> None:
        self._client = client
        self._is_settled = self._is_spent = False
        self.reservation = reservation
        self.balances = balances
        self.alerts = alerts

    @property
    def reservation_id(self) -> str:
        """The id of the reservation, with which another process can settle it."""
        return self.reservation.reservation_id

    def commit(self, amount: Amount, *, timeout: float | None = None) -> SettledSpend:
        """Record what was spent; see ``commit_spend`` of the client, errors included."""
        # Something was spent, whatever becomes of the call.
        self._is_spent = True
        return self._settled(self._client.commit_spend(self.reservation_id, amount, timeout=timeout))

    def release(self, *, timeout: float | None = None) -> SettledSpend:
        """Give the estimate back; see ``release_spend`` of the client, errors included."""
        return self._settled(self._client.release_spend(self.reservation_id, timeout=timeout))

    def extend(self, ttl_ms: int | None = None, *, timeout: float | None = None) -> None:
        """Give the reservation more time; see ``extend_spend`` of the client, errors included."""
        self.reservation = self._client.extend_spend(self.reservation_id, ttl_ms=ttl_ms, timeout=timeout)
        self.alerts = []

    def __enter__(self) -> Self:
        # A repeat of the idempotency key may return one that holds nothing any more.
        require_unsettled(self.reservation)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._is_settled:
            return
        if error is None:
            self.commit(from_nanos(self.reservation.amount_nanos))
            return
        if self._is_spent:
            error.add_note(
                f"the reservation {self.reservation_id} was not committed: its estimate is charged when it expires"
            )
            return
        try:
            self.release()
        except GatewayError as failure:
            # The exception of the block matters more. Without a release the estimate is charged when the time is over.
            error.add_note(f"the reservation {self.reservation_id} was not released: {failure}")

    def _settled(self, settled: SettledSpend) -> SettledSpend:
        self._is_settled = True
        self.reservation, self.balances, self.alerts = settled
        return settled
