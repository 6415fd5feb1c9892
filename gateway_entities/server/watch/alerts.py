"""Alerts of budgets in the watch stream. They are events with a sequence of their own, apart from revisions."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from gateway_entities.server.watch import resume_token
from gateway_entities.server.watch.update import Update
from gatewayentities.v1 import change_pb2 as pb

if TYPE_CHECKING:
    from gateway_entities.entities import GatewaySpendAlert
    from gateway_entities.server.store import Store

_INTERVAL_S: Final = 0.05
"""Minimum seconds between two looks."""
_MAX_ALERTS: Final = 200
"""Alerts of one update, which is below 1 MiB."""


class Alerts:
    """The alerts for the watchers of one feed, whose event loop it belongs to.

    A watcher gets what follows the last alert that it has had, before any other update: so no resume token is ahead of the
    alerts that came before it.

    Attributes:
        last: the highest alert_id of the store, as of the last look.
    """

    def __init__(self, store: Store, run: Callable[[Callable[[], Any]], Awaitable[Any]]) -> None:
        """Create it.

        Args:
            store: the store.
            run: runs a function in a thread.
        """
        self.last = 0
        self._store = store
        self._run = run
        self._looked_at = 0.0
        self._key: tuple[str, int, int, int] | None = None
        self._update: Update | None = None

    async def look(self, *, in_any_case: bool = False) -> bool:
        """Look for new alerts, unless that was done just before; return whether there are some."""
        now = time.monotonic()
        if not in_any_case and now - self._looked_at < _INTERVAL_S:
            return False
        self._looked_at = now
        last: int = await self._run(self._read_last)
        is_new = last > self.last
        self.last = last
        return is_new

    def cached(self, store_id: str | None, revision: int, after: int) -> Update | None:
        """Return the update with the alerts after one, for a watcher at a revision, if it is in memory."""
        return self._update if self._key == (store_id, revision, after, self.last) else None

    async def read(self, store_id: str, revision: int, after: int) -> Update | None:
        """Return that update; None if there are no such alerts any more."""
        last = self.last
        alerts: list[GatewaySpendAlert] = await self._run(lambda: self._read(after))
        if not alerts:
            return None
        latest = alerts[-1].alert_id
        message = pb.WatchGatewayResponse(
            store_id=store_id,
            revision=revision,
            alerts=[alert.to_proto() for alert in alerts],
            resume_token=resume_token.create(self._store, store_id, revision, latest),
        )
        self._key = (store_id, revision, after, last)
        self._update = Update(revision, revision, (message.SerializeToString(),), alert_id=latest)
        return self._update

    def _read_last(self) -> int:
        with self._store.read() as transaction:
            return transaction.spend_alerts.last()

    def _read(self, after: int) -> list[GatewaySpendAlert]:
        with self._store.read() as transaction:
            return transaction.spend_alerts.list(after, _MAX_ALERTS)
