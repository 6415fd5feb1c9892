"""Errors that several services raise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway_entities.errors import Code, FieldViolation, GatewayError

_MAX_SHOWN_LENGTH = 255


def not_found(noun: str, key: Mapping[str, str], violations: Sequence[FieldViolation] = ()) -> GatewayError:
    """Return NOT_FOUND for a resource, such as ``GatewaySecret not found (secret_id='s-1')``.

    Args:
        noun: the resource's type.
        key: the fields and values of the look-up.
        violations: the fields that refer to it, if the request is about another resource.
    """
    shown = ", ".join(f"{name}='{value[:_MAX_SHOWN_LENGTH]}'" for name, value in key.items())
    return GatewayError(Code.NOT_FOUND, f"{noun} not found ({shown})", reason="NOT_FOUND", field_violations=violations)


def conflict(message: str, reason: str) -> GatewayError:
    """Return FAILED_PRECONDITION for a mutation that the stored state does not allow."""
    return GatewayError(Code.FAILED_PRECONDITION, message, reason=reason)
