"""``gateway-entities wire vectors``: golden messages, to test implementations in any language."""

from __future__ import annotations

from pathlib import Path

import click

from gateway_entities.cli.cells import printable
from gateway_entities.cli.wire.source import exit_with


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def vectors(folder: Path) -> None:
    """Write golden messages of every type into DIR, as bytes and JSON, with a manifest.

    Obsolete vectors in DIR are removed; other files are not touched.

    Exit codes: 0 they are written; 2 DIR cannot be written, or a usage error.
    """
    from gateway_entities.wire.vectors import write

    try:
        click.echo(f"{write(folder)} vectors in {folder}")
    except OSError as error:
        click.echo(printable(f"error: {folder}: {error.strerror or error}"), err=True)
        exit_with(2)
