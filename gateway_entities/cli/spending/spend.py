"""``gateway-entities spend``: the ledger of spending."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import click

from gateway_entities.cli import lookup
from gateway_entities.cli.cells import printable, time_text
from gateway_entities.cli.command import Group, client_command, enum_choice, request_id_option, updated_by
from gateway_entities.cli.options import names
from gateway_entities.cli.options.amount import AMOUNT
from gateway_entities.cli.options.moment import TIME
from gateway_entities.cli.options.seconds import Seconds
from gateway_entities.cli.output import Reserved
from gateway_entities.cli.spending.balance import alert_text, amount_text, policy_text, target_text
from gateway_entities.cli.spending.report import list_
from gateway_entities.entities import BudgetUnit
from gateway_entities.errors import GatewayError

if TYPE_CHECKING:
    from gateway_entities.client import GatewayClient
    from gateway_entities.entities import (
        GatewayBudgetBalance,
        GatewayBudgetWindow,
        GatewaySpendAlert,
        GatewaySpendReservation,
    )

ENDPOINT: Final = click.argument("key", metavar="ENDPOINT", shell_complete=names.completed(names.endpoints))
POLICY: Final = click.argument("key", metavar="BUDGET_POLICY", shell_complete=names.completed(names.budget_policies))
CALLER_OPTIONS: Final = (
    click.option("--user", metavar="NAME", help="User that makes the request."),
    click.option("--workspace", metavar="NAME", help="Workspace of the request. Default: default."),
)

_RESERVATION: Final = click.argument("reservation_id")
_UNIT: Final = click.option(
    "--unit", type=enum_choice(BudgetUnit), default="USD", show_default=True, help="Unit of the amount."
)
_TTL: Final = click.option(
    "--ttl",
    metavar="SECONDS",
    type=Seconds(min=0.001, max=86_400),
    help="Time to live, from now: then the estimate is charged. Default: 600; at most 86400, 24 hours.",
)


@click.group(
    cls=Group,
    examples=(
        "id=$(gateway-entities spend reserve my-endpoint --amount 0.25 --user ann -o name)",
        'gateway-entities spend commit "$id" --amount 0.0675',
        'gateway-entities spend adjust BUDGET_POLICY --amount=-0.5 --reason "refunded by the provider"',
        "gateway-entities spend list --by day --by endpoint --since 2026-11-01 --plot november.svg",
    ),
)
def spend() -> None:
    """Reservations, charges, corrections and reports of spending.

    Amounts are decimal numbers in units, such as 0.0025, with at most nine decimals. ENDPOINT is the id or the name of an
    endpoint; BUDGET_POLICY is the id of a policy, or the beginning of it that tables show. A command prints the alerts that
    it raises to standard error.
    """


@client_command(
    spend,
    "reserve",
    ENDPOINT,
    click.option("--amount", type=AMOUNT, required=True, help="Estimated cost of the request."),
    _UNIT,
    *CALLER_OPTIONS,
    _TTL,
    click.option("--request-id", metavar="TEXT", help="Idempotency key: a repeat returns the same reservation."),
)
def reserve(
    client: GatewayClient, /, key: str, *, amount: Decimal, unit: str, ttl: float | None, **request: Any
) -> Reserved:
    """Reserve the estimated cost of a request in every budget that matches.

    Exit code 1 if a budget refuses it, or if --request-id is of a reservation that was committed or released. Settle a
    reservation with commit or release; when its time is over the estimate is charged.
    """
    from gateway_entities.client._spend import require_unsettled

    with _rejections(amount):
        made = client.reserve_spend(
            lookup.endpoint_id(client, key), amount, budget_unit=BudgetUnit[unit], ttl_ms=_milliseconds(ttl), **request
        )
    # Not as a context manager, which would settle it. A script that gets a reservation may make its request.
    require_unsettled(made.reservation)
    return _reserved(made.reservation, made.balances, made.alerts)


@client_command(
    spend,
    "commit",
    _RESERVATION,
    click.option("--amount", type=AMOUNT, required=True, help="Actual cost of the request. It may exceed the estimate."),
)
def commit(client: GatewayClient, /, reservation_id: str, *, amount: Decimal) -> Reserved:
    """Record the actual cost of a request in place of its estimate, also after the reservation has expired."""
    return _reserved(*client.commit_spend(reservation_id, amount))


@client_command(spend, "release", _RESERVATION)
def release(client: GatewayClient, /, reservation_id: str) -> Reserved:
    """Give an estimate back, because nothing was spent; also the one that was charged when it expired."""
    return _reserved(*client.release_spend(reservation_id))


@client_command(spend, "extend", _RESERVATION, _TTL)
def extend(client: GatewayClient, /, reservation_id: str, *, ttl: float | None) -> GatewaySpendReservation:
    """Give an open reservation more time. It never gets less."""
    return client.extend_spend(reservation_id, ttl_ms=_milliseconds(ttl))


@client_command(
    spend,
    "adjust",
    POLICY,
    click.option("--amount", type=AMOUNT, help="Amount to add to what is recorded; to subtract, as in --amount=-0.5."),
    click.option("--recorded", type=AMOUNT, help="What is to be recorded, instead of --amount: 0 starts the window again."),
    click.option("--reason", metavar="TEXT", required=True, help="Why, for the change log, without secrets."),
    click.option("--occurred-at", type=TIME, help="A time in the window to correct. Default: now."),
    updated_by,
    request_id_option,
)
def adjust(
    client: GatewayClient, /, key: str, *, amount: Decimal | None, recorded: Decimal | None, **change: Any
) -> GatewayBudgetBalance:
    """Correct what is recorded in a window of a budget policy. The change log has the correction and its reason."""
    if (amount is None) == (recorded is None):
        raise click.UsageError("Give either --amount or --recorded.")
    return client.adjust_spend(lookup.budget_policy_id(client, key), amount, recorded=recorded, **change)


def add_record(group: click.Group, name: str) -> None:
    """Add the command that records a charge to a group."""
    client_command(
        group,
        name,
        ENDPOINT,
        click.option("--amount", type=AMOUNT, required=True, help="Cost of the request, with at most nine decimals."),
        _UNIT,
        *CALLER_OPTIONS,
        click.option("--request-id", metavar="TEXT", help="Idempotency key: repeated charges count once."),
        click.option("--occurred-at", type=TIME, help="Time of the charge, such as 2026-11-21T20:00:00Z. Default: now."),
    )(_record)


def _record(
    client: GatewayClient, /, key: str, *, amount: Decimal, unit: str, **charge: Any
) -> Sequence[GatewayBudgetWindow]:
    """Record the cost of a request to an endpoint, also beyond a limit, and show the windows that count it."""
    windows = client.record_spend(lookup.endpoint_id(client, key), amount=amount, budget_unit=BudgetUnit[unit], **charge)
    _print_alerts(windows.alerts)
    return windows


add_record(spend, "record")
spend.add_command(list_)


def _reserved(
    reservation: GatewaySpendReservation, balances: Sequence[GatewayBudgetBalance], alerts: Sequence[GatewaySpendAlert]
) -> Reserved:
    _print_alerts(alerts)
    return Reserved(reservation, balances, alerts)


def _print_alerts(alerts: Sequence[GatewaySpendAlert]) -> None:
    for alert in alerts:
        recorded = amount_text(alert.balance.recorded_nanos)
        policy = alert.budget_policy
        budget = f"{policy.budget_policy_id} ({target_text(policy)})"
        text = f"alert: budget {budget} has reached {alert_text(alert)}: {recorded} is recorded"
        click.echo(printable(text), err=True)


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


@contextmanager
def _rejections(amount: Decimal) -> Generator[None]:
    """Raise the rejection of an amount with what the policy limits, what is left, and the end of the window as text."""
    from gateway_entities.client import BudgetExceededError

    try:
        yield
    except BudgetExceededError as error:
        policy, balance = error.rejection.budget_policy, error.rejection.balance
        left = amount_text(balance.remaining_nanos or 0)
        message = (
            f"the budget {policy.budget_policy_id} ({policy_text(policy)}) refuses {amount:f}: {left} is left until "
            f"{time_text(balance.window_end_ms)}"
        )
        raise GatewayError(error.code, message, reason=error.reason) from error
