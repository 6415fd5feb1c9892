"""What the service refuses, as errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway_entities.errors import Code, FieldViolation, GatewayError

_SHOWN_LENGTH = 255


def not_found(noun: str, key: Mapping[str, str], violations: Sequence[FieldViolation] = ()) -> GatewayError:
    """Return the error of a thing that does not exist, such as ``GatewaySecret not found (secret_id='s-1')``.

    Args:
        noun: what kind of thing.
        key: what it was looked up by.
        violations: the fields that refer to it, if the request is about something else.
    """
    shown = ", ".join(f"{name}='{value[:_SHOWN_LENGTH]}'" for name, value in key.items())
    return GatewayError(Code.NOT_FOUND, f"{noun} not found ({shown})", reason="NOT_FOUND", field_violations=violations)


def conflict(message: str, reason: str) -> GatewayError:
    """Return the error of a change that what is stored does not allow."""
    return GatewayError(Code.FAILED_PRECONDITION, message, reason=reason)
