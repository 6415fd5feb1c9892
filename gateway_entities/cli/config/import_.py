"""``gateway-entities config import``."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from gateway_entities.cli.cells import printable
from gateway_entities.cli.config.importers import envoy, litellm, mlflow
from gateway_entities.cli.config.importers.fidelity import APPROXIMATED, DROPPED, UNACCOUNTED, Outcome, summary
from gateway_entities.cli.config.nodes import MappingNode, documents, plain
from gateway_entities.cli.config.reading import read
from gateway_entities.cli.config.rewriting import write
from gateway_entities.cli.config.source import Problems, files, read_documents
from gateway_entities.cli.config.variables import escape
from gateway_entities.cli.options.connection import connection_options
from gateway_entities.cli.yaml_text import dump

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway_entities.client import GatewayClient

_SOURCES: Final = ("litellm", "envoy-ai-gateway", "mlflow")


@click.command("import")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--from", "kind", type=click.Choice(_SOURCES), required=True, help="What SOURCE is.")
@click.option("--owner", metavar="NAME", help="The owner that the configuration names.")
@click.option("--into", metavar="FILE", type=click.Path(dir_okay=False), help="Write a new file instead of standard output.")
@click.option("--report", metavar="FILE", type=click.Path(dir_okay=False), help="Write what became of each field, as JSON.")
@connection_options
def import_(
    connect: Callable[[str], GatewayClient],
    sources: Sequence[str],
    *,
    kind: str,
    owner: str | None,
    into: str | None,
    report: str | None,
) -> None:
    """Print another gateway's configuration as one of this gateway, and report what became of each field.

    SOURCE is LiteLLM's config.yaml, the files of Envoy AI Gateway's resources, or the URL of an MLflow server. Values of
    secrets are not copied: value_from names a variable for each. The report, on standard error, has what is approximated or
    dropped.

    Names: each run of characters other than letters, digits, "_", "." and "-" becomes "-", and "*" becomes "all".
    """
    if into is not None and Path(into).exists():
        raise click.UsageError(f"--into: {into} exists already.")
    if kind != "envoy-ai-gateway" and len(sources) > 1:
        raise click.UsageError(f"--from {kind} has one SOURCE.")
    if kind == "mlflow":
        target = sources[0] if sources[0].startswith("mlflow+") else f"mlflow+{sources[0].rstrip('/')}"
        with connect(target) as client:
            result, fidelity = mlflow.convert(client)
    else:
        found = [item for name, _ in files(sources) for item in _documents(name)]
        if kind == "litellm" and len(found) != 1:
            raise click.UsageError(f"{sources[0]} must have one document.")
        result, fidelity = litellm.convert(found[0]) if kind == "litellm" else envoy.convert(found)
    text = dump({**({"owner": escape(owner)} if owner else {}), **result.to_dict()})
    _refuse_invalid(text)
    outcomes = fidelity.outcomes()
    _show(outcomes)
    if report is not None:
        write(Path(report), json.dumps([each._asdict() for each in outcomes], indent=2) + "\n")
    if into is None:
        click.echo(text, nl=False)
    else:
        write(Path(into), text)
        click.echo(f"wrote {into}")


def _documents(name: str) -> list[Mapping[str, Any]]:
    _, found = read_documents(name)
    wrong = [node for node in found if not isinstance(node, MappingNode)]
    if wrong:
        raise click.UsageError(f"{wrong[0].mark}: must be a mapping.")
    return [plain(node) for node in found]


def _refuse_invalid(text: str) -> None:
    """Refuse what the contract does not allow, such as an endpoint with too many models: the file would not apply."""
    problems = read(documents("imported", text)).problems
    if problems:
        raise Problems(problems)


def _show(outcomes: Sequence[Outcome]) -> None:
    for each in outcomes:
        if each.outcome in (APPROXIMATED, DROPPED, UNACCOUNTED):
            click.echo(printable(f"{each.outcome}: {each.path}: {each.note}"), err=True)
    click.echo(summary(list(outcomes)), err=True)
    sys.stderr.flush()
