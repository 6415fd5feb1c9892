"""Providers that are not public: refused, unless the operator allows their hosts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway_entities.client import GatewayClient
from gateway_entities.errors import Code, GatewayError
from gateway_entities.testing import Gateway, gateway

OLLAMA, VLLM = "http://localhost:11434/v1", "http://vllm.models.svc.cluster.local/v1"
ELSEWHERE = "http://localhost:11435/v1"
VALUE = {"api_key": "sk-0123456789abcdef"}
DIALECTS = ("grpc", "http", "mlflow+http")


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    with gateway(allowed_api_bases=["localhost:11434", "vllm.models.svc.cluster.local"]) as running:
        yield running


@pytest.fixture(params=DIALECTS)
def client(running: Gateway, request: pytest.FixtureRequest) -> Iterator[GatewayClient]:
    with connect(running, request.param) as client:
        yield client


def connect(running: Gateway, dialect: str) -> GatewayClient:
    return GatewayClient(running.grpc_target if dialect == "grpc" else running.http_target.replace("http", dialect, 1))


def test_a_secret_for_an_allowed_host(client: GatewayClient, request: pytest.FixtureRequest) -> None:
    secret = client.create_secret(request.node.name, VALUE, auth_config={"api_base": OLLAMA})
    assert secret.auth_config == {"api_base": OLLAMA}
    assert client.update_secret(secret.secret_id, secret_value=VALUE, auth_config={"api_base": VLLM}).auth_config == {
        "api_base": VLLM
    }
    with pytest.raises(GatewayError, match="--allow-api-base") as caught:
        client.update_secret(secret.secret_id, secret_value=VALUE, auth_config={"api_base": ELSEWHERE})
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert client.get_secret(secret_id=secret.secret_id).auth_config == {"api_base": VLLM}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_by_default_the_error_names_the_option(dialect: str) -> None:
    with gateway() as running, connect(running, dialect) as client:
        for address in (OLLAMA, "https://10.0.0.7/v1"):
            with pytest.raises(GatewayError, match="--allow-api-base") as caught:
                client.create_secret("s", VALUE, auth_config={"api_base": address})
            assert caught.value.code is Code.INVALID_ARGUMENT
        assert client.list_secrets() == []


def test_a_malformed_host_is_an_error_at_the_start() -> None:
    with (
        pytest.raises(GatewayError, match="'http://localhost' is not a host"),
        gateway(allowed_api_bases=["http://localhost"]),
    ):
        pass
