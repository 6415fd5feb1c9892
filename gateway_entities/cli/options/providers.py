"""Options for the providers that a server allows besides public ones, and for those that it offers."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

allow_api_base_option: Final = click.option(
    "--allow-api-base",
    "allowed_api_bases",
    metavar="HOST[:PORT]",
    multiple=True,
    envvar="GATEWAY_ENTITIES_ALLOW_API_BASE",
    show_envvar=True,
    help="Host of a provider whose api_base may be http and need not be public, such as localhost:11434; without a port, "
    "all its ports. It must be the name or address in api_base. Repeatable; in the variable, separated by spaces. Default: "
    "none, so that only https addresses of public hosts are accepted.",
)

provider_catalog_option: Final = click.option(
    "--provider-catalog",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="JSON file of the providers and models that MLflow's web page offers, instead of the built-in ones. It is read at "
    "the start.",
)
