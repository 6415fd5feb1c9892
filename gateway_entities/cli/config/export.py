"""``gateway-entities config export``."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway_entities.cli.config.nodes import MappingNode
from gateway_entities.cli.config.rewriting import rewrite, write
from gateway_entities.cli.config.source import read_documents
from gateway_entities.cli.config.writing import to_yaml
from gateway_entities.cli.options.connection import connection_options
from gateway_entities.cli.output import document_text

if TYPE_CHECKING:
    from gateway_entities.client import GatewayClient


@click.command()
@click.option(
    "--owner", metavar="NAME", help="Only resources of this owner. Default: with --into that of the file, else all."
)
@click.option("--at-revision", metavar="REVISION", type=click.IntRange(min=0), help="As it was after this change.")
@click.option("--with-bindings", is_flag=True, help="With the bindings of endpoints.")
@click.option("--into", metavar="FILE", type=click.Path(dir_okay=False), help="Bring this file up to date, comments kept.")
@click.option("--schema", metavar="URL", help="Name this JSON Schema for editors, in a comment. See: config schema.")
@click.option("-o", "--output", type=click.Choice(["yaml", "json"]), default="yaml", show_default=True, help="Form.")
@connection_options
def export(
    connect: Callable[[], GatewayClient],
    *,
    owner: str | None,
    at_revision: int | None,
    with_bindings: bool,
    into: str | None,
    schema: str | None,
    output: str,
) -> None:
    """Print the configuration of the gateway, by names. Secret values are never in it.

    --into keeps comments, order, variables and value_from of a file; without a difference the file stays as it is.
    """
    if into is not None and output == "json":
        raise click.UsageError("--into writes YAML.")
    text = None
    if into is not None and Path(into).exists():
        text, found = read_documents(into)
        if len(found) > 1:
            raise click.UsageError(f"--into: {into} has several documents.")
        if owner is None and found and isinstance(found[0], MappingNode) and (named := found[0].entries.get("owner")):
            owner = getattr(named, "text", None)
    with connect() as client:
        exported = client.export_configuration(at_revision=at_revision, owner=owner, with_bindings=with_bindings)
    if into is None:
        shown = to_yaml(exported, schema=schema) if output == "yaml" else document_text(exported.to_dict(), "json") + "\n"
        click.echo(shown, nl=False)
        return
    if text is None:
        write(Path(into), to_yaml(exported, schema=schema))
        click.echo(f"wrote {into}")
        return
    rewritten = rewrite(into, text, exported.to_dict(), os.environ, bindings=with_bindings)
    if rewritten == text:
        click.echo(f"{into} is up to date")
    else:
        write(Path(into), rewritten)
        click.echo(f"updated {into}")
