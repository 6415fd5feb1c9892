"""Errors of sources."""

from __future__ import annotations

from gateway_entities.errors import Code, GatewayError


def unreadable(name: str, reason: str) -> GatewayError:
    """Return the error of a schema that cannot be read.

    Args:
        name: the schema as the caller named it.
        reason: what is wrong with it, and what would be right.
    """
    return GatewayError(Code.INVALID_ARGUMENT, f"cannot read the schema {name}: {reason}", reason="SCHEMA_UNREADABLE")
