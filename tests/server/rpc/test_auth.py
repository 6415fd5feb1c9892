"""Authentication: when tokens take effect and expire, and the actor."""

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
from gateway_entities.server.rpc.auth import ANONYMOUS, Authenticator, Credentials, required_scope
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
def manager(running: Gateway) -> Iterator[TokenManager]:
    with open_tokens(f"sqlite:///{running.store_path}") as manager:
        yield manager


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path}/gateway.sqlite")
    yield store
    store.close()


def status(running: Gateway, token: str | None = None) -> int:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return post_json(running.http_target, LIST, {}, **headers).status


def soon(condition: Callable[[], bool]) -> bool:
    """Whether it becomes true, with a generous timeout."""
    end = time.monotonic() + 20
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_without_tokens_in_the_store_every_caller_is_served(running):
    assert status(running) == 200
    assert status(running, new_text()) == 200
    assert status(running, "garbage") == 200


def test_the_first_token_takes_effect_without_a_restart(running, manager):
    assert status(running) == 200
    first = manager.create("first", AccessScope.READ).text
    assert soon(lambda: status(running) == 401)
    assert status(running, first) == 200


def test_the_first_token_resolves_immediately(running, manager):
    # The server has just seen that the store has no token.
    assert status(running) == 200
    resolver = manager.create("gw", AccessScope.RESOLVE).text
    response = post_json(
        running.http_target, methods.RESOLVE_GATEWAY_ENDPOINT, {"names": ["nope"]}, authorization=f"Bearer {resolver}"
    )
    assert http_failure(response).code == "not_found"
    assert status(running) == 401, "and it knows now that there is one"


def test_new_and_revoked_tokens_take_effect_within_the_cache_ttl(running, manager):
    manager.create("other", AccessScope.READ)
    token = manager.create("gone", AccessScope.READ).text
    assert soon(lambda: status(running, token) == 200)
    manager.revoke("gone")
    assert soon(lambda: status(running, token) == 401)


def test_a_server_whose_only_token_is_revoked_refuses_every_caller(running, manager):
    token = manager.create("only", AccessScope.ADMIN).text
    manager.revoke("only")
    assert status(running) == status(running, token) == 401


def test_a_revoked_token_gets_the_error_of_an_unknown_one(running, manager):
    token = manager.create("gone", AccessScope.ADMIN).text
    manager.revoke("gone")
    responses = [
        http_failure(post_json(running.http_target, LIST, {}, authorization=f"Bearer {text}"))
        for text in (token, new_text(), "garbage", "", f"{token}x", token.upper())
    ]
    assert {(each.code, each.reason, each.message) for each in responses} == {
        ("unauthenticated", "TOKEN_INVALID", "the token is not valid")
    }


@pytest.mark.parametrize(
    "values",
    [[], ["Basic YTpi"], ["{0}"], ["Bearer{0}"], ["Bearer {0}", "Bearer {0}"], ["Bearer {0}", "Basic YTpi"], ["Token {0}"]],
)
def test_other_forms_of_the_authorization_header_are_refused(running, manager, values):
    token = manager.create("alice", AccessScope.READ).text
    credentials = Credentials(tuple(value.format(token) for value in values))
    with grpc.insecure_channel(running.grpc_target.removeprefix("grpc://")) as channel:
        metadata = [("authorization", value) for value in credentials.authorization]
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(LIST.path)(b"", metadata=metadata, timeout=30)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert token not in repr(credentials)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_case_insensitive(running, manager, scheme):
    token = manager.create("alice", AccessScope.READ).text
    response = post_json(running.http_target, LIST, {}, authorization=f"{scheme} {token}")
    assert response.status == 200


@pytest.mark.parametrize("transport", ["grpc", "http", "rest"])
def test_the_actor_is_the_owner_of_the_token(running, manager, transport):
    token = manager.create("alice", AccessScope.WRITE).text
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
    response = post_json(running.http_target, methods.LIST_GATEWAY_CHANGES, {}, authorization=f"Bearer {token}")
    assert {each["actor"] for each in response.json["changes"]} == {"alice"}


def test_a_worker_thread_does_not_leak_its_caller(running):
    with open_tokens(f"sqlite:///{running.store_path}") as manager:
        tokens = {name: manager.create(name, AccessScope.WRITE).text for name in ("alice", "bob")}
    names = []
    for number in range(40):
        name = ("alice", "bob")[number % 2]
        with GatewayClient(running.grpc_target, token=tokens[name]) as client:
            names.append(client.create_secret(f"s{number}", {"api_key": "sk-0123456789abcdef"}).created_by)
    assert names == ["alice", "bob"] * 20


def test_health_and_version_need_no_token(running, manager):
    manager.create("alice", AccessScope.READ)
    assert status(running) == 401
    for path in ("/healthz", "/readyz", "/health", "/version"):
        assert request(running.http_target, "GET", path).status == 200
    with grpc.insecure_channel(running.grpc_target.removeprefix("grpc://")) as channel:
        response = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
        assert response.status == health_pb2.HealthCheckResponse.SERVING


def test_authentication_comes_before_decoding(running, manager):
    manager.create("alice", AccessScope.READ)
    for body in (b"not json", b'{"unknown": 1}', b"\xff"):
        assert post_json(running.http_target, LIST, body).status == 401


def test_an_rpc_without_a_row_needs_admin():
    assert required_scope(Method.__new__(Method)) is AccessScope.ADMIN


async def test_a_token_can_be_required_of_a_store_that_has_none(tmp_path):
    server = Server(f"sqlite:///{tmp_path}/g.sqlite", grpc="127.0.0.1:0", http="127.0.0.1:0", require_token=True)
    await server.start()
    try:
        response = await asyncio.to_thread(post_json, server.http_target, LIST, {})
        assert (response.status, http_failure(response).reason) == (401, "TOKEN_MISSING")
    finally:
        await server.stop(0)


def test_without_its_store_it_rejects_every_caller(store):
    authenticator = Authenticator(store, required=False)
    store.close()
    with pytest.raises(GatewayError) as caught:
        authenticator.authenticate(Credentials(), AccessScope.READ)
    assert caught.value.code is Code.UNAVAILABLE


def test_tokens_are_cached(store, monkeypatch):
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
        assert authenticator.authenticate(Credentials(), AccessScope.ADMIN) == ANONYMOUS
    assert reads == 1


def test_a_token_is_in_no_log_and_in_no_error(running, manager, caplog):
    caplog.set_level(logging.DEBUG)
    tokens = [manager.create("alice", AccessScope.READ).text, new_text()]
    for token in tokens:
        with GatewayClient(running.grpc_target, token=token) as client, pytest.raises(GatewayError) as caught:
            client.create_secret("s", {"api_key": "sk-0123456789abcdef"})
        assert token not in repr(caught.value) + str(caught.value) + repr(client)
    response = post_json(running.http_target, CREATE, {}, authorization=f"Bearer {tokens[1]}")
    assert tokens[1].encode() not in response.body
    secrets = [token.rpartition("_")[2] for token in tokens]
    assert not any(secret in caplog.text for secret in secrets)
