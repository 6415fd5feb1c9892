"""``gateway-entities wire vectors``: golden messages for programs in any language to check themselves with."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def vectors(folder: Path) -> None:
    """Write a message of every type in every case into DIR, as bytes and as JSON, with a manifest.

    A file in DIR that is named like a vector and is none any more is removed; anything else stays.
    """
    from gateway_entities.wire.vectors import write

    click.echo(f"{write(folder)} vectors in {folder}")
