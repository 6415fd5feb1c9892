"""Errors of the Connect protocol, as clients read them: https://connectrpc.com/docs/protocol#error-end-stream."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Final, cast

from google.protobuf.any_pb2 import Any as AnyMessage

from gateway_entities.errors import Code, GatewayError

JSON: Final = "application/json"

# https://connectrpc.com/docs/protocol#http-to-error-code: what a status means when no Connect error comes with it.
_BY_HTTP_STATUS: Final = {
    400: Code.INTERNAL,
    401: Code.UNAUTHENTICATED,
    403: Code.PERMISSION_DENIED,
    404: Code.UNIMPLEMENTED,
    429: Code.UNAVAILABLE,
    502: Code.UNAVAILABLE,
    503: Code.UNAVAILABLE,
    504: Code.UNAVAILABLE,
}


def error_of_response(status: int, content_type: str, body: bytes) -> GatewayError:
    """Return the error that an HTTP response with another status than 200 stands for.

    Args:
        status: the status.
        content_type: the media type, in lower case.
        body: the content.
    """
    if content_type == JSON:
        try:
            error = read_error(json.loads(body), status)
        except (ValueError, RecursionError):
            error = None
        if error is not None:
            return error
    return GatewayError(
        _BY_HTTP_STATUS.get(status, Code.UNKNOWN),
        f"HTTP status {status} without a Connect error: the response is from a proxy or another server",
        reason="NOT_CONNECT",
    )


def read_error(content: object, status: int = 200) -> GatewayError | None:
    """Return the error that a JSON value describes; None if it describes none.

    Args:
        content: the value.
        status: the HTTP status, which stands for a missing or unknown code.
    """
    if not isinstance(content, dict):
        return None
    fields = cast("dict[str, object]", content)
    name, message, listed = fields.get("code"), fields.get("message"), fields.get("details")
    if not isinstance(name, str) and not isinstance(message, str):
        return None
    code = (Code.from_connect(name) if isinstance(name, str) else None) or _BY_HTTP_STATUS.get(status, Code.UNKNOWN)
    details = [_read_detail(detail) for detail in cast("list[object]", listed)] if isinstance(listed, list) else []
    text = message if isinstance(message, str) and message else code.name.lower().replace("_", " ")
    return GatewayError.from_details(code, text, [detail for detail in details if detail is not None])


def _read_detail(detail: object) -> AnyMessage | None:
    """Return one detail; None for an invalid one: a detail must not hide the error itself."""
    fields = cast("dict[str, object]", detail) if isinstance(detail, dict) else {}
    name, value = fields.get("type"), fields.get("value")
    if not isinstance(name, str) or not isinstance(value, str):
        return None
    try:
        # Connect omits the padding, and accepts it.
        data = base64.b64decode(value.rstrip("=") + "=" * (-len(value.rstrip("=")) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return AnyMessage(type_url=f"type.googleapis.com/{name}", value=data)
