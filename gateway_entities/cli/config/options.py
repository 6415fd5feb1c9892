"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal

import click

from gateway_entities.cli.cells import printable
from gateway_entities.cli.config import plan_text
from gateway_entities.cli.output import document_text
from gateway_entities.entities import GatewayPlannedChange

DIFFERENT: Final = 3
"""Exit code of ``--detailed-exitcode`` if there is a difference."""

PlanForm = Literal["text", "json", "yaml", "markdown", "name"]

paths: Final = click.argument("paths", nargs=-1, metavar="[FILE]...")
detailed_exitcode: Final = click.option(
    "--detailed-exitcode", is_flag=True, help="Exit code 3 if there is a difference, 0 if there is none."
)
output: Final = click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json", "yaml", "markdown", "name"]),
    default="text",
    show_default=True,
    help="Form of the output; name is the noun and the name of what changes on each line.",
)
prune: Final = click.option("--prune", is_flag=True, help="Delete what the owner has and the files do not name.")
adopt: Final = click.option("--adopt", is_flag=True, help="Become the owner of resources of other owners.")
allow_command: Final = click.option("--allow-command", is_flag=True, help="Run the commands that value_from names.")
allow_folder: Final = click.option(
    "--allow-folder",
    "allow_folders",
    metavar="FOLDER",
    multiple=True,
    help="Also read files of value_from below this folder, such as /run/secrets. Repeatable.",
)


def together(*options: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that adds options in the order of the help."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def show_changes(
    changes: Sequence[GatewayPlannedChange],
    effects: Sequence[GatewayPlannedChange],
    form: PlanForm,
    *,
    document: dict[str, Any],
) -> None:
    """Print changes and their effects in a form; ``document`` is that of JSON and YAML."""
    if form in {"json", "yaml"}:
        click.echo(document_text(document, form))
    elif form == "name":
        for each in changes:
            click.echo(printable(f"{each.noun} {each.name}"))
    else:
        click.echo(plan_text.text(changes, effects) if form == "text" else plan_text.markdown(changes, effects))
