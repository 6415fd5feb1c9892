"""``gateway-entities budget-policy``: limits on spending."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

import click

from gateway_entities.cli import lookup
from gateway_entities.cli.command import (
    CHANGES,
    CREATES,
    Decorator,
    Group,
    clear_option,
    client_command,
    created_by,
    enum_choice,
    update_mask,
    updated_by,
)
from gateway_entities.cli.output import Done
from gateway_entities.entities import BudgetAction, BudgetDuration, BudgetDurationUnit, BudgetTargetScope, BudgetUnit

if TYPE_CHECKING:
    from gateway_entities.client import GatewayClient
    from gateway_entities.entities import GatewayBudgetCheck, GatewayBudgetPolicy, GatewayBudgetWindow

    _WholeNumber = click.ParamType[int]
else:
    # Older versions of click do not say what a type of parameter makes.
    _WholeNumber = click.ParamType

_MICRO: Final = Decimal("0.000001")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class _Micros(_WholeNumber):
    """An amount of money, as the number of its millionths."""

    name = "amount"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the millionths of an amount that is written as a decimal number. No double is between: they round."""
        try:
            amount = Decimal(value)
            rounded = amount.quantize(_MICRO)
        except InvalidOperation:
            amount = rounded = Decimal("NaN")
        if amount != rounded:
            self.fail(f"{value!r} is not an amount with at most six decimals, such as 0.25.", param, ctx)
        return int(rounded.scaleb(6))


