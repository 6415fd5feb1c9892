"""Alerts of budget windows."""

from __future__ import annotations

import builtins
from typing import Final, cast

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from gateway_entities.entities import GatewaySpendAlert
from gateway_entities.server.store.sql import execute
from gateway_entities.server.store.sql.schema import spend_alerts

_own = spend_alerts.c

_ADD: Final = insert(spend_alerts)
_LAST: Final = select(func.max(_own.alert_id))
_LIST: Final = (
    select(_own.alert_id, _own.content)
    .where(_own.alert_id > bindparam("after"))
    .order_by(_own.alert_id)
    .limit(bindparam("limit"))
)
_OF_SOURCE: Final = (
    select(_own.alert_id, _own.content)
    .where(_own.source == bindparam("source"), _own.raised_at > bindparam("since"))
    .order_by(_own.alert_id)
)
_OLDEST: Final = (
    select(_own.alert_id).where(_own.raised_at <= bindparam("until")).order_by(_own.raised_at).limit(bindparam("limit"))
)
_PRUNE: Final = delete(spend_alerts).where(_own.alert_id.in_(_OLDEST))


class SpendAlerts:
    """The alerts within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, alert: GatewaySpendAlert, source: str | None) -> None:
        """Add an alert, and set its alert_id.

        Args:
            alert: the alert.
            source: names the call that raised it; None if that is never repeated.
        """
        row = {"raised_at": alert.raised_at, "content": alert.to_bytes(), "source": source}
        # SQLAlchemy types the key as optional, since an insert of several rows has none.
        alert.alert_id = cast("tuple[int]", self._connection.execute(_ADD, row).inserted_primary_key)[0]

    def last(self) -> int:
        """Return the highest alert_id; 0 without alerts."""
        row = execute.row(self._connection, _LAST)
        return 0 if row is None else row[0] or 0

    def list(self, after: int, limit: int) -> builtins.list[GatewaySpendAlert]:
        """Return alerts after an alert_id, in their order."""
        return [_read(row) for row in execute.rows(self._connection, _LIST, {"after": after, "limit": limit})]

    def of_source(self, source: str, since: int) -> builtins.list[GatewaySpendAlert]:
        """Return the alerts that a call has raised after a time, in their order."""
        return [_read(row) for row in execute.rows(self._connection, _OF_SOURCE, {"source": source, "since": since})]

    def prune(self, until: int, limit: int) -> int:
        """Delete the oldest alerts raised at or before a time, up to ``limit``; return their number."""
        return execute.run(self._connection, _PRUNE, {"until": until, "limit": limit})


def _read(row: execute.Row) -> GatewaySpendAlert:
    alert = GatewaySpendAlert.from_bytes(row[1])
    alert.alert_id = row[0]
    return alert
