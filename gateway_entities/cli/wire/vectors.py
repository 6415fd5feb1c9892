"""``gateway-entities wire vectors``: golden messages, to test implementations in any language."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def vectors(folder: Path) -> None:
    """Write golden messages of every type into DIR, as bytes and JSON, with a manifest.

    Obsolete vectors in DIR are removed; other files are not touched.
    """
    from gateway_entities.wire.vectors import write

    click.echo(f"{write(folder)} vectors in {folder}")
