"""The root command and its error handling."""

from __future__ import annotations

import copy
import errno
import os
import sys
from io import TextIOWrapper
from typing import IO, Any

import click

from gateway_entities.cli.binding import binding
from gateway_entities.cli.budget_policy import budget_policy
from gateway_entities.cli.cells import printable
from gateway_entities.cli.changes import changes
from gateway_entities.cli.command import Group
from gateway_entities.cli.completion import completion
from gateway_entities.cli.config import config
from gateway_entities.cli.endpoint import endpoint
from gateway_entities.cli.guardrail import guardrail
from gateway_entities.cli.health import health
from gateway_entities.cli.model_definition import model_definition
from gateway_entities.cli.nodes import nodes
from gateway_entities.cli.secret import secret
from gateway_entities.cli.server.db import db
from gateway_entities.cli.server.keys import keys
from gateway_entities.cli.server.quickstart import quickstart
from gateway_entities.cli.server.serve import serve
from gateway_entities.cli.server.token import token
from gateway_entities.cli.spending.spend import spend
from gateway_entities.cli.watch import watch
from gateway_entities.cli.wire import wire
from gateway_entities.errors import Code, GatewayError


class _Failure(click.ClickException):
    """Prints a GatewayError and its field violations to stderr, one per line. Exit code 1."""

    def __init__(self, error: GatewayError) -> None:
        super().__init__(str(error))
        self._lines = [f"error: {error}", *(f"  {v.field}: {v.description}" for v in error.field_violations)]

    def show(self, file: IO[Any] | None = None) -> None:
        for line in self._lines:
            click.echo(printable(line), file=file, err=True)


class _Root(Group):
    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except GatewayError as error:
            raise _Failure(error) from error
        except OSError as error:
            # A file or a folder that cannot be used. click ends silently if the reader of a pipe is gone.
            if error.errno == errno.EPIPE:
                raise
            raise _Failure(GatewayError(Code.FAILED_PRECONDITION, str(error))) from error


@click.group(
    cls=_Root,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    examples=(
        "gateway-entities quickstart       try a temporary gateway",
        "gateway-entities serve            run a gateway",
        "gateway-entities endpoint list    list the endpoints of a running gateway",
    ),
)
@click.version_option(package_name="gateway-entities", message="%(prog)s %(version)s")
def cli() -> None:
    """Configure an LLM gateway: its secrets, models, endpoints, bindings, budgets and guardrails.

    Commands that call a gateway have --target and --timeout, and print a table, or with -o JSON, YAML or names.
    Exit codes: 0 success; 1 the gateway or the server reports an error; 2 usage error.
    """


_log = copy.copy(changes)
_log.hidden = True

cli.add_command(quickstart)
cli.add_command(serve)
cli.add_command(health)
cli.add_command(secret)
cli.add_command(model_definition)
cli.add_command(endpoint)
cli.add_command(binding)
cli.add_command(budget_policy)
cli.add_command(spend)
cli.add_command(config)
cli.add_command(guardrail)
cli.add_command(changes)
cli.add_command(_log, "log")
cli.add_command(watch)
cli.add_command(nodes)
cli.add_command(keys)
cli.add_command(db)
cli.add_command(token)
cli.add_command(wire)
cli.add_command(completion)


def main() -> None:
    """Run the command line and exit."""
    # gRPC's core also logs errors to standard error; they are raised as well, and printed once.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # Characters that the terminal's encoding lacks are escaped.
            stream.reconfigure(errors="backslashreplace")
    cli(prog_name="gateway-entities")
