"""``gateway-entities config plan | apply | rollback``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from gateway_entities.cli.config import options
from gateway_entities.cli.config.source import Loaded, load
from gateway_entities.cli.config.values import resolve
from gateway_entities.cli.options.connection import connection_options
from gateway_entities.entities import GatewayConfigurationPlan
from gateway_entities.errors import Code, GatewayError

if TYPE_CHECKING:
    from gateway_entities.client import ApplyResult, GatewayClient

    Connect = Callable[[], GatewayClient]

_ATTEMPTS: Final = 3
"""How often an apply is planned again if what it was planned on has changed meanwhile."""

_updated_by: Final = click.option("--updated-by", metavar="ACTOR", help="Actor to record with the change.")
_request_id: Final = click.option(
    "--request-id", metavar="ID", help="Idempotency key: a repeat within 24 hours returns the stored response."
)
_dry_run: Final = click.option("--dry-run", is_flag=True, help="Show what would be done, and change nothing.")


@click.command()
@options.together(options.paths, options.prune, options.adopt)
@click.option("--with-values", is_flag=True, help="Read the values of value_from and compare them. Needs the scope write.")
@options.together(options.allow_command, options.allow_folder, options.output, options.detailed_exitcode, connection_options)
def plan(
    connect: Connect,
    paths: Sequence[str],
    *,
    with_values: bool,
    allow_command: bool,
    allow_folders: Sequence[str],
    output: str,
    detailed_exitcode: bool,
    **request: Any,
) -> None:
    """Show what apply would do. FILE is a file or a folder; default: gateway.yaml.

    It changes nothing, and neither reads the values of secrets nor runs commands, unless --with-values says so.
    """
    loaded = load(paths)
    values = resolve(loaded, allow_command=allow_command, allow_folders=allow_folders) if with_values else None
    with connect() as client:
        found = _planned(client, loaded, values, request)
    _finish(found, output, detailed_exitcode=detailed_exitcode)


@click.command()
@options.together(options.paths, options.prune, options.adopt, options.allow_command, options.allow_folder, _dry_run)
@click.option("--plan", "plan_file", metavar="FILE", help="Apply only if the store is still as in this plan (plan -o json).")
@options.together(_updated_by, _request_id, options.output, options.detailed_exitcode, connection_options)
def apply(
    connect: Connect,
    paths: Sequence[str],
    *,
    allow_command: bool,
    allow_folders: Sequence[str],
    dry_run: bool,
    plan_file: str | None,
    updated_by: str | None,
    request_id: str | None,
    output: str,
    detailed_exitcode: bool,
    **request: Any,
) -> None:
    """Make the gateway as the files say, in one change. FILE is a file or a folder; default: gateway.yaml.

    Either everything is done or nothing. Applied again it changes nothing.
    """
    loaded = load(paths)
    basis = None if plan_file is None else _saved_plan(plan_file).basis
    values = resolve(loaded, allow_command=allow_command, allow_folders=allow_folders)

    with connect() as client:

        def plan_again() -> GatewayConfigurationPlan:
            return _planned(client, loaded, values, request)

        def apply_it(found: GatewayConfigurationPlan) -> ApplyResult:
            try:
                return client.apply_configuration(
                    loaded.configuration,
                    **request,
                    secret_values=values,
                    basis=basis or found.basis,
                    updated_by=updated_by,
                    request_id=request_id,
                )
            except GatewayError as error:
                raise loaded.explain(error) from error

        attempts = _ATTEMPTS if basis is None else 1
        found, result = _carry_out(plan_again, None if dry_run else apply_it, attempts)
    _finish(found, output, result, detailed_exitcode=detailed_exitcode)


@click.command()
@click.argument("revision", type=click.IntRange(min=0))
@click.option("--with-bindings", is_flag=True, help="Return to the bindings, too.")
@options.together(_dry_run, _updated_by, _request_id, options.output, options.detailed_exitcode, connection_options)
def rollback(
    connect: Connect,
    revision: int,
    *,
    with_bindings: bool,
    dry_run: bool,
    updated_by: str | None,
    request_id: str | None,
    output: str,
    detailed_exitcode: bool,
) -> None:
    """Return to the configuration after an earlier revision, as a new change.

    Secrets keep their values; those that were deleted since return without one.
    """
    with connect() as client:

        def plan_again() -> GatewayConfigurationPlan:
            return client.plan_rollback(revision, with_bindings=with_bindings)

        def roll_back(found: GatewayConfigurationPlan) -> ApplyResult:
            return client.rollback_configuration(
                revision, with_bindings=with_bindings, basis=found.basis, updated_by=updated_by, request_id=request_id
            )

        found, result = _carry_out(plan_again, None if dry_run else roll_back, _ATTEMPTS)
    _finish(found, output, result, detailed_exitcode=detailed_exitcode)


def _planned(
    client: GatewayClient, loaded: Loaded, values: dict[str, dict[str, str]] | None, request: dict[str, Any]
) -> GatewayConfigurationPlan:
    try:
        return client.plan_configuration(loaded.configuration, **request, secret_values=values)
    except GatewayError as error:
        raise loaded.explain(error) from error


def _carry_out(
    plan_again: Callable[[], GatewayConfigurationPlan],
    act: Callable[[GatewayConfigurationPlan], ApplyResult] | None,
    attempts: int,
) -> tuple[GatewayConfigurationPlan, ApplyResult | None]:
    """Plan and act, so that what is shown is what was done."""
    while True:
        found = plan_again()
        attempts -= 1
        try:
            return found, None if act is None else act(found)
        except GatewayError as error:
            if error.code != Code.ABORTED or error.reason != "STALE_PLAN" or attempts <= 0:
                raise


def _finish(
    found: GatewayConfigurationPlan, form: str, result: ApplyResult | None = None, *, detailed_exitcode: bool
) -> None:
    document = found.to_dict()
    if result is not None:
        document["result"] = result._asdict()
    options.show_changes(found.changes, found.effects, form, document=document)
    if result is not None and form != "json":
        done = f"{result.created} created, {result.updated} updated, {result.deleted} deleted"
        click.echo(f"\nApplied as revision {result.revision}: {done}." if found.changes else f"Revision {result.revision}.")
    if detailed_exitcode and found.changes:
        raise click.exceptions.Exit(options.DIFFERENT)


def _saved_plan(path: str) -> GatewayConfigurationPlan:
    try:
        document: dict[str, Any] = json.loads(Path(path).read_bytes())
        document.pop("result", None)
        return GatewayConfigurationPlan.from_dict(document)
    except (OSError, ValueError, AttributeError, GatewayError) as error:
        raise click.UsageError(f"--plan: {path} is no plan of plan -o json: {error}") from None
