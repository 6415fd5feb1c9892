"""The ledger of budget windows: how amounts move between what is remaining, reserved and recorded, and the alerts of that.

The functions on counters are pure. Each attributes what exceeds the limit to its cause, so that the parts of an overrun
always add up to it.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from gateway_entities.entities import (
    BudgetAction,
    BudgetOverrunCause,
    GatewayBudgetBalance,
    GatewayBudgetOverrun,
    GatewayBudgetPolicy,
    GatewaySpendAlert,
)
from gateway_entities.entities.amount import MAX_NANOS, limit_nanos
from gateway_entities.errors import FieldViolation, GatewayError
from gateway_entities.rules import NONE_ALLOWED, AllowedAddresses
from gateway_entities.server.service.base import BaseService
from gateway_entities.server.service.spending.windows import window_at
from gateway_entities.server.store.repositories.spending.spend import Counter, Spend

if TYPE_CHECKING:
    from gateway_entities.server.store import Store, Transaction

DEFAULT_SHARES: Final = (50, 80, 100)
"""Shares of a limit, in percent, of which there are alerts."""
_REPEATED_MS: Final = 24 * 60 * 60 * 1000
"""How long a call may be repeated; later calls may have its name."""
_MAX_SHARES: Final = 20
_MAX_SHARE: Final = 1000
_CAUSES: Final = tuple(BudgetOverrunCause)[1:]

_log = logging.getLogger(__name__)


def check_shares(shares: Sequence[int]) -> tuple[int, ...]:
    """Return shares in percent, in order, each once.

    Raises:
        GatewayError: INVALID_ARGUMENT; one is not 1 to 1000, or there are more than 20.
    """
    found = tuple(sorted(set(shares)))
    if len(found) > _MAX_SHARES or not all(1 <= share <= _MAX_SHARE for share in found):
        given = ", ".join(map(str, shares))
        description = f"must be at most {_MAX_SHARES} numbers of 1 to {_MAX_SHARE}, in percent, is {given}"
        raise GatewayError.invalid([FieldViolation("alert_shares", description)])
    return found


def limit_of(policy: GatewayBudgetPolicy) -> int | None:
    """Return a policy's amount in nano-units; None for one that no window can reach."""
    nanos = limit_nanos(policy.budget_amount)
    return nanos if nanos <= MAX_NANOS else None


def counter_at(spend: Spend, moment: int, now: int) -> Counter:
    """Return the counter of a policy; without one the empty counter of its window at a moment, which is not stored yet.

    A window that has not ended has the policy's amount as its limit. The stored limit is an older one if the amount was
    changed after the window's end, and the clock was set back since.
    """
    policy, counter = spend
    limit = limit_of(policy)
    if counter is None:
        start, end = window_at(policy.duration.unit, policy.duration.value, moment)
        return Counter(0, start, end, 0, limit=limit)
    return counter if counter.end <= now or counter.limit == limit else relimit(counter, limit)


def refuses(policy: GatewayBudgetPolicy, counter: Counter, nanos: int) -> bool:
    """Return whether a policy refuses to reserve an amount: it would exceed the limit, or the limit has been reached."""
    if policy.budget_action != BudgetAction.REJECT or counter.limit is None:
        return False
    taken = counter.nanos + counter.reserved
    return taken >= counter.limit or taken + nanos > counter.limit


def reserve(counter: Counter, nanos: int) -> Counter:
    """Reserve an amount, as far as there is room."""
    room = MAX_NANOS - counter.nanos - counter.reserved
    after = counter._replace(reserved=counter.reserved + min(nanos, room))
    return _attributed(counter, after, BudgetOverrunCause.RESERVE)


def record(counter: Counter, nanos: int) -> Counter:
    """Record an amount that was not reserved."""
    return _attributed(counter, _recorded(counter, counter.nanos + nanos), BudgetOverrunCause.RECORD)


def settle(counter: Counter, held: int, nanos: int) -> Counter:
    """Record an amount in place of a reserved one."""
    after = counter._replace(reserved=counter.reserved - held)
    return _attributed(counter, _recorded(after, after.nanos + nanos), BudgetOverrunCause.COMMIT, BudgetOverrunCause.RESERVE)


def replace(counter: Counter, before: int, nanos: int) -> Counter:
    """Record an amount in place of a recorded one."""
    after = _recorded(counter, counter.nanos - before + nanos)
    return _attributed(counter, after, BudgetOverrunCause.COMMIT, BudgetOverrunCause.RESERVE)


def adjust(counter: Counter, nanos: int) -> Counter:
    """Set the recorded amount."""
    return _attributed(counter, _recorded(counter, nanos), BudgetOverrunCause.ADJUST, BudgetOverrunCause.ADJUST)


def relimit(counter: Counter, limit: int | None) -> Counter:
    """Set the limit."""
    return _attributed(counter, counter._replace(limit=limit), BudgetOverrunCause.AMOUNT, BudgetOverrunCause.AMOUNT)


