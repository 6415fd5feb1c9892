"""The handlers of ModelDefinitionService."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway_entities.entities import GatewayModelDefinition, GatewaySecretInfo
from gateway_entities.errors import FieldViolation
from gateway_entities.rules import refuse_invalid, written_fields
from gateway_entities.server.service.handlers import Handlers, new_id, now_ms, text_or_none
from gateway_entities.server.service.paging import Page
from gateway_entities.server.service.refusals import not_found
from llm_gateway.v1 import model_definition_pb2 as pb

if TYPE_CHECKING:
    from gateway_entities.server.store import Transaction


class ModelDefinitionHandlers(Handlers):
    """The handlers of ModelDefinitionService. Errors: those that the contract lists, and UNAVAILABLE from the store."""

    def create_gateway_model_definition(
        self, request: pb.CreateGatewayModelDefinitionRequest
    ) -> pb.CreateGatewayModelDefinitionResponse:
        """Store a new model definition and return it."""
        refuse_invalid(request)
        created_by = text_or_none(request, "created_by")
        with self._store.write() as transaction:
            secret = _referenced_secret(transaction, request.secret_id)
            now = now_ms()
            definition = GatewayModelDefinition(
                model_definition_id=new_id("d"),
                name=request.name,
                secret_id=secret.secret_id,
                secret_name=secret.secret_name,
                provider=request.provider,
                model_name=request.model_name,
                created_at=now,
                last_updated_at=now,
                created_by=created_by,
                last_updated_by=created_by,
            )
            transaction.model_definitions.add(definition)
        return pb.CreateGatewayModelDefinitionResponse(model_definition=definition.to_proto())

    def get_gateway_model_definition(
        self, request: pb.GetGatewayModelDefinitionRequest
    ) -> pb.GetGatewayModelDefinitionResponse:
        """Return the model definition that the request names."""
        refuse_invalid(request)
        with self._store.read() as transaction:
            if request.model_definition_id:
                key = {"model_definition_id": request.model_definition_id}
                definition = transaction.model_definitions.get(request.model_definition_id)
            else:
                key, definition = {"name": request.name}, transaction.model_definitions.find(request.name)
        if definition is None:
            raise not_found("GatewayModelDefinition", key)
        return pb.GetGatewayModelDefinitionResponse(model_definition=definition.to_proto())

    def list_gateway_model_definitions(
        self, request: pb.ListGatewayModelDefinitionsRequest
    ) -> pb.ListGatewayModelDefinitionsResponse:
        """Return a page of model definitions."""
        refuse_invalid(request)
        page = Page[tuple[int, str]]("model_definitions", 1, request.page_size, request.page_token)
        with self._store.read() as transaction:
            found = transaction.model_definitions.list(
                provider=request.provider or None, secret_id=request.secret_id or None, after=page.after, limit=page.limit
            )
        definitions, token = page.cut(found, lambda definition: (definition.created_at, definition.model_definition_id))
        return pb.ListGatewayModelDefinitionsResponse(
            model_definitions=[definition.to_proto() for definition in definitions], next_page_token=token
        )

    def update_gateway_model_definition(
        self, request: pb.UpdateGatewayModelDefinitionRequest
    ) -> pb.UpdateGatewayModelDefinitionResponse:
        """Change the given fields of a model definition."""
        refuse_invalid(request)
        written = written_fields(request)
        with self._store.write() as transaction:
            definition = transaction.model_definitions.get(request.model_definition_id)
            if definition is None:
                raise not_found("GatewayModelDefinition", {"model_definition_id": request.model_definition_id})
            if "secret_id" in written:
                secret = _referenced_secret(transaction, request.secret_id) if request.secret_id else None
                definition.secret_id = None if secret is None else secret.secret_id
                definition.secret_name = None if secret is None else secret.secret_name
            if "name" in written:
                definition.name = request.name
            if "model_name" in written:
                definition.model_name = request.model_name
            if "provider" in written:
                definition.provider = request.provider
            if request.HasField("updated_by"):
                definition.last_updated_by = request.updated_by
            definition.last_updated_at = now_ms()
            transaction.model_definitions.update(definition)
        return pb.UpdateGatewayModelDefinitionResponse(model_definition=definition.to_proto())

    def delete_gateway_model_definition(
        self, request: pb.DeleteGatewayModelDefinitionRequest
    ) -> pb.DeleteGatewayModelDefinitionResponse:
        """Remove a model definition that no endpoint uses."""
        refuse_invalid(request)
        with self._store.write() as transaction:
            if not transaction.model_definitions.remove(request.model_definition_id):
                raise not_found("GatewayModelDefinition", {"model_definition_id": request.model_definition_id})
        return pb.DeleteGatewayModelDefinitionResponse()


def _referenced_secret(transaction: Transaction, secret_id: str) -> GatewaySecretInfo:
    secret = transaction.secrets.get(secret_id)
    if secret is None:
        violation = FieldViolation("secret_id", "must be the id of an existing secret")
        raise not_found("GatewaySecret", {"secret_id": secret_id}, [violation])
    return secret
