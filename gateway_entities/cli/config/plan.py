"""``gateway-entities config plan | apply | rollback``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import click

from gateway_entities.cli import nodes
from gateway_entities.cli.cells import printable
from gateway_entities.cli.config import options
from gateway_entities.cli.config.source import Loaded, load
from gateway_entities.cli.config.values import resolve
from gateway_entities.cli.options.connection import connection_options
from gateway_entities.entities import (
    GatewayConfigurationPlan,
    GatewayPlanAction,
    GatewayPlannedChange,
    GatewayPlanNoteKind,
)
from gateway_entities.errors import Code, GatewayError

if TYPE_CHECKING:
    from gateway_entities.client import ApplyResult, GatewayClient

    Connect = Callable[[], GatewayClient]

_MAX_NAMED: Final = 20
_ATTEMPTS: Final = 3
"""How often an apply is planned again if what it was planned on has changed meanwhile."""

_ADVICE: Final = "--values FILE reads values from where value_from in a configuration file says"

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
    output: options.PlanForm,
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
    _show(found, output)
    _exit(found, detailed_exitcode=detailed_exitcode)


@click.command()
@options.together(options.paths, options.prune, options.adopt, options.allow_command, options.allow_folder, _dry_run)
@click.option(
    "--plan",
    "plan_file",
    metavar="FILE",
    help="Apply only what this plan (plan -o json) says, to a store that is still as it was.",
)
@options.together(_updated_by, _request_id, nodes.wait_option, options.output, options.detailed_exitcode, connection_options)
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
    wait_for_nodes: float | None,
    output: options.PlanForm,
    detailed_exitcode: bool,
    **request: Any,
) -> None:
    """Make the gateway as the files say, in one change. FILE is a file or a folder; default: gateway.yaml.

    Either everything is done or nothing. Applied again it changes nothing.
    """
    loaded = load(paths)
    saved = None if plan_file is None else _saved_plan(plan_file)
    values = resolve(loaded, allow_command=allow_command, allow_folders=allow_folders)

    with connect() as client:

        def plan_again() -> GatewayConfigurationPlan:
            return _planned(client, loaded, values, request)

        def apply_it(found: GatewayConfigurationPlan) -> ApplyResult:
            if saved is not None and found.basis == saved.basis:
                # Otherwise the gateway names what has moved.
                _refuse_other(saved, found)
            try:
                return client.apply_configuration(
                    loaded.configuration,
                    **request,
                    secret_values=values,
                    basis=found.basis if saved is None else saved.basis,
                    updated_by=updated_by,
                    request_id=_once(request_id, found),
                )
            except GatewayError as error:
                raise loaded.explain(error) from error

        attempts = _ATTEMPTS if saved is None else 1
        found, result = _carry_out(plan_again, None if dry_run else apply_it, attempts)
        _show(found, output, result)
        _wait(client, found, None if dry_run else wait_for_nodes)
    _exit(found, detailed_exitcode=detailed_exitcode)


@click.command()
@click.argument("revision", type=click.IntRange(min=0))
@click.option("--with-bindings", is_flag=True, help="Return to the bindings, too.")
@click.option(
    "--values",
    "value_paths",
    metavar="FILE",
    multiple=True,
    help="Read values of secrets from where value_from in this file or folder says. Other secrets in it do not matter. "
    "Repeatable.",
)
@options.together(options.allow_command, options.allow_folder, _dry_run, _updated_by, _request_id)
@options.together(nodes.wait_option, options.output, options.detailed_exitcode, connection_options)
def rollback(
    connect: Connect,
    revision: int,
    *,
    with_bindings: bool,
    value_paths: Sequence[str],
    allow_command: bool,
    allow_folders: Sequence[str],
    dry_run: bool,
    updated_by: str | None,
    request_id: str | None,
    wait_for_nodes: float | None,
    output: options.PlanForm,
    detailed_exitcode: bool,
) -> None:
    """Return to the configuration after an earlier revision, as a new change.

    Secrets keep their values; those that were deleted since return without one, unless --values has it. A secret that had
    another provider or api_base then needs --values: its stored value would go to another address.
    """
    loaded = load(value_paths) if value_paths else None
    given = {} if loaded is None else resolve(loaded, allow_command=allow_command, allow_folders=allow_folders)
    with connect() as client:
        then = client.export_configuration(at_revision=revision).secrets if given else ()
        values = {secret.name: given[secret.name] for secret in then if secret.name in given}

        def plan_again() -> GatewayConfigurationPlan:
            return client.plan_rollback(revision, with_bindings=with_bindings, secret_values=values)

        def roll_back(found: GatewayConfigurationPlan) -> ApplyResult:
            return client.rollback_configuration(
                revision,
                with_bindings=with_bindings,
                secret_values=values,
                basis=found.basis,
                updated_by=updated_by,
                request_id=_once(request_id, found),
            )

        try:
            found, result = _carry_out(plan_again, None if dry_run else roll_back, _ATTEMPTS)
        except GatewayError as error:
            raise _with_advice(error) from error
        _show(found, output, result)
        _name_missing_values(found)
        _wait(client, found, None if dry_run else wait_for_nodes)
    _exit(found, detailed_exitcode=detailed_exitcode)


def _with_advice(error: GatewayError) -> GatewayError:
    """Return the error of a rollback, with what to do where it needs values of secrets."""
    needed = any(each.field.startswith("secret ") for each in error.field_violations)
    if error.code != Code.INVALID_ARGUMENT or not needed:
        return error
    return GatewayError(
        error.code,
        f"nothing was changed: these secrets had another provider or address then, and need their values; {_ADVICE}",
        field_violations=error.field_violations,
        reason=error.reason,
    )


def _name_missing_values(found: GatewayConfigurationPlan) -> None:
    kind = GatewayPlanNoteKind.GATEWAY_PLAN_NOTE_KIND_SECRET_DELETED_SINCE
    names = [each.name for each in found.changes if any(note.kind == kind for note in each.notes)]
    if names:
        listed = ", ".join(map(printable, names))
        click.echo(f"Without a value: {listed}. Their endpoints cannot be resolved; {_ADVICE}.", err=True)


def _once(request_id: str | None, found: GatewayConfigurationPlan) -> str | None:
    """Return the idempotency key of what a plan says. Where nothing is left to do, a repeat may be of another plan."""
    return request_id if found.changes else None


def _planned(
    client: GatewayClient, loaded: Loaded, values: dict[str, dict[str, str]] | None, request: dict[str, Any]
) -> GatewayConfigurationPlan:
    try:
        return client.plan_configuration(loaded.configuration, **request, secret_values=values)
    except GatewayError as error:
        moved = any("its value is sent too" in each.description for each in error.field_violations)
        if moved and values is None and loaded.reading.sources:
            click.echo("--with-values sends the values that value_from names.", err=True)
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


def _show(found: GatewayConfigurationPlan, form: options.PlanForm, result: ApplyResult | None = None) -> None:
    document = found.to_dict()
    if result is not None:
        document["result"] = result._asdict()
    options.show_changes(found.changes, found.effects, form, document=document)
    if result is not None and form in {"text", "markdown"}:
        done = f"{result.created} created, {result.updated} updated, {result.deleted} deleted"
        if result.created + result.updated + result.deleted > len(found.changes):
            # Otherwise the numbers would contradict those of the plan above.
            done += ", what this affects included"
        click.echo(f"\nApplied as revision {result.revision}: {done}." if found.changes else f"Revision {result.revision}.")


def _wait(client: GatewayClient, found: GatewayConfigurationPlan, seconds: float | None) -> None:
    if seconds is not None and found.changes:
        nodes.wait_for_nodes(client, seconds)


def _exit(found: GatewayConfigurationPlan, *, detailed_exitcode: bool) -> None:
    if detailed_exitcode and found.changes:
        raise click.exceptions.Exit(options.DIFFERENT)


def _saved_plan(path: str) -> GatewayConfigurationPlan:
    try:
        document: Any = json.loads(Path(path).read_bytes())
        if not isinstance(document, dict):
            raise ValueError("it is no JSON object")
        found = cast("dict[str, Any]", document)
        found.pop("result", None)
        return GatewayConfigurationPlan.from_dict(found)
    except OSError as error:
        raise click.UsageError(f"--plan: cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError, GatewayError) as error:
        raise click.UsageError(f"--plan: {path} is no plan of plan -o json: {error}") from None


def _refuse_other(saved: GatewayConfigurationPlan, now: GatewayConfigurationPlan) -> None:
    """Check that a plan of now says what a saved one does.

    The values of secrets are left out: a plan need not have read them.
    """
    before, after = ({(c.noun, c.name, c.id): _said(c) for c in each.changes} for each in (saved, now))
    keys = before.keys() | after.keys()
    others = sorted({f"{key[0]} '{key[1]}'" for key in keys if before.get(key, ()) != after.get(key, ())})
    if others:
        listed = printable(", ".join(others[:_MAX_NAMED]))
        more = f", and {len(others) - _MAX_NAMED} more" if len(others) > _MAX_NAMED else ""
        raise click.ClickException(
            f"The plan in --plan is not that of these files and options: they differ in {listed}{more}. Nothing was "
            "applied; plan again."
        )


def _said(change: GatewayPlannedChange) -> tuple[object, ...]:
    """Return what a change says beside values of secrets; nothing if there is nothing else."""
    fields = tuple((each.path, each.before, each.after) for each in change.fields if each.path != "secret_value")
    kept = change.action != GatewayPlanAction.GATEWAY_PLAN_ACTION_UPDATE
    return (int(change.action), *fields) if fields or kept else ()
