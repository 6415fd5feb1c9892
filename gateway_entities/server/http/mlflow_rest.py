"""MLflow's REST dialect over HTTP.

Every response is JSON, except the text of ``/health`` and ``/version``; every error has MLflow's envelope, ``error_code``
and ``message``. Where MLflow picks one of two contradicting values, such as the first of a repeated query parameter, this
refuses the request: nothing is ignored except unknown fields. docs/guides/mlflow.md lists every difference.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any, Final
from urllib.parse import parse_qsl

from google.protobuf.message import Message
from starlette.types import Receive, Scope

from gateway_entities import methods
from gateway_entities.errors import Code, FieldViolation, GatewayError
from gateway_entities.methods import Method
from gateway_entities.mlflow_rest import decode, encode
from gateway_entities.mlflow_rest.routes import PREFIXES, ROUTES
from gateway_entities.server.http.asgi import (
    CONNECTION,
    Connection,
    Headers,
    HttpResponse,
    Memory,
    ResponseError,
    check_length,
    credentials_of,
    is_complete,
    parse_once,
    read_body,
)
from gateway_entities.server.provider_catalog import ProviderCatalog
from gateway_entities.server.rpc.byte_budget import OVERLOADED, Lease
from gateway_entities.server.rpc.dispatcher import Dispatcher
from gateway_entities.server.rpc.limits import DEFAULT_LIMITS, MAX_LIST_BYTES, Limits

ROOTS: Final = ("/api", "/ajax-api")
"""The prefixes of the dialect's paths, also of those that do not exist."""

_JSON: Final = (b"content-type", b"application/json")
_SAFE: Final[Headers] = ((b"x-content-type-options", b"nosniff"), (b"x-frame-options", b"SAMEORIGIN"))
_ROUTES: Final = {prefix + route.path: route for prefix in PREFIXES for route in ROUTES}
REST_METHODS: Final = {path: route.method for path, route in _ROUTES.items()}
"""The RPC of each path."""
_OBJECTS_PER_BYTE: Final = 8
"""Bytes of memory, about, for each byte of a message while it is encoded as JSON."""
_PAGE_ITEMS: Final = 200
"""Items of a list that are read and encoded together. The encoder lets no other thread run meanwhile."""
_NO_SUCH_PATH: Final = "ENDPOINT_NOT_FOUND"
"""MLflow's name for it. RESOURCE_DOES_NOT_EXIST would say that the path is right and its resource is missing."""

STATIC: Final = {
    # MLflow's web page reads it before it offers to create a secret.
    "/ajax-api/3.0/mlflow/gateway/secrets/config": (
        _JSON,
        b'{"secrets_available": true, "using_default_passphrase": false}',
    ),
    "/health": ((b"content-type", b"text/plain; charset=utf-8"), b"OK"),
    "/version": ((b"content-type", b"text/plain; charset=utf-8"), version("gateway-entities").encode()),
}
"""Paths with a constant response to GET: content type and body."""

DISCOVERY: Final[Mapping[str, Callable[[ProviderCatalog, str], bytes]]] = {
    f"{PREFIXES[1]}/supported-providers": lambda catalog, _: catalog.providers_json(),
    f"{PREFIXES[1]}/supported-models": ProviderCatalog.models_json,
    f"{PREFIXES[1]}/provider-config": ProviderCatalog.config_json,
}
"""Paths that MLflow's web page reads about providers, under one prefix only. Each has the JSON of GET, which depends on the
query parameter ``provider``, "" if it is absent."""

_IDENTIFIERS: Final = {
    methods.GET_GATEWAY_SECRET_INFO: ("secret_id", "secret_name"),
    methods.GET_GATEWAY_MODEL_DEFINITION: ("model_definition_id", "name"),
    methods.GET_GATEWAY_ENDPOINT: ("endpoint_id", "name"),
}
"""The fields of which a request has exactly one. Clients know the error by its text."""


