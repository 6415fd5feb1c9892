"""The operations on what hangs on an endpoint, models and tags, without the I/O."""

from __future__ import annotations

from gateway_entities import methods
from gateway_entities.client._messages import build, message
from gateway_entities.client._operation import Call, nothing
from gateway_entities.entities import (
    GatewayEndpointModelConfig,
    GatewayEndpointModelMapping,
)
from gatewayentities.v1 import endpoint_pb2


def attach_model(
    endpoint_id: str,
    model_config: GatewayEndpointModelConfig,
    *,
    created_by: str | None = None,
    etag: str | None = None,
    request_id: str | None = None,
) -> Call[GatewayEndpointModelMapping]:
    request = build(
        endpoint_pb2.AttachModelToGatewayEndpointRequest,
        endpoint_id=endpoint_id,
        model_config=message("model_config", GatewayEndpointModelConfig, model_config),
        created_by=created_by,
        etag=etag,
        request_id=request_id,
    )
    return Call(
        methods.ATTACH_MODEL_TO_GATEWAY_ENDPOINT, request, lambda r: GatewayEndpointModelMapping.from_proto(r.mapping)
    )


def detach_model(
    endpoint_id: str,
    model_definition_id: str,
    *,
    etag: str | None = None,
    request_id: str | None = None,
) -> Call[None]:
    request = build(
        endpoint_pb2.DetachModelFromGatewayEndpointRequest,
        endpoint_id=endpoint_id,
        model_definition_id=model_definition_id,
        etag=etag,
        request_id=request_id,
    )
    return Call(methods.DETACH_MODEL_FROM_GATEWAY_ENDPOINT, request, nothing)


def set_endpoint_tag(
    endpoint_id: str,
    key: str,
    value: str,
    *,
    etag: str | None = None,
    request_id: str | None = None,
) -> Call[None]:
    request = build(
        endpoint_pb2.SetGatewayEndpointTagRequest,
        endpoint_id=endpoint_id,
        key=key,
        value=value,
        etag=etag,
        request_id=request_id,
    )
    return Call(methods.SET_GATEWAY_ENDPOINT_TAG, request, nothing)


def delete_endpoint_tag(
    endpoint_id: str,
    key: str,
    *,
    etag: str | None = None,
    request_id: str | None = None,
) -> Call[None]:
    request = build(
        endpoint_pb2.DeleteGatewayEndpointTagRequest,
        endpoint_id=endpoint_id,
        key=key,
        etag=etag,
        request_id=request_id,
    )
    return Call(methods.DELETE_GATEWAY_ENDPOINT_TAG, request, nothing)
