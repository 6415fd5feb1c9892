"""Convert a plan's step to an HTTP request of an MLflow server, and the HTTP response to a message. No I/O."""

from __future__ import annotations

import json
from typing import Final, NamedTuple, cast
from urllib.parse import urlencode

from google.protobuf.message import Message

from gateway_entities.errors import Code, GatewayError
from gateway_entities.mlflow_rest import decode, encode
from gateway_entities.mlflow_rest.routes import PREFIXES, ROUTES
from gateway_entities.mlflow_rest.steps import Step

_ROUTES: Final = {route.method: route for route in ROUTES}

# MLflow's codes that are not in the table of errors.
_OTHER_CODES: Final = {
    "BAD_REQUEST": Code.INVALID_ARGUMENT,
    "ENDPOINT_NOT_FOUND": Code.UNIMPLEMENTED,
    "FEATURE_DISABLED": Code.UNIMPLEMENTED,
    "REQUEST_LIMIT_EXCEEDED": Code.RESOURCE_EXHAUSTED,
}
_BY_STATUS: Final = {
    401: Code.UNAUTHENTICATED,
    403: Code.PERMISSION_DENIED,
    404: Code.UNIMPLEMENTED,
    405: Code.UNIMPLEMENTED,
    429: Code.UNAVAILABLE,
    500: Code.INTERNAL,
    501: Code.UNIMPLEMENTED,
    502: Code.UNAVAILABLE,
    503: Code.UNAVAILABLE,
    504: Code.UNAVAILABLE,
}
# MLflow returns its database's errors. These are SQLite's and PostgreSQL's for a duplicate.
_DUPLICATE: Final = ("UNIQUE constraint failed", "duplicate key value violates unique constraint")
_SQL: Final = ("[SQL:", "sqlite3.", "psycopg")

# Fields that MLflow returns as "" if they were never set.
_NEVER_SET: Final = ("created_by", "last_updated_by")


class RestRequest(NamedTuple):
    """An HTTP request to an MLflow server.

    Attributes:
        verb: the HTTP method.
        path: the path, with the query of a GET.
        body: the JSON of the other methods; empty for a GET.
    """

    verb: str
    path: str
    body: bytes


def write(step: Step) -> RestRequest:
    """Return the HTTP request of a step. The requests of all GETs have text and numbers only, so they fit a query.

    Raises:
        GatewayError: UNIMPLEMENTED for an RPC that MLflow does not have.
    """
    route = _ROUTES.get(step.method)
    if route is None:
        raise GatewayError(Code.UNIMPLEMENTED, f"MLflow has no {step.method.name}", reason="MLFLOW_CANNOT")
    path = PREFIXES[0] + route.path
    if route.verb != "GET":
        return RestRequest(route.verb, path, encode.to_json(step.request))
    query = urlencode(encode.to_dict(step.request))
    return RestRequest(route.verb, f"{path}?{query}" if query else path, b"")


def read(step: Step, status: int, body: bytes) -> Message:
    """Return the response message of an HTTP response.

    Raises:
        GatewayError: the server's error; INTERNAL for a malformed response.
    """
    if status != 200:
        error = _error(step, status, body)
        if step.may_be_gone and error.code is Code.NOT_FOUND:
            gone: Message = step.method.response_type()
            return gone
        raise error
    try:
        response: Message = decode.to_message(decode.load(body), step.method.response_type)
    except GatewayError as error:
        raise GatewayError(
            Code.INTERNAL,
            f"the MLflow server's response to {step.method.name} is malformed, or of a newer release: {error.message}",
        ) from None
    for field, value in response.ListFields():
        for resource in value if field.is_repeated else [value]:
            if isinstance(resource, Message):
                _clear_never_set(resource)
    return response


def _clear_never_set(resource: Message) -> None:
    for field, value in resource.ListFields():
        if field.name in _NEVER_SET and value == "":
            resource.ClearField(field.name)
        elif isinstance(value, Message):
            # The guardrail of a configuration.
            _clear_never_set(value)


def _error(step: Step, status: int, body: bytes) -> GatewayError:
    try:
        parsed: object = json.loads(body)
    except (ValueError, RecursionError):
        parsed = None
    fields = cast("dict[str, object]", parsed) if isinstance(parsed, dict) else {}
    name, message = fields.get("error_code"), fields.get("message")
    if not isinstance(name, str) or not isinstance(message, str):
        code = _BY_STATUS.get(status, Code.UNKNOWN)
        return GatewayError(code, f"HTTP status {status} without an MLflow error", reason="NOT_MLFLOW")
    if any(word in message for word in _DUPLICATE):
        taken = getattr(step.request, "name", "")
        what = f"the name '{taken}' is taken" if taken else "the resource of the request already exists"
        return GatewayError(Code.ALREADY_EXISTS, what, reason="MLFLOW_ERROR")
    code = Code.from_mlflow(name) or _OTHER_CODES.get(name) or _BY_STATUS.get(status, Code.UNKNOWN)
    if any(word in message for word in _SQL):
        message = f"MLflow's database rejected the request ({name})"
    return GatewayError(code, message, reason="MLFLOW_ERROR")
