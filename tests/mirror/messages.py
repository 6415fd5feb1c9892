"""Messages of the watch stream, made by hand."""

from __future__ import annotations

from typing import Any

from gateway_entities.entities import GatewayEndpoint, GatewayEndpointModelMapping, GatewayModelDefinition, GatewaySecretInfo
from gatewayentities.v1 import change_pb2 as pb


def definition(number: int, name: str = "gpt") -> pb.GatewayResource:
    entity = GatewayModelDefinition(f"d-{number}", name, None, None, "openai", "gpt-4o", 1, 1)
    return pb.GatewayResource(
        noun="model_definition", id=f"d-{number}", content_etag=entity.etag(), model_definition=entity.to_proto()
    )


def secret(number: int, **fields: Any) -> pb.GatewayResource:
    entity = GatewaySecretInfo(f"s-{number}", f"key{number}", {"api_key": "sk-...789"}, 1, 1, **fields)
    return pb.GatewayResource(noun="secret", id=f"s-{number}", content_etag=entity.etag(), secret=entity.to_proto())


def endpoint(number: int, name: str | None = None, *definitions: int) -> pb.GatewayResource:
    mappings = [
        GatewayEndpointModelMapping(f"m-{number}-{each}", f"e-{number}", f"d-{each}", None, 1.0, 1, None, 1)
        for each in definitions
    ]
    entity = GatewayEndpoint(f"e-{number}", name, 1, 1, mappings)
    return pb.GatewayResource(noun="endpoint", id=f"e-{number}", content_etag=entity.etag(), endpoint=entity.to_proto())


def key(noun: str, identifier: str) -> pb.GatewayResourceKey:
    return pb.GatewayResourceKey(noun=noun, id=identifier)


def message(revision: int, *resources: pb.GatewayResource, **fields: Any) -> bytes:
    given = {"store_id": "store", "resume_token": f"token{revision}", **fields}
    if given.get("is_partial"):
        del given["resume_token"]
    return pb.WatchGatewayResponse(revision=revision, resources=resources, **given).SerializeToString()


def snapshot(revision: int, *resources: pb.GatewayResource, **fields: Any) -> bytes:
    return message(revision, *resources, is_snapshot=True, **fields)
