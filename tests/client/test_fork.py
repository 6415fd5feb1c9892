"""Clients after a fork, over the dialects of HTTP, with a real server: each process reads what it asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from gateway_entities import AsyncGatewayClient, GatewayClient
from gateway_entities.testing import gateway
from tests.client.server_client_pairs import open_client
from tests.forks import in_children

NAMES = [f"model-{number}" for number in range(4)]
CALLS = 15


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    with gateway() as running, GatewayClient(running.http_target) as client:
        secret = client.create_secret("key", {"api_key": "sk-0123456789abcdef"}, provider="openai")
        for name in NAMES:
            client.create_model_definition(name, secret_id=secret.secret_id, provider="openai", model_name=name)
        yield running.http_target


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("dialect", ["", "mlflow+"])
def test_children_read_and_write_their_own_resources(target: str, dialect: str, mode: str) -> None:
    client = open_client(dialect + target, mode)
    definitions = {each.name: each.model_definition_id for each in client.list_model_definitions()}

    def use(child: int) -> list[str]:
        return _use(client, definitions[NAMES[child]])

    def use_async(child: int) -> list[str]:
        return asyncio.run(_use_async(client._client, definitions[NAMES[child]]))

    own: list[str] = []
    results = in_children(
        3,
        use if mode == "sync" else use_async,
        meanwhile=lambda: own.extend(_use(client, definitions[NAMES[3]])),
    )
    client.close()
    assert results == [[NAMES[child]] * CALLS for child in range(3)]
    assert own == [NAMES[3]] * CALLS


def _use(client: Any, identifier: str) -> list[str]:
    names: list[str] = []
    for number in range(CALLS):
        client.update_model_definition(identifier, model_name=f"m-{number}")
        names.append(client.get_model_definition(model_definition_id=identifier).name)
    return names


async def _use_async(client: AsyncGatewayClient, identifier: str) -> list[str]:
    names: list[str] = []
    for number in range(CALLS):
        await client.update_model_definition(identifier, model_name=f"m-{number}")
        names.append((await client.get_model_definition(model_definition_id=identifier)).name)
    return names
