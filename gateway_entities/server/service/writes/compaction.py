"""Compaction: what has outlived its retention is deleted, in small steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gateway_entities.server.service.access_recorder import ACCESS_RETENTION_MS
from gateway_entities.server.service.spending.spend import HISTORY_RETENTION_MS, SPEND_RETENTION_MS
from gateway_entities.server.service.writes.idempotency import IDEMPOTENCY_WINDOW_MS

if TYPE_CHECKING:
    from gateway_entities.server.store import Transaction

STEP_ROWS: Final = 500
"""Maximum number of rows of each table in one step, so that writers never wait long for it."""


class Retention(NamedTuple):
    """Retention of the change log. Whatever it is, the changes of the last 24 hours and the last change are kept.

    Attributes:
        age_ms: changes older than this, in milliseconds, are deleted.
        changes: the maximum number of changes.
    """

    age_ms: int
    changes: int


def compact(transaction: Transaction, retention: Retention, now: int) -> int:
    """Delete up to STEP_ROWS rows of each table that have outlived their retention.

    Args:
        transaction: a write transaction.
        retention: the retention of the change log. That of stored responses, charges and ended budget windows
            is 24 hours, that of accesses to secrets 90 days.
        now: the time, in milliseconds since the Unix epoch, UTC.

    Returns:
        The number of rows deleted from the table that has most of them; STEP_ROWS if there may be more.
    """
    pinned = now - IDEMPOTENCY_WINDOW_MS
    return max(
        transaction.changes.compact(pinned, now - retention.age_ms, retention.changes, STEP_ROWS),
        transaction.stored_responses.prune(pinned, STEP_ROWS),
        transaction.budget_charges.prune(now - SPEND_RETENTION_MS, STEP_ROWS),
        transaction.budget_reservations.prune(now - SPEND_RETENTION_MS, STEP_ROWS),
        transaction.budget_spend.prune(now - HISTORY_RETENTION_MS, STEP_ROWS),
        transaction.spend_alerts.prune(now - HISTORY_RETENTION_MS, STEP_ROWS),
        transaction.spend_days.prune(now - HISTORY_RETENTION_MS, STEP_ROWS),
        transaction.secret_accesses.prune(now - ACCESS_RETENTION_MS, STEP_ROWS),
    )