class MlflowRest:
    """Calls in the dialect to the RPCs of a dispatcher."""

    def __init__(
        self, dispatcher: Dispatcher, limits: Limits = DEFAULT_LIMITS, catalog: ProviderCatalog | None = None
    ) -> None:
        """Create it.

        Args:
            dispatcher: runs the calls.
            limits: the limits of bodies.
            catalog: the providers that clients may discover; None for the built-in ones.
        """
        self._dispatcher = dispatcher
        self._body_timeout = limits.http_body_timeout_s
        self._catalog = catalog

    async def respond(self, scope: Scope, receive: Receive, memory: Memory) -> HttpResponse:
        """Respond to a request; see :meth:`gateway_entities.server.http.asgi.RpcProtocol.respond`."""
        path, verb = scope["path"], scope["method"]
        if path in STATIC:
            _check_verb(verb, "GET")
            content_type, content = STATIC[path]
            return HttpResponse(200, (content_type, *_SAFE), content)
        if path in DISCOVERY:
            _check_verb(verb, "GET")
            return await self._discover(scope, DISCOVERY[path])
        route = _ROUTES.get(path)
        if route is None:
            raise ResponseError(_envelope(404, _NO_SUCH_PATH, "there is nothing at this path"))
        _check_verb(verb, route.verb)
        _check_headers(verb, dict(scope["headers"]))
        query, credentials = scope["query_string"], parse_once(scope, credentials_of)
        connection: Connection = scope["extensions"][CONNECTION]
        if not is_complete(scope):
            # Before the body costs memory.
            await connection.call(self._dispatcher.authenticate(route.method, credentials, None))
        body = await self._read_body(scope, receive, memory)

        # The dialect has no page tokens for such a list, so it gets all of it.
        is_list = "page_size" in route.method.request_type.DESCRIPTOR.fields_by_name

        def page(token: str) -> Any:
            def read() -> Any:
                request: Any = read_request(route.method, verb, query, body)
                if is_list:
                    request.page_size = _PAGE_ITEMS
                    # A token of another protocol's page would leave out the items before it.
                    request.page_token = token
                return request

            return self._dispatcher.execute(route.method, credentials, read)

        async def call(work: Callable[[], bytes | None], *, is_whole_list: bool = False) -> bytes | None:
            during = f"{verb} {path}"
            called = self._dispatcher.call(route.method, credentials, work, None, during=during, is_whole_list=is_whole_list)
            return await connection.call(called)

        if is_list:
            pages = WholeList(page, memory.response)
            # Short lists never wait for long ones.
            data = await call(pages.first) or await call(pages.rest, is_whole_list=True)
        else:
            data = await call(lambda: encode.to_json(page("")))
        assert data is not None  # noqa: S101 - only the first page may be incomplete.
        return HttpResponse(200, (_JSON, *_SAFE), data)

    async def _discover(self, scope: Scope, read: Callable[[ProviderCatalog, str], bytes]) -> HttpResponse:
        query = _read_query(scope["query_string"])
        if "provider" in query.repeated:
            raise GatewayError.invalid([FieldViolation("provider", "is given twice; provide it once")])
        provider, credentials = str(query.get("provider", "")), parse_once(scope, credentials_of)
        connection: Connection = scope["extensions"][CONNECTION]
        # An operator's file may name providers of its own, so a caller needs the right to read.
        work = self._dispatcher.call(
            methods.LIST_GATEWAY_MODEL_DEFINITIONS,
            credentials,
            lambda: read(self._catalog or ProviderCatalog.built_in(), provider),
            None,
            during=f"GET {scope['path']}",
        )
        return HttpResponse(200, (_JSON, *_SAFE), await connection.call(work))

    async def _read_body(self, scope: Scope, receive: Receive, memory: Memory) -> bytes:
        try:
            check_length(dict(scope["headers"]))
            return await read_body(scope, receive, memory, self._body_timeout)
        except GatewayError as error:
            if error.code is not Code.RESOURCE_EXHAUSTED or error.reason == OVERLOADED:
                raise
            raise ResponseError(_envelope(413, error.code.mlflow, error.message)) from None

    def error_response(self, error: GatewayError) -> HttpResponse:
        """Return an error in MLflow's envelope."""
        message = error.message
        if error.reason == "NAME_TAKEN" and message.startswith("Endpoint "):
            # By this word MLflow's web page knows which name is taken.
            message += " (endpoint_name)"
        return _envelope(error.code.mlflow_http_status, error.code.mlflow, message)


def _envelope(status: int, error_code: str, message: str, *headers: tuple[bytes, bytes]) -> HttpResponse:
    body = {"error_code": error_code, "message": message}
    return HttpResponse(status, (_JSON, *_SAFE, *headers), json.dumps(body).encode())