class _Moment(_WholeNumber):
    """A moment, as milliseconds since the Unix epoch."""

    name = "time"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the milliseconds of a moment that is written in ISO 8601; without a zone it is in UTC."""
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a time, such as 2026-11-21T20:00:00Z.", param, ctx)
        return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // timedelta(milliseconds=1)


_POLICY: Final = click.argument("budget_policy_id")
_ENDPOINT: Final = click.argument("key", metavar="ENDPOINT")
_WHOSE: Final = (
    click.option("--user", metavar="NAME", help="Who makes the request."),
    click.option("--workspace", metavar="NAME", help="Where the request comes from. Without it: default."),
)


def _options(*, required: bool) -> tuple[Decorator, ...]:
    units = enum_choice(BudgetDurationUnit)
    return (
        click.option("--amount", type=float, required=required, help="What may be spent in one window."),
        click.option(
            "--unit",
            type=enum_choice(BudgetUnit),
            default="USD" if required else None,
            show_default=required,
            help="Unit of the amount.",
        ),
        click.option(
            "--window",
            metavar="NUMBER UNIT",
            type=(int, units),
            required=required,
            help=f"Length of a window, such as: 1 DAYS. Units: {', '.join(units.choices)}.",
        ),
        click.option("--scope", type=enum_choice(BudgetTargetScope), required=required, help="Whose spending counts."),
        click.option("--target-value", metavar="WHOM", help="The endpoint (id or name) or the user, as the scope has it."),
        click.option(
            "--action", type=enum_choice(BudgetAction), required=required, help="What happens once the amount is spent."
        ),
    )


@click.group(
    "budget-policy",
    cls=Group,
    examples=(
        "gateway-entities budget-policy create --amount 100 --window 1 DAYS --scope GLOBAL --action ALERT",
        "gateway-entities budget-policy create --amount 5 --window 1 WEEKS --scope USER --target-value ann --action REJECT",
        "gateway-entities budget-policy spend my-endpoint --amount 0.25 --user ann",
        "gateway-entities budget-policy check my-endpoint --user ann",
    ),
)
def budget_policy() -> None:
    """Limits on what may be spent in each window of time."""


@client_command(budget_policy, "get", _POLICY)
def get(client: GatewayClient, budget_policy_id: str) -> GatewayBudgetPolicy:
    """Show one policy."""
    return client.get_budget_policy(budget_policy_id)


@client_command(budget_policy, "list")
def list_(client: GatewayClient) -> Sequence[GatewayBudgetPolicy]:
    """List policies, oldest first."""
    return client.list_budget_policies()


@client_command(budget_policy, "windows")
def windows(client: GatewayClient) -> Sequence[GatewayBudgetWindow]:
    """Show the window that each policy is in now, and what was spent in it."""
    return client.list_budget_windows()


@client_command(budget_policy, "create", *_options(required=True), created_by, *CREATES)
def create(
    client: GatewayClient,
    /,
    *,
    amount: float,
    unit: str,
    window: tuple[int, str],
    scope: str,
    target_value: str | None,
    action: str,
    created_by: str | None,
    **change: Any,
) -> GatewayBudgetPolicy:
    """Store a policy under a new id."""
    return client.create_budget_policy(
        budget_unit=BudgetUnit[unit],
        budget_amount=amount,
        duration=_duration(window),
        target_scope=BudgetTargetScope[scope],
        budget_action=BudgetAction[action],
        target_value=None if target_value is None else _target(client, BudgetTargetScope[scope], target_value),
        created_by=created_by,
        **change,
    )


@client_command(
    budget_policy, "update", _POLICY, *_options(required=False), clear_option("target_value"), updated_by, *CHANGES
)
def update(
    client: GatewayClient,
    /,
    budget_policy_id: str,
    *,
    amount: float | None,
    unit: str | None,
    window: tuple[int, str] | None,
    scope: str | None,
    target_value: str | None,
    action: str | None,
    clear: Sequence[str],
    updated_by: str | None,
    **change: Any,
) -> GatewayBudgetPolicy:
    """Change what is given of a policy. A new scope drops the old target."""
    target_scope = None if scope is None else BudgetTargetScope[scope]
    if target_value is not None:
        of_scope = client.get_budget_policy(budget_policy_id).target_scope if target_scope is None else target_scope
        target_value = _target(client, of_scope, target_value)
    given: dict[str, Any] = {
        "budget_unit": None if unit is None else BudgetUnit[unit],
        "budget_amount": amount,
        "duration": None if window is None else _duration(window),
        "target_scope": target_scope,
        "budget_action": None if action is None else BudgetAction[action],
        "target_value": target_value,
    }
    return client.update_budget_policy(
        budget_policy_id, **given, **change, updated_by=updated_by, update_mask=update_mask(clear, given)
    )


@client_command(budget_policy, "delete", _POLICY, *CHANGES)
def delete(client: GatewayClient, /, budget_policy_id: str, **change: Any) -> Done:
    """Delete a policy."""
    client.delete_budget_policy(budget_policy_id, **change)
    return Done(f"deleted {budget_policy_id}")


@client_command(
    budget_policy,
    "spend",
    _ENDPOINT,
    click.option("--amount", type=_Micros(), required=True, help="What a request cost, with at most six decimals."),
    click.option("--unit", type=enum_choice(BudgetUnit), default="USD", show_default=True, help="Unit of the amount."),
    *_WHOSE,
    click.option("--request-id", metavar="TEXT", help="Names this charge: given again, it counts once."),
    click.option("--occurred-at", type=_Moment(), help="When it was spent, such as 2026-11-21T20:00:00Z. Without it: now."),
)
def spend(
    client: GatewayClient,
    key: str,
    *,
    amount: int,
    unit: str,
    user: str | None,
    workspace: str | None,
    request_id: str | None,
    occurred_at: int | None,
) -> Sequence[GatewayBudgetWindow]:
    """Record what a request to an endpoint cost; show the windows that count it."""
    return client.record_spend(
        lookup.endpoint_id(client, key),
        amount,
        request_id=request_id,
        workspace=workspace,
        user=user,
        budget_unit=BudgetUnit[unit],
        occurred_at=occurred_at,
    )


@client_command(budget_policy, "check", _ENDPOINT, *_WHOSE)
def check(client: GatewayClient, key: str, *, user: str | None, workspace: str | None) -> GatewayBudgetCheck:
    """Tell whether a request to an endpoint may be made now, and what the tightest budget leaves."""
    return client.check_budget(lookup.endpoint_id(client, key), workspace=workspace, user=user)


def _duration(window: tuple[int, str]) -> BudgetDuration:
    value, unit = window
    return BudgetDuration(unit=BudgetDurationUnit[unit], value=value)


def _target(client: GatewayClient, scope: int, value: str) -> str:
    return lookup.endpoint_id(client, value) if scope == BudgetTargetScope.ENDPOINT else value
