"""The RPCs of SpendService for reservations."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from gateway_entities.entities import GatewayReservationState, GatewaySpendRefusal, GatewaySpendReservation
from gateway_entities.errors import Code, FieldViolation, GatewayError
from gateway_entities.rules import validate
from gateway_entities.server.service.base import new_id
from gateway_entities.server.service.context import CALLER, may_use
from gateway_entities.server.service.errors import not_found
from gateway_entities.server.service.spending import ledger as ledgers
from gateway_entities.server.service.spending.ledger import Ledger, balance_of, counter_at
from gateway_entities.server.service.spending.spend import (
    SPEND_RETENTION_MS,
    SpendService,
    matching,
    require_endpoint,
    spender_workspace,
)
from gateway_entities.server.store.repositories.spending.reservation import StoredReservation
from gateway_entities.server.store.repositories.spending.spend import Counter, Spend
from gateway_entities.server.store.repositories.spending.spend_day import DAY_MS, SpendKey
from gatewayentities.v1 import budget_pb2
from gatewayentities.v1 import spend_pb2 as pb

if TYPE_CHECKING:
    from gateway_entities.server.store import Transaction

_DEFAULT_TTL_MS: Final = 10 * 60 * 1000
_EXTRA: Final = 4
"""Expired reservations that a write settles, and old ones that it deletes beyond those that it adds."""
EXPIRED_PER_STEP: Final = 500
"""Expired reservations that are settled in one transaction at most, so that writers never wait long for it."""
_OPEN: Final = GatewayReservationState.OPEN
_EXPIRED: Final = GatewayReservationState.EXPIRED
_COMMITTED: Final = GatewayReservationState.COMMITTED
_RELEASED: Final = GatewayReservationState.RELEASED


class ReservationService(SpendService):
    """The RPCs of SpendService for reservations. Errors: as the contract lists, and UNAVAILABLE from the store."""

    def reserve_gateway_spend(self, request: pb.ReserveGatewaySpendRequest) -> pb.ReserveGatewaySpendResponse:
        """Reserve an estimate in every matching policy, or return which one rejects it; once per request_id."""
        validate(request)
        content = _content(request)
        refusal: GatewaySpendRefusal | None = None
        with self.write() as transaction:
            ledger = self.ledger(transaction, f"reserve {request.request_id}")
            settle_expired(ledger, _EXTRA)
            stored = transaction.budget_reservations.find(request.request_id)
            spends: Sequence[Spend] = ()
            if stored is None:
                require_endpoint(transaction, request.endpoint_id)
                transaction.require_room()
                found = [
                    spend
                    for spend in matching(transaction, request, ledger.now)
                    if spend.policy.budget_unit == request.budget_unit
                ]
                refusal = _rejection(found, request.amount_nanos, ledger.now)
                if refusal is None:
                    stored, spends = _reserve(ledger, request, content, found)
            elif stored.content != content:
                raise GatewayError.invalid([FieldViolation("request_id", "was used before, for another reservation")])
            else:
                require_own(transaction, stored)
                stored = _current(ledger, stored)
                spends = transaction.budget_spend.of_windows(list(stored.held))
                ledger.repeat()
        response = pb.ReserveGatewaySpendResponse(alerts=[alert.to_proto() for alert in ledger.alerts])
        if stored is not None:
            response.reservation.CopyFrom(stored.reservation.to_proto())
        if refusal is not None:
            response.refusal.CopyFrom(refusal.to_proto())
        response.balances.extend(_balances(spends))
        return response

    def commit_gateway_spend(self, request: pb.CommitGatewaySpendRequest) -> pb.CommitGatewaySpendResponse:
        """Record the actual amount in place of the estimate."""
        validate(request)
        reservation, spends, ledger = self._settle(request.reservation_id, _COMMITTED, request.amount_nanos)
        return pb.CommitGatewaySpendResponse(
            reservation=reservation.to_proto(),
            balances=_balances(spends),
            alerts=[alert.to_proto() for alert in ledger.alerts],
        )

    def release_gateway_spend(self, request: pb.ReleaseGatewaySpendRequest) -> pb.ReleaseGatewaySpendResponse:
        """Give the estimate back."""
        validate(request)
        reservation, spends, _ = self._settle(request.reservation_id, _RELEASED, 0)
        return pb.ReleaseGatewaySpendResponse(reservation=reservation.to_proto(), balances=_balances(spends))

    def extend_gateway_spend(self, request: pb.ExtendGatewaySpendRequest) -> pb.ExtendGatewaySpendResponse:
        """Give an open reservation more time."""
        validate(request)
        with self.write() as transaction:
            ledger = self.ledger(transaction)
            stored = _current(ledger, _own_reservation(transaction, request.reservation_id))
            reservation = stored.reservation
            # An expired one stays so, also in the store.
            if reservation.state == _OPEN:
                reservation.expires_at = max(reservation.expires_at, ledger.now + _ttl(request))
                transaction.budget_reservations.update(stored, None)
        if reservation.state == _EXPIRED:
            raise _failed(f"has expired, and its estimate was recorded: {reservation.amount_nanos}", "RESERVATION_EXPIRED")
        if reservation.state != _OPEN:
            raise _settled(reservation)
        return pb.ExtendGatewaySpendResponse(reservation=reservation.to_proto())

    def expire_reservations(self) -> bool:
        """Settle the reservations whose time is over, up to EXPIRED_PER_STEP; return whether there may be more.

        Raises:
            GatewayError: UNAVAILABLE, from the store.
        """
        with self.store.read() as transaction:
            if not transaction.budget_reservations.overdue(transaction.now, 1):
                return False
        with self.store.write() as transaction:
            return settle_expired(self.ledger(transaction), EXPIRED_PER_STEP) == EXPIRED_PER_STEP

    def _settle(
        self, reservation_id: str, state: GatewayReservationState, nanos: int
    ) -> tuple[GatewaySpendReservation, Sequence[Spend], Ledger]:
        with self.write() as transaction:
            ledger = self.ledger(transaction, f"settle {reservation_id}")
            settle_expired(ledger, _EXTRA)
            stored = _current(ledger, _own_reservation(transaction, reservation_id))
            reservation = stored.reservation
            if reservation.state in (_OPEN, _EXPIRED):
                spends: Sequence[Spend] = _settle(ledger, stored, state, nanos)
            elif (reservation.state, reservation.recorded_nanos) == (state, nanos):
                spends = transaction.budget_spend.of_windows(list(stored.held))
                ledger.repeat()
            else:
                raise _settled(reservation)
        return reservation, spends, ledger


def settle_expired(ledger: Ledger, limit: int) -> int:
    """Record the estimates of reservations whose time is over, up to ``limit``; return their number."""
    overdue = ledger.transaction.budget_reservations.overdue(ledger.now, limit)
    for stored in overdue:
        _settle(ledger, stored, _EXPIRED, stored.reservation.amount_nanos)
    return len(overdue)


def require_own(transaction: Transaction, stored: StoredReservation) -> None:
    """Check that a caller whose token is limited to endpoints may settle a reservation: one of its own, or on one of them.

    Raises:
        GatewayError: NOT_FOUND; it may not.
    """
    # Most callers may use every endpoint, also a deleted one: that needs no look-up.
    if not may_use(None) and (stored.actor is None or stored.actor != CALLER.get()):
        name = transaction.endpoints.name(stored.reservation.endpoint_id)
        if not may_use(name):
            raise _unknown(stored.reservation.reservation_id)


def _own_reservation(transaction: Transaction, reservation_id: str) -> StoredReservation:
    stored = transaction.budget_reservations.get(reservation_id)
    if stored is None:
        raise _unknown(reservation_id)
    require_own(transaction, stored)
    return stored


def _current(ledger: Ledger, stored: StoredReservation) -> StoredReservation:
    """Return a reservation, after it has expired if its time is over."""
    reservation = stored.reservation
    if reservation.state == _OPEN and reservation.expires_at <= ledger.now:
        _settle(ledger, stored, _EXPIRED, reservation.amount_nanos)
    return stored


def _reserve(
    ledger: Ledger, request: pb.ReserveGatewaySpendRequest, content: bytes, found: Sequence[Spend]
) -> tuple[StoredReservation, list[Spend]]:
    transaction, now = ledger.transaction, ledger.now
    before = [counter_at(spend, now, now) for spend in found]
    after = [ledgers.reserve(counter, request.amount_nanos) for counter in before]
    spends = ledger.store((spend.policy, counter) for spend, counter in zip(found, after, strict=True))
    held = {
        _counter(spend).window_id: _counter(spend).reserved - counter.reserved
        for spend, counter in zip(spends, before, strict=True)
    }
    reservation = GatewaySpendReservation(
        new_id("br"),
        request.endpoint_id,
        request.budget_unit,
        request.amount_nanos,
        _OPEN,
        now,
        now + _ttl(request),
        spender_workspace(request),
        user=request.user or None,
    )
    stored = StoredReservation(reservation, content, CALLER.get(), held)
    transaction.budget_reservations.add(request.request_id, stored)
    transaction.budget_reservations.prune(now - SPEND_RETENTION_MS, 1 + _EXTRA)
    return stored, spends


def _settle(ledger: Ledger, stored: StoredReservation, state: GatewayReservationState, nanos: int) -> list[Spend]:
    """Move a reservation that is open or has expired to a state, with the amount that it then has recorded."""
    reservation, held, transaction = stored.reservation, stored.held, ledger.transaction
    was_open, before = reservation.state == _OPEN, reservation.recorded_nanos or 0
    move: Callable[[Counter, int, int], Counter] = ledgers.settle if was_open else ledgers.replace
    # What one window could not take is not recorded there either when the reservation expires.
    is_estimate = state == _EXPIRED
    spends = ledger.store(
        (policy, move(counter, held[counter.window_id], held[counter.window_id] if is_estimate else nanos))
        for policy, counter in transaction.budget_spend.of_windows(list(held))
        if counter is not None
    )
    charges = (state != _RELEASED) - (not was_open)
    reservation.state, reservation.recorded_nanos = state, nanos
    transaction.budget_reservations.update(stored, ledger.now)
    if nanos != before or charges:
        day = reservation.created_at // DAY_MS * DAY_MS
        key = SpendKey(day, reservation.endpoint_id, reservation.user or "", int(reservation.budget_unit))
        transaction.spend_days.add(key, nanos - before, charges)
    return spends


def _rejection(found: Sequence[Spend], nanos: int, now: int) -> GatewaySpendRefusal | None:
    counted = [(spend.policy, counter_at(spend, now, now)) for spend in found]
    refusing = [(policy, counter) for policy, counter in counted if ledgers.refuses(policy, counter, nanos)]
    refusals = [GatewaySpendRefusal(policy, balance_of(policy, counter)) for policy, counter in refusing]
    return min(refusals, key=lambda each: (each.balance.remaining_nanos or 0, -each.balance.window_end_ms), default=None)


def _balances(spends: Sequence[Spend]) -> list[budget_pb2.GatewayBudgetBalance]:
    return [balance_of(policy, counter).to_proto() for policy, counter in spends if counter is not None]


def _counter(spend: Spend) -> Counter:
    assert spend.counter is not None  # noqa: S101 - it is stored.
    return spend.counter


def _ttl(request: pb.ReserveGatewaySpendRequest | pb.ExtendGatewaySpendRequest) -> int:
    return request.ttl_ms or _DEFAULT_TTL_MS


def _content(request: pb.ReserveGatewaySpendRequest) -> bytes:
    """Return a digest of the content of a request, to compare repeated ones."""
    workspace, unit = spender_workspace(request), request.budget_unit
    content = [request.endpoint_id, workspace, request.user, request.amount_nanos, unit, _ttl(request)]
    return hashlib.sha256(json.dumps(content).encode()).digest()


def _unknown(reservation_id: str) -> GatewayError:
    return not_found("GatewaySpendReservation", {"reservation_id": reservation_id})


def _settled(reservation: GatewaySpendReservation) -> GatewayError:
    if reservation.state == _RELEASED:
        return _failed("was released; record what was spent with RecordGatewaySpend", "RESERVATION_SETTLED")
    return _failed(f"was committed with {reservation.recorded_nanos} nano-units", "RESERVATION_SETTLED")


def _failed(why: str, reason: str) -> GatewayError:
    return GatewayError(Code.FAILED_PRECONDITION, f"The reservation {why}", reason=reason)
