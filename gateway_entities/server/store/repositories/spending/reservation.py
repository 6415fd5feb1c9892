"""Reservations of spending."""

from __future__ import annotations

import builtins
import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from gateway_entities.entities import GatewayReservationState, GatewaySpendReservation
from gateway_entities.server.store.sql import execute
from gateway_entities.server.store.sql.schema import budget_reservations

_own = budget_reservations.c

_COLUMNS: Final = (
    _own.reservation_id,
    _own.endpoint_id,
    _own.budget_unit,
    _own.amount_nanos,
    _own.state,
    _own.created_at,
    _own.expires_at,
    _own.workspace,
    _own.recorded_nanos,
    _own.user_name,
    _own.content,
    _own.actor,
    _own.held,
)
_SELECT: Final = select(*_COLUMNS)
_GET: Final = _SELECT.where(_own.reservation_id == bindparam("reservation_id"))
_FIND: Final = _SELECT.where(_own.request_id == bindparam("request_id"))
_ADD: Final = insert(budget_reservations)
_UPDATE: Final = update(budget_reservations).where(_own.reservation_id == bindparam("id"))
_OVERDUE: Final = (
    _SELECT.where(_own.settled_at.is_(None), _own.expires_at <= bindparam("now"))
    .order_by(_own.expires_at)
    .limit(bindparam("limit"))
)
_OLDEST: Final = (
    select(_own.reservation_id)
    .where(_own.settled_at <= bindparam("until"))
    .order_by(_own.settled_at)
    .limit(bindparam("limit"))
)
_PRUNE: Final = delete(budget_reservations).where(_own.reservation_id.in_(_OLDEST))


class StoredReservation(NamedTuple):
    """A reservation with what only the server needs.

    Attributes:
        reservation: the reservation.
        content: the digest of its request.
        actor: the name of the caller's token; None if there was none.
        held: the windows, by id, with what it takes there, in nano-units; of one that has expired, what it has recorded.
    """

    reservation: GatewaySpendReservation
    content: bytes
    actor: str | None
    held: dict[int, int]


class BudgetReservations:
    """The reservations within one transaction. Times are in milliseconds since the Unix epoch, UTC."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, reservation_id: str) -> StoredReservation | None:
        """Return the reservation with this id, or None."""
        row = execute.row(self._connection, _GET, {"reservation_id": reservation_id})
        return None if row is None else _read(row)

    def find(self, request_id: str) -> StoredReservation | None:
        """Return the reservation with this request_id, or None."""
        row = execute.row(self._connection, _FIND, {"request_id": request_id})
        return None if row is None else _read(row)

    def add(self, request_id: str, stored: StoredReservation) -> None:
        """Add an open reservation.

        Raises:
            GatewayError: ALREADY_EXISTS; the request_id has a reservation.
        """
        reservation = stored.reservation
        row = {
            "reservation_id": reservation.reservation_id,
            "request_id": request_id,
            "content": stored.content,
            "endpoint_id": reservation.endpoint_id,
            "workspace": reservation.workspace,
            "user_name": reservation.user,
            "actor": stored.actor,
            "budget_unit": int(reservation.budget_unit),
            "amount_nanos": reservation.amount_nanos,
            "state": int(reservation.state),
            "held": _held(stored.held),
            "created_at": reservation.created_at,
            "expires_at": reservation.expires_at,
        }
        execute.run(self._connection, _ADD, row)

    def update(self, stored: StoredReservation, settled_at: int | None) -> None:
        """Store the state, the recorded amount, the held amounts and the expiry of a reservation.

        Args:
            stored: the reservation.
            settled_at: when it was settled or has expired; None while it is open.
        """
        reservation = stored.reservation
        row = {
            "id": reservation.reservation_id,
            "state": int(reservation.state),
            "recorded_nanos": reservation.recorded_nanos,
            "held": _held(stored.held),
            "expires_at": reservation.expires_at,
            "settled_at": settled_at,
        }
        execute.run(self._connection, _UPDATE, row)

    def overdue(self, now: int, limit: int) -> builtins.list[StoredReservation]:
        """Return open reservations whose time is over, the oldest first."""
        return [_read(row) for row in execute.rows(self._connection, _OVERDUE, {"now": now, "limit": limit})]

    def prune(self, until: int, limit: int) -> int:
        """Delete the oldest reservations settled at or before a time, up to ``limit``; return their number."""
        return execute.run(self._connection, _PRUNE, {"until": until, "limit": limit})


def _read(row: Sequence[Any]) -> StoredReservation:
    reservation_id, endpoint_id, unit, amount, state, created_at, expires_at, workspace, recorded, user, *others = row
    content, actor, held = others
    reservation = GatewaySpendReservation(
        reservation_id,
        endpoint_id,
        unit,
        amount,
        GatewayReservationState(state),
        created_at,
        expires_at,
        workspace,
        recorded,
        user,
    )
    return StoredReservation(reservation, content, actor, dict(json.loads(held)))


def _held(held: dict[int, int]) -> str:
    return json.dumps(list(held.items()), separators=(",", ":"))
