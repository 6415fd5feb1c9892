"""The operations on secrets, without the I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway_entities import methods
from gateway_entities.client._messages import build, mask
from gateway_entities.client._operation import PAGE_SIZE, Call, Pages, nothing
from gateway_entities.entities import (
    GatewaySecretInfo,
)
from gatewayentities.v1 import secret_pb2


def create_secret(
    secret_name: str,
    secret_value: Mapping[str, str],
    *,
    provider: str | None = None,
    auth_config: Mapping[str, str] | None = None,
    created_by: str | None = None,
    request_id: str | None = None,
) -> Call[GatewaySecretInfo]:
    request = build(
        secret_pb2.CreateGatewaySecretRequest,
        secret_name=secret_name,
        secret_value=secret_value,
        provider=provider,
        auth_config=auth_config,
        created_by=created_by,
        request_id=request_id,
    )
    return Call(methods.CREATE_GATEWAY_SECRET, request, lambda r: GatewaySecretInfo.from_proto(r.secret))


def get_secret(*, secret_id: str | None = None, secret_name: str | None = None) -> Call[GatewaySecretInfo]:
    request = build(secret_pb2.GetGatewaySecretInfoRequest, secret_id=secret_id, secret_name=secret_name)
    return Call(methods.GET_GATEWAY_SECRET_INFO, request, lambda r: GatewaySecretInfo.from_proto(r.secret))


def update_secret(
    secret_id: str,
    *,
    secret_value: Mapping[str, str] | None = None,
    auth_config: Mapping[str, str] | None = None,
    updated_by: str | None = None,
    update_mask: Iterable[str] | None = None,
    etag: str | None = None,
    request_id: str | None = None,
) -> Call[GatewaySecretInfo]:
    request = build(
        secret_pb2.UpdateGatewaySecretRequest,
        secret_id=secret_id,
        secret_value=secret_value,
        auth_config=auth_config,
        updated_by=updated_by,
        update_mask=mask(update_mask),
        etag=etag,
        request_id=request_id,
    )
    return Call(methods.UPDATE_GATEWAY_SECRET, request, lambda r: GatewaySecretInfo.from_proto(r.secret))


def delete_secret(
    secret_id: str,
    *,
    etag: str | None = None,
    request_id: str | None = None,
) -> Call[None]:
    request = build(
        secret_pb2.DeleteGatewaySecretRequest,
        secret_id=secret_id,
        etag=etag,
        request_id=request_id,
    )
    return Call(methods.DELETE_GATEWAY_SECRET, request, nothing)


def list_secrets(*, provider: str | None = None) -> Pages[GatewaySecretInfo]:
    def page(token: str | None) -> secret_pb2.ListGatewaySecretInfosRequest:
        return build(secret_pb2.ListGatewaySecretInfosRequest, provider=provider, page_size=PAGE_SIZE, page_token=token)

    return Pages(
        methods.LIST_GATEWAY_SECRET_INFOS,
        page,
        lambda r: ([GatewaySecretInfo.from_proto(item) for item in r.secrets], r.next_page_token),
    )
