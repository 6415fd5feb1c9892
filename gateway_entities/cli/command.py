"""A command that asks a gateway: the options that all of them have."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec

import click

from gateway_entities.cli.options.connection import connection_options
from gateway_entities.cli.output import Done, Entity, show
from gateway_entities.errors import Code, GatewayError

if TYPE_CHECKING:
    from gateway_entities.client import GatewayClient


class Group(click.Group):
    """A group whose help keeps the order of its commands and ends with examples, one a line, as they are written."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._examples = examples

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature.
        """Return the names of the commands in the order in which they were added, not in the alphabet's."""
        return list(self.commands)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature.
        """Write the examples."""
        if self._examples:
            with formatter.section("Examples"):
                for example in self._examples:
                    formatter.write(f"{'':{formatter.current_indent}}{example}\n")


P = ParamSpec("P")
Result = Entity | Sequence[Entity] | Done
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

created_by: Final = click.option("--created-by", metavar="WHO", help="Who does this; kept with the entity.")
updated_by: Final = click.option("--updated-by", metavar="WHO", help="Who does this; kept with the entity.")

_request_id: Final = click.option(
    "--request-id", metavar="NAME", help="Names this request: given again within 24 hours, it acts once and answers alike."
)
CREATES: Final[Sequence[Decorator]] = (_request_id,)
"""The options of a command that makes something new; named as the client's arguments."""
CHANGES: Final[Sequence[Decorator]] = (
    click.option("--etag", help="Act only if this still is the etag that get shows; otherwise end with ABORTED."),
    _request_id,
)
"""The options of a command that changes or removes something; named as the client's arguments."""


@contextmanager
def server_needed() -> Generator[None]:
    """Import, within the block, what only the server's extra brings.

    Raises:
        GatewayError: FAILED_PRECONDITION when it is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise GatewayError(
            Code.FAILED_PRECONDITION,
            f"the server is not installed (no module {error.name}); pip install 'gateway-entities[server]' installs it",
        ) from error


def enum_choice(values: type[IntEnum]) -> click.Choice[str]:
    """Return the type of an option that takes the name of an enum's value, but not of the unspecified one."""
    return click.Choice([value.name for value in values if value])


def clear_option(*fields: str) -> Decorator:
    """Return the option that clears fields of an entity; it is named ``clear`` and holds the proto's names of the fields."""
    return click.option("--clear", multiple=True, type=click.Choice(fields), help="Clear this field. Repeatable.")


def update_mask(clear: Sequence[str], given: Mapping[str, object]) -> list[str] | None:
    """Return the mask of an update that clears some fields and sets those that are given, that is, not None.

    Without a field to clear there is no mask: the gateway then changes what it is sent.
    """
    written = [name for name, value in given.items() if value is not None]
    if both := set(clear).intersection(written):
        raise click.UsageError(f"Either set {min(both)} or --clear it.")
    return [*clear, *written] if clear else None


def client_command(
    group: click.Group, name: str, *options: Decorator
) -> Callable[[Callable[Concatenate[GatewayClient, P], Result]], click.Command]:
    """Make a function a command of a group: it is given an open client and returns what to show.

    Args:
        group: the noun.
        name: the verb.
        options: the command's own arguments and options, in the order in which its help lists them.
    """

    def decorate(function: Callable[Concatenate[GatewayClient, P], Result]) -> click.Command:
        @functools.wraps(function)
        def run(connect: Callable[[], GatewayClient], as_json: bool, *args: P.args, **kwargs: P.kwargs) -> None:
            with connect() as client:
                result = function(client, *args, **kwargs)
            show(result, as_json=as_json)

        command: Callable[..., Any] = run
        for option in reversed((*options, *_CLIENT_OPTIONS)):
            command = option(command)
        return group.command(name)(command)

    return decorate


_CLIENT_OPTIONS: Final[Iterable[Decorator]] = (
    connection_options,
    click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table."),
)
