"""The handlers of SecretService."""

from __future__ import annotations

from gateway_entities.entities import GatewaySecretInfo
from gateway_entities.rules import normalized_auth_config, validate, written_fields
from gateway_entities.server.service.base import Handlers, new_id, text_or_none
from gateway_entities.server.service.errors import not_found
from gateway_entities.server.service.mutation import Change, changes, etag_of
from gateway_entities.server.service.paging import Page
from gatewayentities.v1 import secret_pb2 as pb


def masked(value: str) -> str:
    """Return what may be shown of a secret value: enough to tell two keys apart, and nothing of a short one."""
    return f"{value[:3]}...{value[-4:]}" if len(value) >= 12 else "***"


class SecretHandlers(Handlers):
    """The handlers of SecretService. Errors: those that the contract lists, and UNAVAILABLE from the store."""

    @changes
    def create_gateway_secret(
        self, change: Change, request: pb.CreateGatewaySecretRequest
    ) -> pb.CreateGatewaySecretResponse:
        """Store a new secret and return its description."""
        info = GatewaySecretInfo(
            secret_id=new_id("s"),
            secret_name=request.secret_name,
            masked_values={key: masked(value) for key, value in request.secret_value.items()},
            created_at=change.now,
            last_updated_at=change.now,
            provider=text_or_none(request, "provider"),
            auth_config=normalized_auth_config(request.auth_config),
            created_by=change.actor,
            last_updated_by=change.actor,
        )
        change.transaction.secrets.add(info, dict(request.secret_value))
        return pb.CreateGatewaySecretResponse(secret=change.end(info))

    def get_gateway_secret_info(self, request: pb.GetGatewaySecretInfoRequest) -> pb.GetGatewaySecretInfoResponse:
        """Return the description of the secret that the request names."""
        validate(request)
        with self.store.read() as transaction:
            revision = transaction.changes.last()
            if request.secret_id:
                key, info = {"secret_id": request.secret_id}, transaction.secrets.get(request.secret_id)
            else:
                key, info = {"secret_name": request.secret_name}, transaction.secrets.find(request.secret_name)
        if info is None:
            raise not_found("GatewaySecret", key)
        secret = info.to_proto()
        return pb.GetGatewaySecretInfoResponse(secret=secret, etag=etag_of(secret), revision=revision)

    @changes
    def update_gateway_secret(
        self, change: Change, request: pb.UpdateGatewaySecretRequest
    ) -> pb.UpdateGatewaySecretResponse:
        """Replace the value or the settings of a secret."""
        written = written_fields(request)
        info = _changing_secret(change, request.secret_id)
        secret_value = dict(request.secret_value) if "secret_value" in written else None
        if secret_value is not None:
            info.masked_values = {key: masked(value) for key, value in secret_value.items()}
        if "auth_config" in written:
            info.auth_config = normalized_auth_config(request.auth_config)
        if change.actor is not None:
            info.last_updated_by = change.actor
        info.last_updated_at = change.now
        change.transaction.secrets.update(info, secret_value)
        return pb.UpdateGatewaySecretResponse(secret=change.end(info))

    @changes
    def delete_gateway_secret(
        self, change: Change, request: pb.DeleteGatewaySecretRequest
    ) -> pb.DeleteGatewaySecretResponse:
        """Remove a secret. Model definitions that used it stay, without one."""
        info = _changing_secret(change, request.secret_id)
        definitions = change.transaction.model_definitions.list(secret_id=info.secret_id)
        endpoints = change.transaction.endpoints.list(secret_id=info.secret_id)
        change.affects([*definitions, *endpoints])
        change.transaction.secrets.remove(info.secret_id)
        for definition in definitions:
            definition.secret_id = definition.secret_name = None
        for shown in (mapping.model_definition for endpoint in endpoints for mapping in endpoint.model_mappings):
            if shown is not None and shown.secret_id == info.secret_id:
                shown.secret_id = shown.secret_name = None
        change.affected([*definitions, *endpoints])
        return pb.DeleteGatewaySecretResponse()

    def list_gateway_secret_infos(self, request: pb.ListGatewaySecretInfosRequest) -> pb.ListGatewaySecretInfosResponse:
        """Return a page of secrets."""
        validate(request)
        page = Page[tuple[int, str]]("secrets", 1, request.page_size, request.page_token)
        with self.store.read() as transaction:
            part = page.read(
                transaction,
                GatewaySecretInfo,
                lambda info: (info.created_at, info.secret_id),
                lambda after, limit: transaction.secrets.list(provider=request.provider or None, after=after, limit=limit),
                lambda info: not request.provider or info.provider == request.provider,
            )
        response = pb.ListGatewaySecretInfosResponse()
        part.fill(response, response.secrets)
        return response


def _changing_secret(change: Change, secret_id: str) -> GatewaySecretInfo:
    info = change.transaction.secrets.get(secret_id)
    if info is None:
        raise not_found("GatewaySecret", {"secret_id": secret_id})
    change.begin(info)
    return info
