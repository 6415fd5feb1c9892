"""``gateway-entities budget-policy``: limits on spending."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from gateway_entities.cli import lookup
from gateway_entities.cli.command import (
    CREATE_OPTIONS,
    MUTATION_OPTIONS,
    UPDATE_OPTIONS,
    Decorator,
    Group,
    changes_nothing,
    clear_option,
    client_command,
    enum_choice,
    update_mask,
)
from gateway_entities.cli.options import names
from gateway_entities.cli.options.moment import TIME
from gateway_entities.cli.output import Done, Windows
from gateway_entities.cli.spending import spend
from gateway_entities.cli.spending.target import target_columns
from gateway_entities.entities import BudgetAction, BudgetDuration, BudgetDurationUnit, BudgetTargetScope, BudgetUnit
from gateway_entities.errors import Code, GatewayError

if TYPE_CHECKING:
    from gateway_entities.client import GatewayClient
    from gateway_entities.entities import (
        GatewayBudgetBalance,
        GatewayBudgetCheck,
        GatewayBudgetPolicy,
        GatewayBudgetWindow,
    )


def _options(*, required: bool) -> tuple[Decorator, ...]:
    units = enum_choice(BudgetDurationUnit)
    return (
        click.option("--amount", type=float, required=required, help="Amount that may be spent in one window."),
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
            help=f"Window length, such as: 1 DAYS. Units: {', '.join(units.choices)}.",
        ),
        click.option("--scope", type=enum_choice(BudgetTargetScope), required=required, help="Requests that count."),
        click.option(
            "--target-value",
            metavar="TARGET",
            shell_complete=names.completed(names.endpoints),
            help="Endpoint (id or name) or user, depending on the scope.",
        ),
        click.option("--action", type=enum_choice(BudgetAction), required=required, help="Action once the amount is spent."),
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
    """Spending limits per time window. The command spend has the ledger: reservations, corrections and reports.

    BUDGET_POLICY is the id of a policy, or the beginning of it that tables show: policies have no names.
    """


@client_command(budget_policy, "get", spend.POLICY)
def get(client: GatewayClient, key: str) -> GatewayBudgetPolicy:
    """Show one policy."""
    return client.get_budget_policy(lookup.budget_policy_id(client, key))


@client_command(budget_policy, "list")
def list_(client: GatewayClient) -> Sequence[GatewayBudgetPolicy]:
    """List policies, oldest first."""
    return client.list_budget_policies()


@client_command(
    budget_policy,
    "windows",
    click.argument("key", metavar="[BUDGET_POLICY]", required=False, shell_complete=names.completed(names.budget_policies)),
    click.option(
        "--past", is_flag=True, help="Show the stored history: the windows of the last 90 days in which something was spent."
    ),
    click.option(
        "--since",
        "ended_since",
        metavar="TIME",
        type=TIME,
        help="Show the history of this time on: windows that end later.",
    ),
)
def windows(client: GatewayClient, /, key: str | None, *, past: bool, ended_since: int | None) -> Windows:
    """Show the current window of each policy, or of one, with what was spent in it.

    Share is the recorded part of the limit. In the bar, # is recorded, = is reserved, and > ends what exceeds the limit.
    Overruns are named by their cause.
    """
    budget_policy_id = None if key is None else lookup.budget_policy_id(client, key)
    if past and ended_since is None:
        ended_since = 0
    found: Sequence[GatewayBudgetBalance] | Sequence[GatewayBudgetWindow]
    try:
        found = client.list_budget_balances(budget_policy_id=budget_policy_id, ended_since=ended_since)
    except GatewayError as error:
        if error.code != Code.UNIMPLEMENTED or ended_since is not None:
            raise
        # MLflow's servers have windows, and no ledger.
        windows = client.list_budget_windows()
        found = [window for window in windows if budget_policy_id in {None, window.budget_policy_id}]
    return Windows(found, lambda brief: target_columns(client, brief=brief))


@client_command(budget_policy, "create", *_options(required=True), *CREATE_OPTIONS)
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
    **change: Any,
) -> GatewayBudgetPolicy:
    """Create a policy."""
    return client.create_budget_policy(
        budget_unit=BudgetUnit[unit],
        budget_amount=amount,
        duration=_duration(window),
        target_scope=BudgetTargetScope[scope],
        budget_action=BudgetAction[action],
        target_value=None if target_value is None else _target(client, BudgetTargetScope[scope], target_value),
        **change,
    )


@client_command(
    budget_policy, "update", spend.POLICY, *_options(required=False), clear_option("target_value"), *UPDATE_OPTIONS
)
def update(
    client: GatewayClient,
    /,
    key: str,
    *,
    amount: float | None,
    unit: str | None,
    window: tuple[int, str] | None,
    scope: str | None,
    target_value: str | None,
    action: str | None,
    clear: Sequence[str],
    **change: Any,
) -> GatewayBudgetPolicy:
    """Update the given fields of a policy. A new scope clears the old target."""
    budget_policy_id = lookup.budget_policy_id(client, key)
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
    if changes_nothing(clear, given):
        return client.get_budget_policy(budget_policy_id)
    return client.update_budget_policy(budget_policy_id, **given, **change, update_mask=update_mask(clear, given))


@client_command(budget_policy, "delete", spend.POLICY, *MUTATION_OPTIONS)
def delete(client: GatewayClient, /, key: str, **change: Any) -> Done:
    """Delete a policy."""
    found = lookup.budget_policy_id(client, key)
    client.delete_budget_policy(found, **change)
    return Done(f"deleted {found}")


spend.add_record(budget_policy, "spend")


@client_command(budget_policy, "check", spend.ENDPOINT, *spend.CALLER_OPTIONS)
def check(client: GatewayClient, key: str, *, user: str | None, workspace: str | None) -> GatewayBudgetCheck:
    """Check whether the budgets allow a request to an endpoint now, and show the tightest one. Exit code 1 if not."""
    return client.check_budget(lookup.endpoint_id(client, key), workspace=workspace, user=user)


def _duration(window: tuple[int, str]) -> BudgetDuration:
    value, unit = window
    return BudgetDuration(unit=BudgetDurationUnit[unit], value=value)


def _target(client: GatewayClient, scope: int, value: str) -> str:
    return lookup.endpoint_id(client, value) if scope == BudgetTargetScope.ENDPOINT else value
