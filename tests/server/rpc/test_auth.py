"""Tokens in force: from when on, for how long, and under whose name."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gateway_entities import methods
from gateway_entities.client import GatewayClient
from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import Method
from gateway_entities.server.rpc.auth import Authenticator, Credentials, required_scope
from gateway_entities.server.server import Server
from gateway_entities.server.store import Store, open_store
from gateway_entities.server.store.admin.token_manager import TokenManager, open_tokens
from gateway_entities.server.store.repositories.token import AccessScope, new_text
from gateway_entities.testing import Gateway, gateway
from tests.server.raw import http_failure, post_json, request

LIST, CREATE = methods.LIST_GATEWAY_SECRET_INFOS, methods.CREATE_GATEWAY_SECRET
REST = "/api/3.0/mlflow/gateway/secrets/create"


@pytest.fixture
def running() -> Iterator[Gateway]:
    with gateway() as running:
        yield running


@pytest.fixture
def keeper(running: Gateway) -> Iterator[TokenManager]:
    with open_tokens(f"sqlite:///{running.store_path}") as keeper:
        yield keeper


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path}/gateway.sqlite")
    yield store
    store.close()


def status(running: Gateway, token: str | None = None) -> int:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return post_json(running.http_target, LIST, {}, **headers).status


def soon(condition: Callable[[], bool]) -> bool:
    """Tell whether it comes true, in many times the time that it may take."""
    end = time.monotonic() + 20
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_without_a_token_everybody_is_served_whatever_they_show(running):
    assert status(running) == 200
    assert status(running, new_text()) == 200
    assert status(running, "garbage") == 200


def test_the_first_token_is_in_force_without_a_restart(running, keeper):
    assert status(running) == 200
    first = keeper.create("first", AccessScope.READ).text
    assert soon(lambda: status(running) == 401)
    assert status(running, first) == 200


def test_a_new_token_is_taken_soon_and_a_revoked_one_refused_soon(running, keeper):
    keeper.create("other", AccessScope.READ)
    token = keeper.create("gone", AccessScope.READ).text
    assert soon(lambda: status(running, token) == 200)
    keeper.revoke("gone")
    assert soon(lambda: status(running, token) == 401)


def test_a_server_whose_only_token_is_revoked_serves_nobody(running, keeper):
    token = keeper.create("only", AccessScope.ADMIN).text
    keeper.revoke("only")
    assert status(running) == status(running, token) == 401


def test_a_revoked_token_is_told_as_one_that_never_was(running, keeper):
    token = keeper.create("gone", AccessScope.ADMIN).text
    keeper.revoke("gone")
    answers = [
        http_failure(post_json(running.http_target, LIST, {}, authorization=f"Bearer {text}"))
        for text in (token, new_text(), "garbage", "", f"{token}x", token.upper())
    ]
    assert {(each.code, each.reason, each.message) for each in answers} == {
        ("unauthenticated", "TOKEN_INVALID", "the token is not valid")
    }


@pytest.mark.parametrize(
    "values",
    [[], ["Basic YTpi"], ["{0}"], ["Bearer{0}"], ["Bearer {0}", "Bearer {0}"], ["Bearer {0}", "Basic YTpi"], ["Token {0}"]],
)
def test_a_token_comes_in_one_header_of_one_form(running, keeper, values):
    token = keeper.create("alice", AccessScope.READ).text
    credentials = Credentials(tuple(value.format(token) for value in values))
    with grpc.insecure_channel(running.grpc_target.removeprefix("grpc://")) as channel:
        metadata = [("authorization", value) for value in credentials.authorization]
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(LIST.path)(b"", metadata=metadata, timeout=30)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert token not in repr(credentials)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_has_any_case(running, keeper, scheme):
    token = keeper.create("alice", AccessScope.READ).text
    answer = post_json(running.http_target, LIST, {}, authorization=f"{scheme} {token}")
    assert answer.status == 200


@pytest.mark.parametrize("transport", ["grpc", "http", "rest"])
def test_the_actor_is_the_one_whose_token_it_is(running, keeper, transport):
    token = keeper.create("alice", AccessScope.WRITE).text
    target = {"grpc": running.grpc_target, "http": running.http_target}.get(transport, running.http_target)
    with GatewayClient(target, token=token) as client:
        if transport == "rest":
            body = b'{"secret_name": "s", "secret_value": {"api_key": "sk-0123456789abcdef"}, "created_by": "mallory"}'
            headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
            assert request(target, "POST", REST, body, headers).status == 200
        else:
            client.create_secret("s", {"api_key": "sk-0123456789abcdef"}, created_by="mallory")
        made = client.get_secret(secret_name="s")
        assert made.created_by == "alice"
        changed = client.update_secret(made.secret_id, auth_config={"a": "b"}, updated_by="mallory")
        assert (changed.created_by, changed.last_updated_by) == ("alice", "alice")
    answer = post_json(running.http_target, methods.LIST_GATEWAY_CHANGES, {}, authorization=f"Bearer {token}")
    assert {each["actor"] for each in answer.json["changes"]} == {"alice"}


def test_a_caller_does_not_stay_in_the_thread_that_served_it(running):
    with open_tokens(f"sqlite:///{running.store_path}") as keeper:
        tokens = {name: keeper.create(name, AccessScope.WRITE).text for name in ("alice", "bob")}
    names = []
    for number in range(40):
        name = ("alice", "bob")[number % 2]
        with GatewayClient(running.grpc_target, token=tokens[name]) as client:
            names.append(client.create_secret(f"s{number}", {"api_key": "sk-0123456789abcdef"}).created_by)
    assert names == ["alice", "bob"] * 20


def test_health_and_what_is_said_to_everybody_needs_no_token(running, keeper):
    keeper.create("alice", AccessScope.READ)
    assert status(running) == 401
    for path in ("/healthz", "/readyz", "/health", "/version"):
        assert request(running.http_target, "GET", path).status == 200
    with grpc.insecure_channel(running.grpc_target.removeprefix("grpc://")) as channel:
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_nothing_is_read_of_a_request_before_its_caller_is_known(running, keeper):
    keeper.create("alice", AccessScope.READ)
    for body in (b"not json", b'{"unknown": 1}', b"\xff"):
        assert post_json(running.http_target, LIST, body).status == 401


def test_an_rpc_without_a_row_takes_the_most():
    assert required_scope(Method.__new__(Method)) is AccessScope.ADMIN


async def test_a_token_can_be_required_of_a_store_that_has_none(tmp_path):
    server = Server(f"sqlite:///{tmp_path}/g.sqlite", grpc="127.0.0.1:0", http="127.0.0.1:0", require_token=True)
    await server.start()
    try:
        answer = await asyncio.to_thread(post_json, server.http_target, LIST, {})
        assert (answer.status, http_failure(answer).reason) == (401, "TOKEN_MISSING")
    finally:
        await server.stop(0)


def test_a_store_that_cannot_be_read_admits_nobody(store):
    authenticator = Authenticator(store, required=False)
    store.close()
    with pytest.raises(GatewayError) as caught:
        authenticator.authenticate(Credentials(), AccessScope.READ)
    assert caught.value.code is Code.UNAVAILABLE


def test_calls_do_not_ask_the_store_for_tokens_each_time(store, monkeypatch):
    reads = 0
    read = store.read

    def counted():
        nonlocal reads
        reads += 1
        return read()

    monkeypatch.setattr(store, "read", counted)
    monkeypatch.setattr("gateway_entities.server.rpc.auth.TOKEN_CACHE_TTL_S", 3600.0)
    authenticator = Authenticator(store, required=False)
    for _ in range(100):
        assert authenticator.authenticate(Credentials(), AccessScope.ADMIN) is None
    assert reads == 1


def test_a_token_is_in_no_log_and_in_no_error(running, keeper, caplog):
    caplog.set_level(logging.DEBUG)
    tokens = [keeper.create("alice", AccessScope.READ).text, new_text()]
    for token in tokens:
        with GatewayClient(running.grpc_target, token=token) as client, pytest.raises(GatewayError) as caught:
            client.create_secret("s", {"api_key": "sk-0123456789abcdef"})
        assert token not in repr(caught.value) + str(caught.value) + repr(client)
    answer = post_json(running.http_target, CREATE, {}, authorization=f"Bearer {tokens[1]}")
    assert tokens[1].encode() not in answer.body
    secrets = [token.rpartition("_")[2] for token in tokens]
    assert not any(secret in caplog.text for secret in secrets)
