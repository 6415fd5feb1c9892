"""Commands that call a gateway: the decorator and the shared options."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec

import click

from gateway_entities.cli.nodes import wait_for_nodes, wait_option
from gateway_entities.cli.options.connection import connection_options
from gateway_entities.cli.options.form import Form, form_options
from gateway_entities.cli.output import Result, show
from gateway_entities.entities import GatewayBudgetCheck
from gateway_entities.extras import not_installed

if TYPE_CHECKING:
    from gateway_entities.client import GatewayClient


class Group(click.Group):
    """A group whose help lists commands in definition order and ends with examples, one per line."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._examples = examples

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature.
        """Return the command names in definition order."""
        return list(self.commands)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature.
        """Write the examples."""
        if self._examples:
            with formatter.section("Examples"):
                for example in self._examples:
                    formatter.write(f"{'':{formatter.current_indent}}{example}\n")


P = ParamSpec("P")
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

created_by: Final = click.option("--created-by", metavar="ACTOR", help="Actor to record with the resource.")
updated_by: Final = click.option("--updated-by", metavar="ACTOR", help="Actor to record with the resource.")
request_id_option: Final = click.option(
    "--request-id", metavar="ID", help="Idempotency key: a repeat within 24 hours returns the stored response."
)
CREATE_OPTIONS: Final[Sequence[Decorator]] = (created_by, request_id_option)
"""Options of commands that create a resource, named as the client's arguments."""
MUTATION_OPTIONS: Final[Sequence[Decorator]] = (
    click.option("--etag", help="Expected etag, as shown by get. With any other current etag the command fails (ABORTED)."),
    request_id_option,
)
"""Options of commands that change an existing resource, named as the client's arguments."""
UPDATE_OPTIONS: Final[Sequence[Decorator]] = (updated_by, *MUTATION_OPTIONS)


@contextmanager
def server_needed() -> Generator[None]:
    """Wrap imports of modules that need the server extra.

    Raises:
        GatewayError: FAILED_PRECONDITION if it is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise not_installed(f"the server is not installed (no module {error.name})", "server") from error


def enum_choice(values: type[IntEnum]) -> click.Choice[str]:
    """Return an option type for the names of an enum, without the unspecified value."""
    return click.Choice([value.name for value in values if value])


def clear_option(*fields: str) -> Decorator:
    """Return the ``--clear`` option, whose value is a list of proto field names."""
    return click.option("--clear", multiple=True, type=click.Choice(fields), help="Clear this field. Repeatable.")


def update_mask(clear: Sequence[str], given: Mapping[str, object]) -> list[str] | None:
    """Return the update mask for the fields to clear and the given fields that are not None.

    None if no field is cleared: without a mask the gateway updates the fields that are present.
    """
    written = [name for name, value in given.items() if value is not None]
    if both := set(clear).intersection(written):
        raise click.UsageError(f"Either set {min(both)} or --clear it.")
    return [*clear, *written] if clear else None


def changes_nothing(clear: Sequence[str], given: Mapping[str, object]) -> bool:
    """Return whether an update has neither a field to write nor one to clear, so that nothing is sent."""
    return not clear and all(value is None for value in given.values())


def client_command(
    group: click.Group, name: str, *options: Decorator
) -> Callable[[Callable[Concatenate[GatewayClient, P], Result]], click.Command]:
    """Return a decorator that makes a function a command. The function gets an open client and returns the result to show.

    Args:
        group: the group of the command (the noun).
        name: the name of the command (the verb).
        options: its own arguments and options, in the order of its help.
    """

    def decorate(function: Callable[Concatenate[GatewayClient, P], Result]) -> click.Command:
        @functools.wraps(function)
        def run(connect: Callable[[], GatewayClient], form: Form, *args: P.args, **kwargs: P.kwargs) -> None:
            wait = kwargs.pop("wait_for_nodes", None)
            with connect() as client:
                result = function(client, *args, **kwargs)
                # Before the wait: the change has been made, whatever the nodes do.
                show(result, form)
                if isinstance(wait, float):
                    wait_for_nodes(client, wait)
            if isinstance(result, GatewayBudgetCheck) and not result.allowed:
                # So that a script can ask.
                raise click.exceptions.Exit(1)

        command: Callable[..., Any] = run
        waiting = (wait_option,) if request_id_option in options else ()
        for option in reversed((*options, *waiting, *_CLIENT_OPTIONS)):
            command = option(command)
        return group.command(name)(command)

    return decorate


_CLIENT_OPTIONS: Final[Iterable[Decorator]] = (connection_options, form_options)
