"""The operations on endpoints, without the I/O."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from gateway_entities import methods
from gateway_entities.client._messages import build, mask, message, messages
from gateway_entities.client._operation import PAGE_SIZE, Call, Pages, nothing
from gateway_entities.entities import (
    FallbackConfig,
    GatewayEndpoint,
    GatewayEndpointModelConfig,
    RoutingStrategy,
)
from gatewayentities.v1 import endpoint_pb2


def create_endpoint(
    name: str,
    model_configs: Iterable[GatewayEndpointModelConfig],
    *,
    routing_strategy: RoutingStrategy | int | None = None,
    fallback_config: FallbackConfig | None = None,
    experiment_id: str | None = None,
    usage_tracking: bool | None = None,
    created_by: str | None = None,
    request_id: str | None = None,
) -> Call[GatewayEndpoint]:
    request = build(
        endpoint_pb2.CreateGatewayEndpointRequest,
        name=name,
        model_configs=messages("model_configs", GatewayEndpointModelConfig, model_configs),
        routing_strategy=cast("endpoint_pb2.RoutingStrategy.ValueType | None", routing_strategy),
        fallback_config=message("fallback_config", FallbackConfig, fallback_config),
        experiment_id=experiment_id,
        usage_tracking=usage_tracking,
        created_by=created_by,
        request_id=request_id,
    )
    return Call(methods.CREATE_GATEWAY_ENDPOINT, request, lambda r: GatewayEndpoint.from_proto(r.endpoint))


def get_endpoint(*, endpoint_id: str | None = None, name: str | None = None) -> Call[GatewayEndpoint]:
    request = build(endpoint_pb2.GetGatewayEndpointRequest, endpoint_id=endpoint_id, name=name)
    return Call(methods.GET_GATEWAY_ENDPOINT, request, lambda r: GatewayEndpoint.from_proto(r.endpoint))


def update_endpoint(
    endpoint_id: str,
    *,
    name: str | None = None,
    model_configs: Iterable[GatewayEndpointModelConfig] | None = None,
    routing_strategy: RoutingStrategy | int | None = None,
    fallback_config: FallbackConfig | None = None,
    experiment_id: str | None = None,
    usage_tracking: bool | None = None,
    updated_by: str | None = None,
    update_mask: Iterable[str] | None = None,
    etag: str | None = None,
    request_id: str | None = None,
) -> Call[GatewayEndpoint]:
    request = build(
        endpoint_pb2.UpdateGatewayEndpointRequest,
        endpoint_id=endpoint_id,
        name=name,
        model_configs=messages("model_configs", GatewayEndpointModelConfig, model_configs),
        routing_strategy=cast("endpoint_pb2.RoutingStrategy.ValueType | None", routing_strategy),
        fallback_config=message("fallback_config", FallbackConfig, fallback_config),
        experiment_id=experiment_id,
        usage_tracking=usage_tracking,
        updated_by=updated_by,
        update_mask=mask(update_mask),
        etag=etag,
        request_id=request_id,
    )
    return Call(methods.UPDATE_GATEWAY_ENDPOINT, request, lambda r: GatewayEndpoint.from_proto(r.endpoint))


def delete_endpoint(
    endpoint_id: str,
    *,
    etag: str | None = None,
    request_id: str | None = None,
) -> Call[None]:
    request = build(
        endpoint_pb2.DeleteGatewayEndpointRequest,
        endpoint_id=endpoint_id,
        etag=etag,
        request_id=request_id,
    )
    return Call(methods.DELETE_GATEWAY_ENDPOINT, request, nothing)


def list_endpoints(*, provider: str | None = None, secret_id: str | None = None) -> Pages[GatewayEndpoint]:
    def page(token: str | None) -> endpoint_pb2.ListGatewayEndpointsRequest:
        return build(
            endpoint_pb2.ListGatewayEndpointsRequest,
            provider=provider,
            secret_id=secret_id,
            page_size=PAGE_SIZE,
            page_token=token,
        )

    return Pages(
        methods.LIST_GATEWAY_ENDPOINTS,
        page,
        lambda r: ([GatewayEndpoint.from_proto(item) for item in r.endpoints], r.next_page_token),
    )
