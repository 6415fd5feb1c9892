"""The operations on bindings, without the I/O."""

from __future__ import annotations

from gateway_entities import methods
from gateway_entities.client._messages import build
from gateway_entities.client._operation import PAGE_SIZE, Call, Pages, nothing
from gateway_entities.entities import (
    GatewayEndpointBinding,
)
from gatewayentities.v1 import binding_pb2


def create_binding(
    endpoint_id: str,
    resource_type: str,
    resource_id: str,
    *,
    created_by: str | None = None,
    request_id: str | None = None,
) -> Call[GatewayEndpointBinding]:
    request = build(
        binding_pb2.CreateGatewayEndpointBindingRequest,
        endpoint_id=endpoint_id,
        resource_type=resource_type,
        resource_id=resource_id,
        created_by=created_by,
        request_id=request_id,
    )
    return Call(methods.CREATE_GATEWAY_ENDPOINT_BINDING, request, lambda r: GatewayEndpointBinding.from_proto(r.binding))


def delete_binding(
    endpoint_id: str,
    resource_type: str,
    resource_id: str,
    *,
    etag: str | None = None,
    request_id: str | None = None,
) -> Call[None]:
    request = build(
        binding_pb2.DeleteGatewayEndpointBindingRequest,
        endpoint_id=endpoint_id,
        resource_type=resource_type,
        resource_id=resource_id,
        etag=etag,
        request_id=request_id,
    )
    return Call(methods.DELETE_GATEWAY_ENDPOINT_BINDING, request, nothing)


def list_bindings(
    *, endpoint_id: str | None = None, resource_type: str | None = None, resource_id: str | None = None
) -> Pages[GatewayEndpointBinding]:
    def page(token: str | None) -> binding_pb2.ListGatewayEndpointBindingsRequest:
        return build(
            binding_pb2.ListGatewayEndpointBindingsRequest,
            endpoint_id=endpoint_id,
            resource_type=resource_type,
            resource_id=resource_id,
            page_size=PAGE_SIZE,
            page_token=token,
        )

    return Pages(
        methods.LIST_GATEWAY_ENDPOINT_BINDINGS,
        page,
        lambda r: ([GatewayEndpointBinding.from_proto(item) for item in r.bindings], r.next_page_token),
    )