def balance_of(policy: GatewayBudgetPolicy, counter: Counter) -> GatewayBudgetBalance:
    """Return the state of a window."""
    remaining = None if counter.limit is None else max(counter.limit - counter.nanos - counter.reserved, 0)
    parts = zip(_CAUSES, counter.overruns, strict=True)
    return GatewayBudgetBalance(
        policy.budget_policy_id,
        counter.start,
        counter.end,
        policy.budget_unit,
        counter.nanos,
        counter.reserved,
        counter.overrun,
        counter.limit,
        remaining,
        [GatewayBudgetOverrun(cause, nanos) for cause, nanos in parts if nanos],
        True if counter.is_full else None,
    )


def reached(counter: Counter, shares: Iterable[int]) -> list[int]:
    """Return the shares of the limit that the recorded amount has reached and that have no alert yet, in order."""
    if counter.limit is None or counter.nanos == 0:
        return []
    return [share for share in sorted(shares) if share > counter.alerted and counter.nanos * 100 >= counter.limit * share]


def _recorded(counter: Counter, nanos: int) -> Counter:
    return counter._replace(nanos=min(max(nanos, 0), MAX_NANOS - counter.reserved))


def _attributed(
    before: Counter, after: Counter, cause: BudgetOverrunCause, undone: BudgetOverrunCause | None = None
) -> Counter:
    """Attribute the change of the overrun: its growth to a cause, and what it shrinks first to the cause that is undone."""
    growth = after.overrun - before.overrun
    if growth == 0:
        return after
    parts = list(before.overruns)
    if growth > 0:
        parts[cause - 1] += growth
    else:
        for each in (undone, *reversed(_CAUSES)):
            if each is not None:
                taken = min(parts[each - 1], -growth)
                parts[each - 1] -= taken
                growth += taken
    return after._replace(overruns=tuple(parts))


class LedgerService(BaseService):
    """Base of the services that write budget windows.

    Attributes:
        alert_shares: the shares of a limit, in percent, of which there are alerts.
        report_alert: called with each alert once it is committed.
    """

    def __init__(self, store: Store, allowed_addresses: AllowedAddresses = NONE_ALLOWED) -> None:
        super().__init__(store, allowed_addresses)
        self.alert_shares: Sequence[int] = DEFAULT_SHARES
        self.report_alert: Callable[[GatewaySpendAlert], None] = lambda _alert: None

    def ledger(self, transaction: Transaction, source: str | None = None) -> Ledger:
        """Return the ledger of a write transaction.

        Args:
            transaction: the transaction.
            source: names the call, to find its alerts when it is repeated.
        """
        return Ledger(transaction, self.alert_shares, self.report_alert, source)


class Ledger:
    """The windows within one write transaction.

    Attributes:
        now: the time of the transaction, in milliseconds since the Unix epoch, UTC.
        alerts: the alerts that it has raised, or that the call has raised before if it is repeated.
    """

    def __init__(
        self,
        transaction: Transaction,
        shares: Sequence[int],
        report: Callable[[GatewaySpendAlert], None],
        source: str | None,
    ) -> None:
        """Begin.

        Args:
            transaction: the transaction.
            shares: the shares of a limit, in percent, of which there are alerts.
            report: called with each alert once it is committed.
            source: names the call; None if it is never repeated.
        """
        self.transaction = transaction
        self.now = transaction.now
        self.alerts: list[GatewaySpendAlert] = []
        self._shares = shares
        self._report = report
        self._source = source

    def repeat(self) -> None:
        """Note that the call was executed before: its alerts are those that it raised then."""
        if self._source is not None:
            self.alerts = self.transaction.spend_alerts.of_source(self._source, self.now - _REPEATED_MS)

    def store(self, changed: Iterable[tuple[GatewayBudgetPolicy, Counter]]) -> list[Spend]:
        """Store changed counters, new ones included, and raise their alerts; return them as stored."""
        found: list[Spend] = []
        known: list[Counter] = []
        for policy, changed_counter in changed:
            counter = self._alerted(policy, changed_counter)
            if counter.window_id:
                known.append(counter)
            else:
                window_id = self.transaction.budget_spend.open(policy.budget_policy_id, counter)
                counter = counter._replace(window_id=window_id)
            found.append(Spend(policy, counter))
        self.transaction.budget_spend.save(known)
        return found

    def relimit(self, policy: GatewayBudgetPolicy) -> None:
        """Set the limit of the windows of a policy that have not ended, after its amount has changed."""
        limit = limit_of(policy)
        spends = self.transaction.budget_spend.of_policy(policy.budget_policy_id, self.now)
        self.store((policy, relimit(counter, limit)) for _, counter in spends if counter and counter.limit != limit)

    def _alerted(self, policy: GatewayBudgetPolicy, counter: Counter) -> Counter:
        shares = reached(counter, self._shares)
        for share in shares:
            alert = GatewaySpendAlert(0, share, policy, balance_of(policy, counter), self.now)
            self.transaction.spend_alerts.add(alert, self._source)
            self.transaction.after_commit.append(functools.partial(self._tell, alert))
            self.alerts.append(alert)
        return counter._replace(alerted=shares[-1]) if shares else counter

    def _tell(self, alert: GatewaySpendAlert) -> None:
        balance = alert.balance
        _log.warning(
            "budget alert: policy %s has recorded %d of %d nano-units, %d %% of its limit",
            alert.budget_policy.budget_policy_id,
            balance.recorded_nanos,
            balance.limit_nanos,
            alert.share_percent,
        )
        self._report(alert)
