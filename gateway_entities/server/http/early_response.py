"""Responses to connections and requests that do not reach the app."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Final

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.rpc.limits import MAX_HEADER_BYTES

_STATUSES: Final = {
    Code.INVALID_ARGUMENT: HTTPStatus.BAD_REQUEST,
    Code.RESOURCE_EXHAUSTED: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    Code.DEADLINE_EXCEEDED: HTTPStatus.REQUEST_TIMEOUT,
    Code.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    Code.UNIMPLEMENTED: HTTPStatus.NOT_IMPLEMENTED,
}


def busy_response() -> bytes:
    """Return the response to a connection over the limit."""
    return early_response(GatewayError(Code.UNAVAILABLE, "the server has too many connections"))


def headers_too_large() -> GatewayError:
    """Return the error of a request whose headers are over the limit."""
    return GatewayError(Code.RESOURCE_EXHAUSTED, f"the headers are larger than {MAX_HEADER_BYTES} bytes")


def early_response(error: GatewayError) -> bytes:
    """Return the response to a request that does not reach the app."""
    status = _STATUSES[error.code]
    # The path may be unknown, so the body is an error of Connect and of MLflow.
    content = {"code": error.code.connect, "error_code": error.code.mlflow, "message": error.message}
    body = json.dumps(content).encode()
    retry = "retry-after: 1\r\n" if status is HTTPStatus.SERVICE_UNAVAILABLE else ""
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n{retry}connection: close\r\n\r\n"
    )
    return head.encode() + body
