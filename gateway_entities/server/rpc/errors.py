"""Errors of failed calls: logged without request content, and returned in a size that every transport carries."""

from __future__ import annotations

import logging
import traceback
import uuid
from typing import Final

from gateway_entities.errors import Code, FieldViolation, GatewayError

_log = logging.getLogger(__name__)

_MESSAGE_SIZE: Final = 1200
_FIELD_SIZE: Final = 300
_DESCRIPTION_SIZE: Final = 600
_VIOLATIONS_SIZE: Final = 3200
"""gRPC clients refuse trailers of more than 8 KiB, and an error travels in them: its message twice, once percent-encoded,
and the rest as base64 in some languages. These limits keep the sum below that."""


def internal_error(error: BaseException, during: str) -> GatewayError:
    """Log an unexpected exception under a new id and return the INTERNAL error with that id.

    The log shows the types of the exception and of its causes, and their stack frames. It leaves out their texts, because
    libraries put parameters into them (SQLAlchemy: those of the statement), and a parameter may be a secret.

    Args:
        error: what was raised.
        during: the operation, such as the path of the RPC. It is logged unchanged.
    """
    error_id = uuid.uuid4().hex
    _log.error("internal error, id %s, during %s\n%s", error_id, during, _describe(error))
    return GatewayError(Code.INTERNAL, f"internal error, id {error_id}", reason="INTERNAL_ERROR")


def _describe(error: BaseException) -> str:
    parts: list[str] = []
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        frames = "".join(traceback.format_tb(link.__traceback__))
        parts.append(f"{type(link).__module__}.{type(link).__qualname__}, raised at\n{frames}")
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return "which came from ".join(parts).rstrip()


def truncate_error(error: GatewayError) -> GatewayError:
    """Return the error in a size that every transport carries.

    That is the same error unless it is too large: then long texts are truncated and the last violations are left out, and
    the message says how many.
    """
    violations: list[FieldViolation] = []
    size = 0
    for violation in error.field_violations:
        clipped = FieldViolation(_clip(violation.field, _FIELD_SIZE), _clip(violation.description, _DESCRIPTION_SIZE))
        size += len(clipped.field.encode()) + len(clipped.description.encode()) + 8
        if size > _VIOLATIONS_SIZE:
            break
        violations.append(clipped)
    left_out = len(error.field_violations) - len(violations)
    note = f" ({left_out} of {len(error.field_violations)} violations are left out)" if left_out else ""
    message = _clip(error.message, _MESSAGE_SIZE - len(note)) + note
    if message == error.message and tuple(violations) == error.field_violations:
        return error
    return GatewayError(error.code, message, reason=error.reason, field_violations=violations)


def _clip(text: str, limit: int) -> str:
    """Return the text, or the prefix of it that fits with an ellipsis."""
    size, fits = 0, 0
    for index, character in enumerate(text):
        size += 1 if " " <= character <= "~" else 3 * len(character.encode())
        if size <= limit - 3:
            fits = index + 1
        if size > limit:
            return text[:fits] + "..."
    return text