def _refused(status: int, message: str, *headers: tuple[bytes, bytes]) -> ResponseError:
    return ResponseError(_envelope(status, Code.INVALID_ARGUMENT.mlflow, message, *headers))


def _check_verb(verb: str, expected: str) -> None:
    accepted = ("GET", "HEAD") if expected == "GET" else (expected,)
    allow = (b"allow", ", ".join((*accepted, "OPTIONS")).encode())
    if verb == "OPTIONS":
        raise ResponseError(HttpResponse(204, (*_SAFE, allow), b""))
    if verb not in accepted:
        raise _refused(405, f"this path accepts {expected} only", allow)


def _check_headers(verb: str, headers: Mapping[bytes, bytes]) -> None:
    # The other methods need no content type: from a page of another origin they need a preflight in any case.
    if verb == "POST":
        content_type = headers.get(b"content-type")
        if content_type is None:
            raise _refused(400, "Bad Request. Content-Type header is missing.")
        if content_type.partition(b";")[0].strip().lower() != b"application/json":
            raise _refused(400, "Bad Request. Content-Type must be one of ['application/json'].")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise _refused(415, "the body must not be compressed", (b"accept-encoding", b"identity"))


def read_request(method: Method[Any, Any], verb: str, query: bytes, body: bytes) -> Message:
    """Return the request message. GET reads the query, or without one the body; DELETE the body, or without one the query.

    An empty string is absent, as null is: in this dialect it clears nothing and names nothing.

    Raises:
        GatewayError: INVALID_ARGUMENT with every invalid field.
    """
    from_query = {"GET": bool(query), "HEAD": bool(query), "DELETE": not body.strip()}.get(verb, False)
    data = _read_query(query) if from_query else decode.load(body, bounded=True)
    request: Message = decode.to_message(data, method.request_type)
    for field, value in request.ListFields():
        if isinstance(value, str) and not value:
            request.ClearField(field.name)
    if method in _IDENTIFIERS:
        first, second = _IDENTIFIERS[method]
        if request.HasField(first) == request.HasField(second):
            raise GatewayError(
                Code.INVALID_ARGUMENT, f"Exactly one of {first} or {second} must be provided", reason="INVALID_REQUEST"
            )
    return request


class WholeList:
    """The JSON of a list of several pages, all of which show one revision."""

    def __init__(self, page: Callable[[str], Any], lease: Lease) -> None:
        """Create it without any page.

        Args:
            page: returns the page of a token; the first has the empty token.
            lease: counts the bytes of the list.
        """
        self._page = page
        self._lease = lease
        self._pages: list[bytes] = []
        self._size = 0
        self._token: str | None = ""

    def first(self) -> bytes | None:
        """Read the first page; return the list if that is all of it. Errors as in ``rest``."""
        self._add_page()
        return None if self._token else encode.join_pages(self._pages)

    def rest(self) -> bytes:
        """Read the other pages, and return the list.

        Raises:
            GatewayError: RESOURCE_EXHAUSTED, if the list is over the limit, or the responses of all requests are; CANCELLED,
                if the caller has gone.
        """
        while self._token:
            self._add_page()
        return encode.join_pages(self._pages)

    def _add_page(self) -> None:
        response = self._page(self._token or "")
        self._token = response.next_page_token or None
        expanded = _OBJECTS_PER_BYTE * response.ByteSize()
        self._lease.grow(expanded)
        self._pages.append(data := encode.to_json(response))
        self._size += len(data)
        if self._size > MAX_LIST_BYTES:
            raise GatewayError(
                Code.RESOURCE_EXHAUSTED,
                f"the list is larger than {MAX_LIST_BYTES} bytes; read it in pages, over gRPC or Connect",
                reason="LIST_TOO_LARGE",
            )
        # The pages, and the whole that they are joined to.
        self._lease.grow(2 * len(data) - expanded)


def _read_query(query: bytes) -> decode.JsonObject:
    try:
        pairs = parse_qsl(query.decode(), keep_blank_values=True, errors="strict")
    except ValueError:
        raise GatewayError(Code.INVALID_ARGUMENT, "the query is not URL-encoded UTF-8", reason="MALFORMED_QUERY") from None
    # A repeated parameter is the same error as a repeated name in a JSON object.
    return decode.JsonObject(list(pairs))
