"""The operations on model definitions, without the I/O."""

from __future__ import annotations

from collections.abc import Iterable

from gateway_entities import methods
from gateway_entities.client._messages import build, mask
from gateway_entities.client._operation import PAGE_SIZE, Call, Pages, nothing
from gateway_entities.entities import (
    GatewayModelDefinition,
)
from gatewayentities.v1 import model_definition_pb2


def create_model_definition(
    name: str,
    *,
    secret_id: str,
    provider: str,
    model_name: str,
    created_by: str | None = None,
    request_id: str | None = None,
) -> Call[GatewayModelDefinition]:
    request = build(
        model_definition_pb2.CreateGatewayModelDefinitionRequest,
        name=name,
        secret_id=secret_id,
        provider=provider,
        model_name=model_name,
        created_by=created_by,
        request_id=request_id,
    )
    return Call(
        methods.CREATE_GATEWAY_MODEL_DEFINITION, request, lambda r: GatewayModelDefinition.from_proto(r.model_definition)
    )


def get_model_definition(*, model_definition_id: str | None = None, name: str | None = None) -> Call[GatewayModelDefinition]:
    request = build(
        model_definition_pb2.GetGatewayModelDefinitionRequest, model_definition_id=model_definition_id, name=name
    )
    return Call(
        methods.GET_GATEWAY_MODEL_DEFINITION, request, lambda r: GatewayModelDefinition.from_proto(r.model_definition)
    )


def update_model_definition(
    model_definition_id: str,
    *,
    name: str | None = None,
    secret_id: str | None = None,
    model_name: str | None = None,
    provider: str | None = None,
    updated_by: str | None = None,
    update_mask: Iterable[str] | None = None,
    etag: str | None = None,
    request_id: str | None = None,
) -> Call[GatewayModelDefinition]:
    request = build(
        model_definition_pb2.UpdateGatewayModelDefinitionRequest,
        model_definition_id=model_definition_id,
        name=name,
        secret_id=secret_id,
        model_name=model_name,
        provider=provider,
        updated_by=updated_by,
        update_mask=mask(update_mask),
        etag=etag,
        request_id=request_id,
    )
    return Call(
        methods.UPDATE_GATEWAY_MODEL_DEFINITION, request, lambda r: GatewayModelDefinition.from_proto(r.model_definition)
    )


def delete_model_definition(
    model_definition_id: str,
    *,
    etag: str | None = None,
    request_id: str | None = None,
) -> Call[None]:
    request = build(
        model_definition_pb2.DeleteGatewayModelDefinitionRequest,
        model_definition_id=model_definition_id,
        etag=etag,
        request_id=request_id,
    )
    return Call(methods.DELETE_GATEWAY_MODEL_DEFINITION, request, nothing)


def list_model_definitions(*, provider: str | None = None, secret_id: str | None = None) -> Pages[GatewayModelDefinition]:
    def page(token: str | None) -> model_definition_pb2.ListGatewayModelDefinitionsRequest:
        return build(
            model_definition_pb2.ListGatewayModelDefinitionsRequest,
            provider=provider,
            secret_id=secret_id,
            page_size=PAGE_SIZE,
            page_token=token,
        )

    return Pages(
        methods.LIST_GATEWAY_MODEL_DEFINITIONS,
        page,
        lambda r: ([GatewayModelDefinition.from_proto(item) for item in r.model_definitions], r.next_page_token),
    )
