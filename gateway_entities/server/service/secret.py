"""The handlers of SecretService."""

from __future__ import annotations

from gateway_entities.entities import GatewaySecretInfo
from gateway_entities.rules import normalized_auth_config, refuse_invalid, written_fields
from gateway_entities.server.service.handlers import Handlers, new_id, now_ms, text_or_none
from gateway_entities.server.service.paging import Page
from gateway_entities.server.service.refusals import not_found
from llm_gateway.v1 import secret_pb2 as pb


def masked(value: str) -> str:
    """Return what may be shown of a secret value: enough to tell two keys apart, and nothing of a short one."""
    return f"{value[:3]}...{value[-4:]}" if len(value) >= 12 else "***"


class SecretHandlers(Handlers):
    """The handlers of SecretService. Errors: those that the contract lists, and UNAVAILABLE from the store."""

    def create_gateway_secret(self, request: pb.CreateGatewaySecretRequest) -> pb.CreateGatewaySecretResponse:
        """Store a new secret and return its description."""
        refuse_invalid(request)
        created_by = text_or_none(request, "created_by")
        with self._store.write() as transaction:
            now = now_ms()
            info = GatewaySecretInfo(
                secret_id=new_id("s"),
                secret_name=request.secret_name,
                masked_values={key: masked(value) for key, value in request.secret_value.items()},
                created_at=now,
                last_updated_at=now,
                provider=text_or_none(request, "provider"),
                auth_config=normalized_auth_config(request.auth_config),
                created_by=created_by,
                last_updated_by=created_by,
            )
            transaction.secrets.add(info, dict(request.secret_value))
        return pb.CreateGatewaySecretResponse(secret=info.to_proto())

    def get_gateway_secret_info(self, request: pb.GetGatewaySecretInfoRequest) -> pb.GetGatewaySecretInfoResponse:
        """Return the description of the secret that the request names."""
        refuse_invalid(request)
        with self._store.read() as transaction:
            if request.secret_id:
                key, info = {"secret_id": request.secret_id}, transaction.secrets.get(request.secret_id)
            else:
                key, info = {"secret_name": request.secret_name}, transaction.secrets.find(request.secret_name)
        if info is None:
            raise not_found("GatewaySecret", key)
        return pb.GetGatewaySecretInfoResponse(secret=info.to_proto())

    def update_gateway_secret(self, request: pb.UpdateGatewaySecretRequest) -> pb.UpdateGatewaySecretResponse:
        """Replace the value or the settings of a secret."""
        refuse_invalid(request)
        written = written_fields(request)
        with self._store.write() as transaction:
            info = transaction.secrets.get(request.secret_id)
            if info is None:
                raise not_found("GatewaySecret", {"secret_id": request.secret_id})
            secret_value = dict(request.secret_value) if "secret_value" in written else None
            if secret_value is not None:
                info.masked_values = {key: masked(value) for key, value in secret_value.items()}
            if "auth_config" in written:
                info.auth_config = normalized_auth_config(request.auth_config)
            if request.HasField("updated_by"):
                info.last_updated_by = request.updated_by
            info.last_updated_at = now_ms()
            transaction.secrets.update(info, secret_value)
        return pb.UpdateGatewaySecretResponse(secret=info.to_proto())

    def delete_gateway_secret(self, request: pb.DeleteGatewaySecretRequest) -> pb.DeleteGatewaySecretResponse:
        """Remove a secret. Model definitions that used it stay, without one."""
        refuse_invalid(request)
        with self._store.write() as transaction:
            if not transaction.secrets.remove(request.secret_id):
                raise not_found("GatewaySecret", {"secret_id": request.secret_id})
        return pb.DeleteGatewaySecretResponse()

    def list_gateway_secret_infos(self, request: pb.ListGatewaySecretInfosRequest) -> pb.ListGatewaySecretInfosResponse:
        """Return a page of secrets."""
        refuse_invalid(request)
        page = Page[tuple[int, str]]("secrets", 1, request.page_size, request.page_token)
        with self._store.read() as transaction:
            found = transaction.secrets.list(provider=request.provider or None, after=page.after, limit=page.limit)
        infos, token = page.cut(found, lambda info: (info.created_at, info.secret_id))
        return pb.ListGatewaySecretInfosResponse(secrets=[info.to_proto() for info in infos], next_page_token=token)
