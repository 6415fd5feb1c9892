"""A user's program: entities, both clients, errors.

It is type-checked and run with the installed package, outside the repository. Each assert_type fails the type check if a
type was lost in packaging.
"""

from __future__ import annotations

import asyncio
import sys
from typing import assert_type

from gateway_entities import (
    AsyncGatewayClient,
    Code,
    GatewayClient,
    GatewayEndpoint,
    GatewayEndpointModelConfig,
    GatewayError,
    GatewayModelDefinition,
    GatewayModelLinkageType,
    GatewaySecretInfo,
    WireError,
)
from gateway_entities.client import EntityList
from gatewayentities.v1.secret_pb2 import GatewaySecretInfo as SecretMessage


def entities() -> None:
    secret = GatewaySecretInfo("s-1", "openai", {"api_key": "sk-...cdef"}, 1, 2, provider="openai")
    message = secret.to_proto()
    assert_type(message, SecretMessage)
    assert_type(message.secret_name, str)
    assert assert_type(GatewaySecretInfo.from_bytes(secret.to_bytes()), GatewaySecretInfo) == secret
    assert_type(secret.provider, str | None)
    code: Code | None = None
    try:
        GatewaySecretInfo.from_bytes(b"\xff")
    except WireError as error:
        code = assert_type(error.code, Code)
    assert code is Code.INVALID_ARGUMENT


def synchronous(target: str) -> None:
    with GatewayClient(target, timeout=30) as client:
        secret = client.create_secret("of-a-consumer", {"api_key": "not-a-real-key"}, provider="openai")
        assert_type(secret, GatewaySecretInfo)
        model = client.create_model_definition("a-model", secret_id=secret.secret_id, provider="openai", model_name="gpt-4o")
        assert_type(model, GatewayModelDefinition)
        config = GatewayEndpointModelConfig(model.model_definition_id, GatewayModelLinkageType.PRIMARY, weight=0.7)
        endpoint = client.create_endpoint("an-endpoint", [config])
        assert_type(endpoint, GatewayEndpoint)
        assert client.get_endpoint(name="an-endpoint") == endpoint
        assert assert_type(client.list_secrets(), EntityList[GatewaySecretInfo]) == [secret]


async def asynchronous(target: str) -> None:
    async with AsyncGatewayClient(target) as client:
        endpoint = await client.get_endpoint(name="an-endpoint")
        assert_type(endpoint, GatewayEndpoint)
        assert endpoint.model_mappings[0].weight == 0.7
        code: Code | None = None
        try:
            await client.get_secret(secret_id="s-of-nobody")
        except GatewayError as error:
            code = assert_type(error.code, Code)
        assert code is Code.NOT_FOUND


if __name__ == "__main__":
    entities()
    synchronous(sys.argv[1])
    asyncio.run(asynchronous(sys.argv[2]))
    print("works")
