"""Texts of the balance of a budget's window: amounts, the share of the limit, a bar."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from gateway_entities.entities.amount import from_nanos

if TYPE_CHECKING:
    from gateway_entities.entities import GatewayBudgetBalance, GatewayBudgetPolicy, GatewaySpendAlert

_BAR_CELLS: Final = 20
_EXPONENT_FROM: Final = 1e16


def amount_text(nanos: int) -> str:
    """Return an amount of nano-units in its unit, exact and without an exponent."""
    return f"{from_nanos(nanos):f}"


def float_text(amount: float) -> str:
    """Return a floating-point amount in its unit by its shortest decimal, without an exponent if it is below 10^16."""
    if not abs(amount) < _EXPONENT_FROM:
        return str(amount)
    return f"{Decimal(repr(float(amount))):f}".removesuffix(".0")


def target_text(policy: GatewayBudgetPolicy) -> str:
    """Return what a policy counts: the scope with its target."""
    scope = getattr(policy.target_scope, "name", policy.target_scope)
    return f"{scope}" if policy.target_value is None else f"{scope} {policy.target_value}"


def policy_text(policy: GatewayBudgetPolicy) -> str:
    """Return what a policy limits in a few words: the scope with its target, the amount, and the duration."""
    unit, duration = (getattr(each, "name", each) for each in (policy.budget_unit, policy.duration.unit))
    amount = float_text(policy.budget_amount)
    return f"{target_text(policy)}, {amount} {unit} in {policy.duration.value} {duration}"


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
