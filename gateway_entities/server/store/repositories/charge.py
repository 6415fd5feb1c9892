"""Recorded charges, to recognize repeated requests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select

from gateway_entities.server.store.sql import execute
from gateway_entities.server.store.sql.schema import budget_charges

_own = budget_charges.c

_GET: Final = select(_own.content, _own.window_ids).where(_own.request_id == bindparam("request_id"))
_ADD: Final = insert(budget_charges)
_OLDEST: Final = (
    select(_own.request_id)
    .where(_own.recorded_at <= bindparam("until"))
    .order_by(_own.recorded_at)
    .limit(bindparam("limit"))
)
_PRUNE: Final = delete(budget_charges).where(_own.request_id.in_(_OLDEST))


class Charge(NamedTuple):
    """A recorded charge.

    Attributes:
        content: the digest of its content.
        window_ids: the windows it was added to.
    """

    content: bytes
    window_ids: Sequence[int]


class BudgetCharges:
    """The recorded charges within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, request_id: str) -> Charge | None:
        """Return the charge with this request_id, or None."""
        row = execute.row(self._connection, _GET, {"request_id": request_id})
        return None if row is None else Charge(row[0], json.loads(row[1]))

    def add(self, request_id: str, content: bytes, window_ids: Sequence[int], recorded_at: int) -> None:
        """Add a charge.

        Args:
            request_id: its idempotency key.
            content: the digest of its content.
            window_ids: the windows it is added to.
            recorded_at: the time, in milliseconds since the Unix epoch, UTC.

        Raises:
            GatewayError: ALREADY_EXISTS; the request_id has a charge.
        """
        row = {
            "request_id": request_id,
            "content": content,
            "window_ids": json.dumps(window_ids),
            "recorded_at": recorded_at,
        }
        execute.run(self._connection, _ADD, row)

    def prune(self, until: int, limit: int) -> int:
        """Delete the oldest charges recorded at or before a time, up to ``limit``; return their number."""
        return execute.run(self._connection, _PRUNE, {"until": until, "limit": limit})
