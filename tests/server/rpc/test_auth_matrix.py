"""Every RPC, with every kind of credentials, over every transport, against the table of scopes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import grpc
import pytest
from google.protobuf.descriptor_pb2 import MethodOptions

from gateway_entities.errors import Code
from gateway_entities.methods import LIST_GATEWAY_SECRET_ACCESSES, METHODS, RESOLVE_GATEWAY_ENDPOINT, Method
from gateway_entities.mlflow_rest.routes import PREFIXES, ROUTES
from gateway_entities.server.rpc.auth import REQUIRED_SCOPES
from gateway_entities.server.store.admin.token_manager import open_tokens
from gateway_entities.server.store.repositories.token import GATEWAY, AccessScope, new_text, with_included
from gateway_entities.testing import Gateway, gateway
from tests.server.raw import grpc_failure, http_failure, post_json, post_proto, request, stream_failure

Ask = Callable[[Method[Any, Any], str | None], tuple[str, str | None]]
"""Makes a call with or without a token; returns its code and, if the transport has one, the reason."""

ROUTE_OF = {route.method: route for route in ROUTES}
TRANSPORTS = ("grpc", "connect", "connect json", "rest", "rest ajax")
DENIED = {"unauthenticated", "permission_denied"}
NEVER_OPEN = AccessScope.RESOLVE | AccessScope.NODE
"""Scopes that need a token, also while the store has none."""


class Caller(NamedTuple):
    """Credentials with their scope, or the reason of the rejection."""

    name: str
    good_for: AccessScope | str


CALLERS = (
    Caller("none", "TOKEN_MISSING"),
    Caller("read", AccessScope.READ),
    Caller("write", AccessScope.WRITE),
    Caller("admin", AccessScope.ADMIN),
    Caller("resolve", AccessScope.RESOLVE),
    Caller("spend", AccessScope.SPEND),
    Caller("node", AccessScope.NODE),
    Caller("gateway", GATEWAY),
    Caller("limited gateway", GATEWAY),
    Caller("revoked", "TOKEN_INVALID"),
    Caller("expired", "TOKEN_EXPIRED"),
    Caller("unknown", "TOKEN_INVALID"),
    Caller("other secret", "TOKEN_INVALID"),
    Caller("garbage", "TOKEN_INVALID"),
)


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[dict[str, Ask], dict[str, str | None]]]:
    """The transports of one server, and the tokens by the names of CALLERS."""
    with ExitStack() as stack:
        running = stack.enter_context(gateway())
        with open_tokens(f"sqlite:///{running.store_path}") as manager:
            tokens = {scope.name.lower(): manager.create(scope.name.lower(), scope).text for scope in AccessScope}
            tokens["gateway"] = manager.create("gateway", GATEWAY).text
            tokens["limited gateway"] = manager.create("limited gateway", GATEWAY, endpoints=["chat"]).text
            revoked = manager.create("revoked", AccessScope.ADMIN).text
            manager.revoke("revoked")
            expired = manager.create("expired", AccessScope.ADMIN, 1).text
        # The id of a valid token, with the secret of another.
        other = f"{tokens['admin'][:21]}{new_text()[21:]}"
        tokens |= {"revoked": revoked, "expired": expired, "unknown": new_text(), "other secret": other}
        yield transports(running, stack), {"none": None, "garbage": "garbage", **tokens}


@pytest.fixture(scope="module")
def served_open() -> Iterator[dict[str, Ask]]:
    """The transports of a server whose store has no token."""
    with ExitStack() as stack:
        yield transports(stack.enter_context(gateway()), stack)


def transports(running: Gateway, stack: ExitStack) -> dict[str, Ask]:
    channel = stack.enter_context(grpc.insecure_channel(running.grpc_target.removeprefix("grpc://")))
    http = running.http_target
    return {
        "grpc": lambda method, token: ask_grpc(channel, method, token),
        "connect": lambda method, token: ask_connect(http, post_proto, method, token),
        "connect json": lambda method, token: ask_connect(http, post_json, method, token),
        "rest": lambda method, token: ask_rest(http, PREFIXES[0], method, token),
        "rest ajax": lambda method, token: ask_rest(http, PREFIXES[1], method, token),
    }


def ask_grpc(channel: grpc.Channel, method: Method[Any, Any], token: str | None) -> tuple[str, str | None]:
    metadata = () if token is None else (("authorization", f"Bearer {token}"),)
    try:
        if method.server_streaming:
            stream = channel.unary_stream(method.path)(b"", timeout=30, metadata=metadata)
            next(stream, None)
            stream.cancel()
        else:
            channel.unary_unary(method.path)(b"", timeout=30, metadata=metadata)
    except grpc.RpcError as error:
        failure = grpc_failure(error)
        return Code.from_number(error.code().value[0]).connect, failure.reason
    return "ok", None


def ask_connect(target: str, post: Any, method: Method[Any, Any], token: str | None) -> tuple[str, str | None]:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    if method.server_streaming:
        error = stream_failure(target, method, json_codec=post is post_json, **headers)
        return ("ok", None) if error is None else (error.code, error.reason)
    response = post(target, method, b"{}" if post is post_json else b"", **headers)
    if response.status == 200:
        return "ok", None
    failure = http_failure(response)
    assert (
        (response.status == 401)
        == (failure.code == "unauthenticated")
        == (response.headers.get("www-authenticate") == "Bearer")
    )
    assert (response.status == 403) == (failure.code == "permission_denied")
    return failure.code, failure.reason


def ask_rest(target: str, prefix: str, method: Method[Any, Any], token: str | None) -> tuple[str, str | None]:
    route = ROUTE_OF[method]
    headers = {"content-type": "application/json"} | ({} if token is None else {"authorization": f"Bearer {token}"})
    response = request(target, route.verb, prefix + route.path, None if route.verb == "GET" else b"{}", headers)
    if response.status == 200:
        return "ok", None
    code = Code.from_mlflow(response.json["error_code"])
    assert code is not None
    assert response.status == code.mlflow_http_status
    assert (response.status == 401) == (response.headers.get("www-authenticate") == "Bearer")
    return code.connect, None


def answer(method: Method[Any, Any], good_for: AccessScope | str) -> tuple[str, str] | None:
    """Return the code and the reason of a denial; None if the call is allowed."""
    if isinstance(good_for, str):
        return "unauthenticated", good_for
    allowed = with_included(good_for) & REQUIRED_SCOPES[method]
    return None if allowed else ("permission_denied", "SCOPE_TOO_SMALL")


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_each_call_is_allowed_or_denied_as_the_table_says(served, method, transport):
    if transport.startswith("rest") and method not in ROUTE_OF:
        # The dialect has no such call.
        assert not any(route.method is method for route in ROUTES)
        return
    asks, tokens = served
    for caller in CALLERS:
        code, reason = asks[transport](method, tokens[caller.name])
        expected = answer(method, caller.good_for)
        if expected is None:
            assert code not in DENIED, caller
        else:
            assert (code, reason or expected[1]) == expected, caller
            assert reason is not None or transport.startswith("rest"), caller


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_without_a_token_in_the_store_all_are_allowed_but_what_needs_one(served_open, method, transport):
    if transport.startswith("rest") and method not in ROUTE_OF:
        return
    code, reason = served_open[transport](method, None)
    needs_token = REQUIRED_SCOPES[method] & ~NEVER_OPEN == AccessScope(0)
    assert ((code, reason) == ("failed_precondition", "TOKEN_REQUIRED")) == needs_token
    assert code not in DENIED


def test_no_scope_but_resolve_resolves():
    assert REQUIRED_SCOPES[RESOLVE_GATEWAY_ENDPOINT] is AccessScope.RESOLVE
    for scope in AccessScope:
        assert bool(with_included(scope) & AccessScope.RESOLVE) == (scope is AccessScope.RESOLVE)
    assert RESOLVE_GATEWAY_ENDPOINT not in ROUTE_OF


def test_every_rpc_has_its_row_and_there_are_no_others():
    assert set(REQUIRED_SCOPES) == set(METHODS)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_read_is_for_what_the_contract_says_has_no_side_effects_and_for_that_only(method):
    service = method.request_type.DESCRIPTOR.file.services_by_name[method.service.rpartition(".")[2]]
    level = service.methods_by_name[method.name].GetOptions().idempotency_level
    may_read = bool(REQUIRED_SCOPES[method] & AccessScope.READ)
    if method is LIST_GATEWAY_SECRET_ACCESSES:
        assert not may_read, "who reads secrets is for admins"
    elif method.name == "PlanGatewayConfiguration":
        assert may_read, "it changes nothing, and a GET would have secret values in its URL"
    elif method.name == "WaitForGatewayConvergence":
        assert may_read, "it changes nothing, and takes too long for a GET"
    else:
        assert may_read == (level == MethodOptions.NO_SIDE_EFFECTS)


def test_admin_is_for_budgets_guardrails_and_for_who_reads_secrets():
    admin = {method.name for method, needed in REQUIRED_SCOPES.items() if needed is AccessScope.ADMIN}
    changes = {f"{verb}GatewayBudgetPolicy" for verb in ("Create", "Update", "Delete")}
    guardrails = {f"{verb}GatewayGuardrail" for verb in ("Create", "Delete")}
    assert admin == {*changes, *guardrails, "AdjustGatewaySpend", "ListGatewaySecretAccesses"}
