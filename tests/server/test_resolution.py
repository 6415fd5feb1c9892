"""Resolution over the transports: what is sent, to whom, and what is recorded."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from gateway_entities import methods
from gateway_entities.client import GatewayClient
from gateway_entities.entities import GatewayEndpointModelConfig, GatewayModelLinkageType
from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.rpc.limits import Limits
from gateway_entities.server.rpc.response_cache import CACHEABLE_METHODS
from gateway_entities.server.store.admin.token_manager import open_tokens
from gateway_entities.server.store.repositories.token import AccessScope
from gateway_entities.testing import Gateway, gateway
from gatewayentities.v1 import resolution_pb2
from tests.server.raw import http_failure, post_json, post_proto, request, write_lock
from tests.server.test_lanes import serving
from tests.stores import sqlite_place

RESOLVE = methods.RESOLVE_GATEWAY_ENDPOINT
VALUE = {"api_key": "sk-canary-81b7d2f0"}
NAMES = resolution_pb2.ResolveGatewayEndpointRequest(names=["chat"])
TOKENS = {
    "admin": ("admin",),
    "resolver": ("resolve",),
    "gateway": ("read", "resolve", "spend", "node"),
    "all but resolve": ("admin", "spend", "node"),
}


def fill(client: GatewayClient) -> None:
    secret = client.create_secret("key", VALUE, provider="openai")
    model = client.create_model_definition("m", secret_id=secret.secret_id, provider="openai", model_name="gpt-4o")
    config = GatewayEndpointModelConfig(model.model_definition_id, GatewayModelLinkageType.PRIMARY)
    for name in ("chat", "mail"):
        client.create_endpoint(name, [config])


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Gateway, dict[str, str]]]:
    """A server with two endpoints, and tokens by name."""
    with gateway() as running:
        with GatewayClient(running.grpc_target) as client:
            fill(client)
        tokens = {name: running.create_token(name, *scopes) for name, scopes in TOKENS.items()}
        tokens["limited"] = running.create_token("limited", "resolve", "spend", endpoints=["chat"])
        yield running, tokens


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_a_response_is_not_to_be_stored(running):
    server, tokens = running
    for response in (
        post_proto(server.http_target, RESOLVE, NAMES, **bearer(tokens["resolver"])),
        post_json(server.http_target, RESOLVE, {"names": ["chat"]}, **bearer(tokens["resolver"])),
        post_json(server.http_target, RESOLVE, {"names": ["nope"]}, **bearer(tokens["resolver"])),
    ):
        assert response.headers["cache-control"] == "no-store"


def test_it_is_answered_to_post_only_and_has_no_route_in_the_rest_dialect(running):
    server, tokens = running
    headers = {**bearer(tokens["resolver"]), "content-type": "application/json"}
    query = f'{RESOLVE.path}?connect=v1&encoding=json&message={{"names":["chat"]}}'
    got = request(server.http_target, "GET", query.replace('"', "%22"), None, headers)
    assert (got.status, got.headers["allow"]) == (405, "POST")
    assert VALUE["api_key"].encode() not in got.body
    for path in ("endpoints/resolve", "endpoints/get?name=chat", "secrets/get?secret_name=key", "secrets/reveal"):
        for token in ("admin", "gateway"):
            answer = request(
                server.http_target, "GET", f"/api/3.0/mlflow/gateway/{path}", None, {**headers, **bearer(tokens[token])}
            )
            assert VALUE["api_key"].encode() not in answer.body


def test_each_call_reads_the_store_again(running):
    server, tokens = running
    with (
        GatewayClient(server.http_target, token=tokens["gateway"]) as client,
        GatewayClient(server.grpc_target, token=tokens["admin"]) as admin,
    ):
        before = len(admin.list_secret_accesses(actor="gateway"))
        for _ in range(3):
            assert client.resolve_endpoint(name="chat").models[0].secret_value.reveal() == VALUE
        recorded = admin.list_secret_accesses(actor="gateway")
    assert len(recorded) == before + 3


@pytest.mark.parametrize("scheme", ["grpc", "http"])
def test_a_limited_token_finds_its_endpoints_only(running, scheme):
    server, tokens = running
    target = server.grpc_target if scheme == "grpc" else server.http_target
    with GatewayClient(target, token=tokens["limited"]) as client:
        (model,) = client.resolve_endpoint(name="chat").models
        assert model.secret_value.reveal() == VALUE
        for call in (
            lambda: client.resolve_endpoint(name="mail"),
            lambda: client.resolve_endpoints(names=["chat", "mail"]),
        ):
            with pytest.raises(GatewayError) as caught:
                call()
            assert caught.value.code is Code.NOT_FOUND
        with pytest.raises(GatewayError) as caught:
            client.get_endpoint(name="chat")
        assert caught.value.code is Code.PERMISSION_DENIED


@pytest.mark.parametrize("scheme", ["grpc", "http"])
def test_no_other_scope_gets_a_value(running, scheme):
    server, tokens = running
    target = server.grpc_target if scheme == "grpc" else server.http_target
    for name in ("admin", "all but resolve"):
        with GatewayClient(target, token=tokens[name]) as client, pytest.raises(GatewayError) as caught:
            client.resolve_endpoint(name="chat")
        assert (caught.value.code, caught.value.reason) == (Code.PERMISSION_DENIED, "SCOPE_TOO_SMALL")
        assert "needs a token of scope resolve" in caught.value.message


def test_a_store_without_tokens_resolves_nothing():
    with gateway() as running:
        for target in (running.grpc_target, running.http_target):
            with GatewayClient(target) as client:
                with pytest.raises(GatewayError) as caught:
                    client.resolve_endpoint(name="chat")
                assert (caught.value.code, caught.value.reason) == (Code.FAILED_PRECONDITION, "TOKEN_REQUIRED")
                assert "gateway-entities token create NAME --gateway" in caught.value.message


def test_a_cache_of_responses_never_has_a_value():
    assert RESOLVE not in CACHEABLE_METHODS
    assert methods.LIST_GATEWAY_SECRET_ACCESSES not in CACHEABLE_METHODS
    assert not RESOLVE.reads
    assert not RESOLVE.idempotent


def test_accesses_are_counted(running):
    server, tokens = running

    def counted() -> float:
        text = request(server.http_target, "GET", "/metrics", headers=bearer(tokens["admin"])).body.decode()
        (line,) = (line for line in text.splitlines() if line.startswith("gateway_entities_secret_accesses_total "))
        return float(line.split()[1])

    before = counted()
    with GatewayClient(server.http_target, token=tokens["resolver"]) as client:
        client.resolve_endpoints(names=["chat", "mail"])
    assert counted() == before + 2


def test_while_accesses_cannot_be_recorded_nothing_is_resolved(tmp_path):
    place = sqlite_place(tmp_path / "gateway.sqlite")
    assert place.path is not None
    with serving(place, Limits(store_write_timeout_s=0.3, write_stall_s=60.0)) as server:
        with GatewayClient(server.grpc_target) as client:
            fill(client)
        with open_tokens(place.url) as manager:
            token = manager.create("gw", AccessScope.RESOLVE).text
        with write_lock(place.path):
            response = post_proto(server.http_target, RESOLVE, NAMES, **bearer(token))
            failure = http_failure(response)
            assert (failure.code, failure.reason) == ("unavailable", "ACCESS_NOT_RECORDED")
            assert VALUE["api_key"].encode() not in response.body
            with grpc.insecure_channel(server.grpc_target.removeprefix("grpc://")) as channel:
                call = channel.unary_unary(RESOLVE.path)
                with pytest.raises(grpc.RpcError) as caught:
                    call(NAMES.SerializeToString(), timeout=30, metadata=tuple(bearer(token).items()))
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        with GatewayClient(server.http_target, token=token) as client:
            assert client.resolve_endpoint(name="chat").models[0].secret_value.reveal() == VALUE


def test_many_callers_at_the_same_time_cost_few_writes(running):
    server, tokens = running

    def resolve(_: int) -> bool:
        response = post_json(server.http_target, RESOLVE, {"names": ["chat"]}, **bearer(tokens["resolver"]))
        return json.loads(response.body)["endpoints"][0]["models"][0]["secretValue"] == VALUE

    began = time.monotonic()
    with ThreadPoolExecutor(16) as callers:
        assert all(callers.map(resolve, range(160)))
    assert time.monotonic() - began < 20
