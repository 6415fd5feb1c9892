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


def exhausted(message: str, reason: str) -> GatewayError:
    """Return RESOURCE_EXHAUSTED for a mutation that would exceed a bound of the contract."""
    return GatewayError(Code.RESOURCE_EXHAUSTED, message, reason=reason)


def refuse_more(endpoint_id: str, number: int, most: int, noun: str) -> None:
    """Check how many models, tags or bindings an endpoint has after a mutation that adds one.

    Raises:
        GatewayError: RESOURCE_EXHAUSTED, if they are too many.
    """
    if number > most:
        raise exhausted(
            f"Endpoint '{endpoint_id}' cannot have more than {most} {noun}. Remove one first.", f"TOO_MANY_{noun.upper()}"
        )


def conflict(message: str, reason: str) -> GatewayError:
    """Return FAILED_PRECONDITION for a mutation that the stored state does not allow."""
    return GatewayError(Code.FAILED_PRECONDITION, message, reason=reason)
