"""Errors for optional dependencies that are not installed."""

from __future__ import annotations

from typing import Final

from gateway_entities.errors import Code, GatewayError

_REPOSITORY: Final = "git+https://git.example/gateway-entities.git@COMMIT"


def advice(*extras: str) -> str:
    """Return the clause that says how this package is installed with extras. No index has it: README, Install."""
    names = ",".join(extras)
    return (
        f"install it with pip install 'gateway-entities[{names}] @ {_REPOSITORY}', or in a clone of the repository with "
        f"pip install '.[{names}]'"
    )


def not_installed(problem: str, *extras: str, reason: str | None = None) -> GatewayError:
    """Return FAILED_PRECONDITION for libraries of extras that are not installed.

    Args:
        problem: what is not installed, as a sentence without its full stop.
        extras: the extras that have it.
        reason: the reason of the error; None for none.
    """
    return GatewayError(Code.FAILED_PRECONDITION, f"{problem}; {advice(*extras)}", reason=reason)
