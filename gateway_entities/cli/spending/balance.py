"""Texts of the balance of a budget's window: amounts, the share of the limit, a bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway_entities.entities.amount import from_nanos

if TYPE_CHECKING:
    from gateway_entities.entities import GatewayBudgetBalance, GatewaySpendAlert

_BAR_CELLS: Final = 20


def amount_text(nanos: int) -> str:
    """Return an amount of nano-units in its unit, exact and without an exponent."""
    return f"{from_nanos(nanos):f}"


def share_text(balance: GatewayBudgetBalance) -> str:
    """Return the recorded share of the limit in percent, rounded down; ``-`` if there is no limit, or it is 0."""
    if not balance.limit_nanos:
        return "-"
    whole, tenth = divmod(balance.recorded_nanos * 1000 // balance.limit_nanos, 10)
    return f"{whole}.{tenth}%"


def bar(balance: GatewayBudgetBalance) -> str:
    """Return the limit as a bar: ``#`` is recorded, ``=`` reserved, ``.`` remaining. ``-`` where there is no share.

    A cell is full, or it is not drawn. Only what is recorded or reserved beyond the limit ends in ``>``.
    """
    limit = balance.limit_nanos
    if not limit:
        return "-"
    recorded = min(balance.recorded_nanos * _BAR_CELLS // limit, _BAR_CELLS)
    taken = min((balance.recorded_nanos + balance.reserved_nanos) * _BAR_CELLS // limit, _BAR_CELLS)
    cells = "#" * recorded + "=" * (taken - recorded) + "." * (_BAR_CELLS - taken)
    return f"[{cells}{'>' if balance.overrun_nanos else ']'}"


def alert_text(alert: GatewaySpendAlert) -> str:
    """Return an alert in a few words: the share, and the limit."""
    unit = getattr(alert.balance.budget_unit, "name", alert.balance.budget_unit)
    limit = "-" if alert.balance.limit_nanos is None else amount_text(alert.balance.limit_nanos)
    return f"{alert.share_percent}% of {limit} {unit}"
