"""MLflow's REST dialect over HTTP: its requests to calls of the service, and the answers back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Final
from urllib.parse import parse_qsl

from google.protobuf.message import Message
from starlette.types import Receive, Scope

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import Method
from gateway_entities.mlflow_rest import decode, encode
from gateway_entities.mlflow_rest.routes import PREFIXES, ROUTES
from gateway_entities.server.asgi import RefusedError, read_body, unless_gone
from gateway_entities.server.connect import Headers, Reply
from gateway_entities.server.dispatch import Dispatcher

ROOTS: Final = ("/api", "/ajax-api")
"""Everything below these answers in the dialect, also what is not found there."""

_JSON: Final = (b"content-type", b"application/json")
_SAFE: Final[Headers] = ((b"x-content-type-options", b"nosniff"),)
_ROUTES: Final = {prefix + route.path: route for prefix in PREFIXES for route in ROUTES}
_ACTORS: Final = ("created_by", "updated_by")

PLAIN: Final = {
    # What MLflow's web page asks before it lets anybody make a secret.
    "/ajax-api/3.0/mlflow/gateway/secrets/config": (
        _JSON,
        b'{"secrets_available": true, "using_default_passphrase": false}',
    ),
    "/health": ((b"content-type", b"text/plain; charset=utf-8"), b"OK"),
    "/version": ((b"content-type", b"text/plain; charset=utf-8"), version("gateway-entities").encode()),
}
"""Paths that answer a GET the same whatever is stored: content type and body."""


class MlflowRest:
    """Calls in the dialect."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    async def reply(self, scope: Scope, receive: Receive) -> Reply:
        """Answer a request; see :meth:`gateway_entities.server.asgi.Dialect.reply`."""
        path, verb = scope["path"], scope["method"]
        if path in PLAIN and verb in {"GET", "HEAD"}:
            content_type, content = PLAIN[path]
            return Reply(200, (content_type, *_SAFE), content)
        method = _find(path, verb)
        _check_headers(verb, dict(scope["headers"]))
        body = await _read_body(receive)
        query = scope["query_string"]

        def work() -> bytes:
            return encode.to_json(self._dispatcher.serve(method, read_request(method, verb, query, body)))

        answer = await unless_gone(receive, self._dispatcher.run(work, None, during=f"{verb} {path}"))
        return Reply(200, (_JSON, *_SAFE), answer)

    def error_reply(self, error: GatewayError) -> Reply:
        """Return an error in MLflow's envelope."""
        return _envelope(error.code.mlflow_http_status, error)


def _envelope(status: int, error: GatewayError, *headers: tuple[bytes, bytes]) -> Reply:
    body = {"error_code": error.code.mlflow, "message": error.message}
    return Reply(status, (_JSON, *_SAFE, *headers), json.dumps(body).encode())


def _refused(status: int, code: Code, message: str, *headers: tuple[bytes, bytes]) -> RefusedError:
    return RefusedError(_envelope(status, GatewayError(code, message), *headers))


def _find(path: str, verb: str) -> Method[Any, Any]:
    route = _ROUTES.get(path)
    if route is None:
        raise _refused(404, Code.NOT_FOUND, "there is nothing at this path")
    if verb != route.verb and (verb, route.verb) != ("HEAD", "GET"):
        raise _refused(405, Code.INVALID_ARGUMENT, f"this path takes {route.verb} only", (b"allow", route.verb.encode()))
    return route.method


def _check_headers(verb: str, headers: Mapping[bytes, bytes]) -> None:
    # GET and DELETE need not say what their body is.
    media_type = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if verb == "POST" and media_type != b"application/json":
        raise _refused(415, Code.INVALID_ARGUMENT, "the Content-Type must be application/json")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise _refused(415, Code.INVALID_ARGUMENT, "the body must not be compressed", (b"accept-encoding", b"identity"))


async def _read_body(receive: Receive) -> bytes:
    try:
        return await read_body(receive)
    except GatewayError as error:
        raise RefusedError(_envelope(413, error)) from None


def read_request(method: Method[Any, Any], verb: str, query: bytes, body: bytes) -> Message:
    """Return the request message. GET reads the query, or without one the body; DELETE the body, or without one the query.

    Raises:
        GatewayError: INVALID_ARGUMENT with every field that does not fit.
    """
    from_query = {"GET": bool(query), "HEAD": bool(query), "DELETE": not body.strip()}.get(verb, False)
    data = _read_query(query) if from_query else decode.load(body)
    request: Message = decode.to_message(data, method.request_type)
    for name in _ACTORS:
        # In this dialect "" says nothing about who acts; the contract knows no such actor.
        if name in request.DESCRIPTOR.fields_by_name and getattr(request, name) == "":
            request.ClearField(name)
    return request


def _read_query(query: bytes) -> decode.JsonObject:
    try:
        pairs = parse_qsl(query.decode(), keep_blank_values=True, errors="strict")
    except ValueError:
        raise GatewayError(Code.INVALID_ARGUMENT, "the query is not URL-encoded UTF-8", reason="MALFORMED_QUERY") from None
    return decode.JsonObject(list(pairs))
