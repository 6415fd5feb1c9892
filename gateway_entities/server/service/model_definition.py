"""ModelDefinitionService."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway_entities.entities import GatewayModelDefinition, GatewaySecretInfo
from gateway_entities.errors import FieldViolation
from gateway_entities.rules import validate, written_fields
from gateway_entities.server.service.base import BaseService, new_id
from gateway_entities.server.service.errors import not_found
from gateway_entities.server.service.lists.paging import PageRequest
from gateway_entities.server.service.writes.mutation import Mutation, etag_of, mutation
from gatewayentities.v1 import model_definition_pb2 as pb

if TYPE_CHECKING:
    from gateway_entities.server.store import Transaction


class ModelDefinitionService(BaseService):
    """The RPCs of ModelDefinitionService. Errors: as the contract lists, and UNAVAILABLE from the store."""

    @mutation
    def create_gateway_model_definition(
        self, mutation: Mutation, request: pb.CreateGatewayModelDefinitionRequest
    ) -> pb.CreateGatewayModelDefinitionResponse:
        """Create a model definition."""
        secret = _referenced_secret(mutation.transaction, request.secret_id)
        definition = GatewayModelDefinition(
            model_definition_id=new_id("d"),
            name=request.name,
            secret_id=secret.secret_id,
            secret_name=secret.secret_name,
            provider=request.provider,
            model_name=request.model_name,
            created_at=mutation.now,
            last_updated_at=mutation.now,
            created_by=mutation.actor,
            last_updated_by=mutation.actor,
        )
        mutation.transaction.model_definitions.add(definition)
        return pb.CreateGatewayModelDefinitionResponse(model_definition=mutation.result(definition))

    def get_gateway_model_definition(
        self, request: pb.GetGatewayModelDefinitionRequest
    ) -> pb.GetGatewayModelDefinitionResponse:
        """Return a model definition by id or name."""
        validate(request)
        with self.read() as transaction:
            revision = transaction.changes.last()
            if request.model_definition_id:
                key = {"model_definition_id": request.model_definition_id}
                definition = transaction.model_definitions.get(request.model_definition_id)
            else:
                key, definition = {"name": request.name}, transaction.model_definitions.find(request.name)
        if definition is None:
            raise not_found("GatewayModelDefinition", key)
        found = definition.to_proto()
        return pb.GetGatewayModelDefinitionResponse(model_definition=found, etag=etag_of(found), revision=revision)

    def list_gateway_model_definitions(
        self, request: pb.ListGatewayModelDefinitionsRequest
    ) -> pb.ListGatewayModelDefinitionsResponse:
        """Return a page of model definitions."""
        validate(request)
        page_request = PageRequest[tuple[int, str]]("model_definitions", 1, request.page_size, request.page_token)
        provider, secret_id = request.provider or None, request.secret_id or None
        with self.read() as transaction:
            page = page_request.read(
                transaction,
                GatewayModelDefinition,
                lambda definition: (definition.created_at, definition.model_definition_id),
                transaction.model_definitions.list,
                filters={"provider": provider, "secret_id": secret_id},
                matches=lambda definition: (
                    provider in {None, definition.provider} and secret_id in {None, definition.secret_id}
                ),
            )
        response = pb.ListGatewayModelDefinitionsResponse()
        page.fill(response, response.model_definitions)
        return response

    @mutation
    def update_gateway_model_definition(
        self, mutation: Mutation, request: pb.UpdateGatewayModelDefinitionRequest
    ) -> pb.UpdateGatewayModelDefinitionResponse:
        """Update the given fields of a model definition."""
        written = written_fields(request)
        definition = _load_definition(mutation, request.model_definition_id)
        endpoints = mutation.transaction.endpoints.list(model_definition_id=definition.model_definition_id)
        mutation.will_affect(endpoints)
        if "secret_id" in written:
            secret = _referenced_secret(mutation.transaction, request.secret_id) if request.secret_id else None
            definition.secret_id = None if secret is None else secret.secret_id
            definition.secret_name = None if secret is None else secret.secret_name
        if "name" in written:
            definition.name = request.name
        if "model_name" in written:
            definition.model_name = request.model_name
        if "provider" in written:
            definition.provider = request.provider
        if mutation.actor is not None:
            definition.last_updated_by = mutation.actor
        definition.last_updated_at = mutation.now
        mutation.transaction.model_definitions.update(definition)
        for mapping in (mapping for endpoint in endpoints for mapping in endpoint.model_mappings):
            if mapping.model_definition_id == definition.model_definition_id:
                mapping.model_definition = definition
        mutation.did_affect(endpoints)
        return pb.UpdateGatewayModelDefinitionResponse(model_definition=mutation.result(definition))

    @mutation
    def delete_gateway_model_definition(
        self, mutation: Mutation, request: pb.DeleteGatewayModelDefinitionRequest
    ) -> pb.DeleteGatewayModelDefinitionResponse:
        """Delete a model definition that no endpoint uses."""
        definition = _load_definition(mutation, request.model_definition_id)
        mutation.transaction.model_definitions.remove(definition.model_definition_id)
        return pb.DeleteGatewayModelDefinitionResponse()


def _load_definition(mutation: Mutation, model_definition_id: str) -> GatewayModelDefinition:
    definition = mutation.transaction.model_definitions.get(model_definition_id)
    if definition is None:
        raise not_found("GatewayModelDefinition", {"model_definition_id": model_definition_id})
    return mutation.load(definition)


def _referenced_secret(transaction: Transaction, secret_id: str) -> GatewaySecretInfo:
    secret = transaction.secrets.get(secret_id)
    if secret is None:
        violation = FieldViolation("secret_id", "must be the id of an existing secret")
        raise not_found("GatewaySecret", {"secret_id": secret_id}, [violation])
    return secret
