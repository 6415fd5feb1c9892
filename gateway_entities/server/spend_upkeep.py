"""What servers do for budgets in the background: reservations expire, and metrics show the windows."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from gateway_entities.errors import GatewayError
from gateway_entities.server.service.spending.ledger import counter_at
from gateway_entities.server.telemetry.budget_status import BudgetStatus

if TYPE_CHECKING:
    from gateway_entities.server.service import GatewayService
    from gateway_entities.server.store.repositories.spending.spend import Spend
    from gateway_entities.server.telemetry.metrics import Metrics

_INTERVAL_S: Final = 1.0
"""Seconds between two looks for reservations whose time is over."""
_PAUSE_S: Final = 0.05
"""Seconds between two steps, in which writers have the store."""
_METRICS_S: Final = 5.0
"""Seconds between two readings of the windows for metrics."""
MAX_POLICIES: Final = 1000
"""Policies that metrics show at most: the first ones."""

_log = logging.getLogger(__name__)


class SpendUpkeep:
    """Settles expired reservations once a second, and has metrics show the budgets. All servers of a store may do so."""

    def __init__(self, service: GatewayService, metrics: Metrics) -> None:
        """Create it."""
        self._service = service
        self._metrics = metrics
        self._shown_at = -_METRICS_S
        self._is_failing = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gateway-budgets", daemon=True)

    def start(self) -> None:
        """Start."""
        self._thread.start()

    def close(self) -> None:
        """End, after a step that is under way."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(_INTERVAL_S):
            try:
                while self._service.expire_reservations() and not self._stopping.wait(_PAUSE_S):
                    pass
                self._show()
                self._is_failing = False
            except Exception as error:
                self._log_failure(error)

    def _show(self) -> None:
        if time.monotonic() - self._shown_at < _METRICS_S:
            return
        with self._service.store.read() as transaction:
            now = transaction.now
            spends = transaction.budget_spend.list(now, limit=MAX_POLICIES)
        self._metrics.budgets([_status(spend, now) for spend in spends])
        self._shown_at = time.monotonic()

    def _log_failure(self, error: Exception) -> None:
        if self._is_failing:
            return
        self._is_failing = True
        if isinstance(error, GatewayError):
            _log.warning("expired reservations were not settled: %s", error.message)
        else:
            _log.error("expired reservations were not settled", exc_info=error)


def _status(spend: Spend, now: int) -> BudgetStatus:
    counter = counter_at(spend, now, now)
    return BudgetStatus(spend.policy.budget_policy_id, counter.nanos, counter.reserved, counter.limit, counter.overrun)
