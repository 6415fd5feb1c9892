"""``gateway-entities completion``: scripts with which a shell completes commands and options."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import get_completion_class

_PROGRAM: Final = "gateway-entities"
_VARIABLE: Final = "_GATEWAY_ENTITIES_COMPLETE"
"""The variable in which the script asks for completions, as click derives it from the program's name."""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes commands and options in a shell.

    For bash, in ~/.bashrc: eval "$(gateway-entities completion bash)". For zsh likewise, in ~/.zshrc. For fish:
    gateway-entities completion fish > ~/.config/fish/completions/gateway-entities.fish
    """
    found = get_completion_class(shell)
    assert found is not None, shell  # noqa: S101 - click has these three.
    click.echo(found(ctx.find_root().command, {}, _PROGRAM, _VARIABLE).source())
