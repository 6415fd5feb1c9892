"""Options for the form of a command's output."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal

import click

Form = Literal["table", "wide", "json", "yaml", "name"]

FORMS: Final = ("table", "wide", "json", "yaml", "name")
_HELP: Final = (
    "Form of the output: table fits the terminal and shortens ids; wide has every field and cuts nothing; json and "
    "yaml have the etag; name is a name on each line. Default: table."
)


def form_options(function: Callable[..., Any], *, more: Sequence[str] = (), description: str = _HELP) -> Callable[..., Any]:
    """Add ``-o`` and ``--json``; the command gets ``form``, one of FORMS.

    Args:
        function: the command.
        more: further forms of this command.
        description: the help of ``-o``.
    """

    @functools.wraps(function)
    def run(*args: Any, output_form: str | None, as_json: bool, **others: Any) -> Any:
        if as_json and output_form not in {None, "json"}:
            raise click.UsageError(f"Either --json or -o {output_form}.")
        return function(*args, form=output_form or ("json" if as_json else "table"), **others)

    option = click.option("-o", "--output", "output_form", type=click.Choice([*FORMS, *more]), help=description)
    return option(_JSON(run))


_JSON: Final = click.option("--json", "as_json", is_flag=True, help="The same as -o json.")
