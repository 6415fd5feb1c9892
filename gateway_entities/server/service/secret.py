"""SecretService."""

from __future__ import annotations

from typing import Final

from gateway_entities.entities import GatewaySecretInfo
from gateway_entities.errors import FieldViolation, GatewayError
from gateway_entities.rules import normalized_auth_config, validate, written_fields
from gateway_entities.server.service.base import BaseService, new_id, text_or_none
from gateway_entities.server.service.errors import not_found
from gateway_entities.server.service.lists.paging import PageRequest
from gateway_entities.server.service.writes.mutation import Mutation, etag_of, mutation
from gatewayentities.v1 import secret_pb2 as pb

_API_BASE: Final = "api_base"


def masked(value: str) -> str:
    """Return the displayed form of a secret value: its first 3 and last 4 characters, ``***`` if shorter than 20."""
    return f"{value[:3]}...{value[-4:]}" if len(value) >= 20 else "***"


class SecretService(BaseService):
    """The RPCs of SecretService. Errors: as the contract lists, and UNAVAILABLE from the store."""

    @mutation
    def create_gateway_secret(
        self, mutation: Mutation, request: pb.CreateGatewaySecretRequest
    ) -> pb.CreateGatewaySecretResponse:
        """Create a secret."""
        info = GatewaySecretInfo(
            secret_id=new_id("s"),
            secret_name=request.secret_name,
            masked_values={key: masked(value) for key, value in request.secret_value.items()},
            created_at=mutation.now,
            last_updated_at=mutation.now,
            provider=text_or_none(request, "provider"),
            auth_config=normalized_auth_config(request.auth_config),
            created_by=mutation.actor,
            last_updated_by=mutation.actor,
        )
        mutation.transaction.secrets.add(info, dict(request.secret_value))
        mutation.record_secret_value()
        return pb.CreateGatewaySecretResponse(secret=mutation.result(info))

    def get_gateway_secret_info(self, request: pb.GetGatewaySecretInfoRequest) -> pb.GetGatewaySecretInfoResponse:
        """Return a secret's description by id or name."""
        validate(request)
        with self.read() as transaction:
            revision = transaction.changes.last()
            if request.secret_id:
                key, info = {"secret_id": request.secret_id}, transaction.secrets.get(request.secret_id)
            else:
                key, info = {"secret_name": request.secret_name}, transaction.secrets.find(request.secret_name)
        if info is None:
            raise not_found("GatewaySecret", key)
        secret = info.to_proto()
        return pb.GetGatewaySecretInfoResponse(secret=secret, etag=etag_of(secret), revision=revision)

    @mutation
    def update_gateway_secret(
        self, mutation: Mutation, request: pb.UpdateGatewaySecretRequest
    ) -> pb.UpdateGatewaySecretResponse:
        """Update the value or the auth_config of a secret."""
        written = written_fields(request)
        info = _load_secret(mutation, request.secret_id)
        secret_value = dict(request.secret_value) if "secret_value" in written else None
        if secret_value is not None:
            info.masked_values = {key: masked(value) for key, value in secret_value.items()}
            mutation.record_secret_value()
        if "auth_config" in written:
            settings = normalized_auth_config(request.auth_config)
            # One without a value has none to send.
            moves = settings.get(_API_BASE) != info.auth_config.get(_API_BASE) and bool(info.masked_values)
            if secret_value is None and moves:
                raise _moved()
            info.auth_config = settings
        if mutation.actor is not None:
            info.last_updated_by = mutation.actor
        info.last_updated_at = mutation.now
        mutation.transaction.secrets.update(info, secret_value)
        return pb.UpdateGatewaySecretResponse(secret=mutation.result(info))

    @mutation
    def delete_gateway_secret(
        self, mutation: Mutation, request: pb.DeleteGatewaySecretRequest
    ) -> pb.DeleteGatewaySecretResponse:
        """Delete a secret. Model definitions that use it lose their reference."""
        info = _load_secret(mutation, request.secret_id)
        definitions = mutation.transaction.model_definitions.list(secret_id=info.secret_id)
        endpoints = mutation.transaction.endpoints.list(secret_id=info.secret_id)
        mutation.will_affect([*definitions, *endpoints])
        mutation.transaction.secrets.remove(info.secret_id)
        for definition in definitions:
            definition.secret_id = definition.secret_name = None
        for embedded in (mapping.model_definition for endpoint in endpoints for mapping in endpoint.model_mappings):
            if embedded is not None and embedded.secret_id == info.secret_id:
                embedded.secret_id = embedded.secret_name = None
        mutation.did_affect([*definitions, *endpoints])
        return pb.DeleteGatewaySecretResponse()

    def list_gateway_secret_infos(self, request: pb.ListGatewaySecretInfosRequest) -> pb.ListGatewaySecretInfosResponse:
        """Return a page of secrets."""
        validate(request)
        page_request = PageRequest[tuple[int, str]]("secrets", 1, request.page_size, request.page_token)
        with self.read() as transaction:
            page = page_request.read(
                transaction,
                GatewaySecretInfo,
                lambda info: (info.created_at, info.secret_id),
                transaction.secrets.list,
                filters={"provider": request.provider or None},
                matches=lambda info: not request.provider or info.provider == request.provider,
            )
        response = pb.ListGatewaySecretInfosResponse()
        page.fill(response, response.secrets)
        return response


def _moved() -> GatewayError:
    """Return the error of an update that would send a stored value to another address."""
    description = "must not change unless secret_value is sent too: the stored value would go to another address"
    return GatewayError.invalid([FieldViolation(f'auth_config["{_API_BASE}"]', description)])


def _load_secret(mutation: Mutation, secret_id: str) -> GatewaySecretInfo:
    info = mutation.transaction.secrets.get(secret_id)
    if info is None:
        raise not_found("GatewaySecret", {"secret_id": secret_id})
    return mutation.load(info)
