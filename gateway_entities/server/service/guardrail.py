"""GuardrailService."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway_entities.entities import GatewayGuardrail, GatewayGuardrailConfig, GuardrailAction, GuardrailStage, Scorer
from gateway_entities.errors import FieldViolation
from gateway_entities.rules import validate
from gateway_entities.rules.bounds import MAX_GUARDRAILS
from gateway_entities.server.service.base import BaseService, new_id
from gateway_entities.server.service.errors import not_found, refuse_more
from gateway_entities.server.service.lists.paging import PageRequest
from gateway_entities.server.service.writes.mutation import Mutation, etag_of, mutation
from gateway_entities.server.store.repositories.guardrail_config import ExecutionKey, execution_key
from gatewayentities.v1 import guardrail_pb2 as pb

if TYPE_CHECKING:
    from gateway_entities.server.store import Transaction


class GuardrailService(BaseService):
    """The RPCs of GuardrailService. Errors: as the contract lists, and UNAVAILABLE from the store."""

    @mutation
    def create_gateway_guardrail(
        self, mutation: Mutation, request: pb.CreateGatewayGuardrailRequest
    ) -> pb.CreateGatewayGuardrailResponse:
        """Create a guardrail."""
        scorer = Scorer.from_proto(request.scorer)
        scorer.scorer_id, scorer.scorer_version = request.scorer_id, request.scorer_version
        endpoint_id = request.action_endpoint_id or None
        if endpoint_id is not None and not mutation.transaction.endpoints.exists(endpoint_id):
            violation = FieldViolation("action_endpoint_id", "must be the id of an existing endpoint")
            raise not_found("GatewayEndpoint", {"endpoint_id": endpoint_id}, [violation])
        guardrail = GatewayGuardrail(
            guardrail_id=new_id("gr"),
            name=request.name,
            scorer=scorer,
            stage=GuardrailStage(request.stage),
            action=GuardrailAction(request.action),
            created_at=mutation.now,
            last_updated_at=mutation.now,
            action_endpoint_id=endpoint_id,
            created_by=mutation.actor,
            last_updated_by=mutation.actor,
        )
        mutation.transaction.guardrails.add(guardrail)
        return pb.CreateGatewayGuardrailResponse(guardrail=mutation.result(guardrail))

    def get_gateway_guardrail(self, request: pb.GetGatewayGuardrailRequest) -> pb.GetGatewayGuardrailResponse:
        """Return a guardrail by id."""
        validate(request)
        with self.read() as transaction:
            revision = transaction.changes.last()
            guardrail = _existing(transaction, request.guardrail_id)
        found = guardrail.to_proto()
        return pb.GetGatewayGuardrailResponse(guardrail=found, etag=etag_of(found), revision=revision)

    @mutation
    def delete_gateway_guardrail(
        self, mutation: Mutation, request: pb.DeleteGatewayGuardrailRequest
    ) -> pb.DeleteGatewayGuardrailResponse:
        """Delete a guardrail, also from every endpoint."""
        guardrail = mutation.load(_existing(mutation.transaction, request.guardrail_id))
        mutation.will_affect(mutation.transaction.guardrail_configs.list(guardrail_id=guardrail.guardrail_id))
        mutation.transaction.guardrails.remove(guardrail.guardrail_id)
        return pb.DeleteGatewayGuardrailResponse()

    def list_gateway_guardrails(self, request: pb.ListGatewayGuardrailsRequest) -> pb.ListGatewayGuardrailsResponse:
        """Return a page of guardrails."""
        validate(request)
        page_request = PageRequest[tuple[int, str]]("guardrails", 1, request.max_results, request.page_token)
        with self.read() as transaction:
            page = page_request.read(
                transaction,
                GatewayGuardrail,
                lambda guardrail: (guardrail.created_at, guardrail.guardrail_id),
                transaction.guardrails.list,
                filters={},
                matches=lambda _guardrail: True,
            )
        response = pb.ListGatewayGuardrailsResponse()
        page.fill(response, response.guardrails)
        return response

    @mutation
    def add_guardrail_to_endpoint(
        self, mutation: Mutation, request: pb.AddGuardrailToEndpointRequest
    ) -> pb.AddGuardrailToEndpointResponse:
        """Add a guardrail to an endpoint."""
        transaction = mutation.transaction
        _require_endpoint(transaction, request.endpoint_id)
        config = GatewayGuardrailConfig(
            endpoint_id=request.endpoint_id,
            guardrail_id=request.guardrail_id,
            execution_order=_order(request),
            created_at=mutation.now,
            guardrail=_existing(transaction, request.guardrail_id),
            created_by=mutation.actor,
        )
        transaction.guardrail_configs.add(config)
        number = transaction.guardrail_configs.count(config.endpoint_id)
        refuse_more(config.endpoint_id, number, MAX_GUARDRAILS, "guardrails")
        return pb.AddGuardrailToEndpointResponse(config=mutation.result(config))

    @mutation
    def remove_guardrail_from_endpoint(
        self, mutation: Mutation, request: pb.RemoveGuardrailFromEndpointRequest
    ) -> pb.RemoveGuardrailFromEndpointResponse:
        """Remove a guardrail from an endpoint."""
        config = mutation.load(_existing_config(mutation.transaction, request.endpoint_id, request.guardrail_id))
        mutation.transaction.guardrail_configs.remove(config.endpoint_id, config.guardrail_id)
        return pb.RemoveGuardrailFromEndpointResponse()

    def list_endpoint_guardrail_configs(
        self, request: pb.ListEndpointGuardrailConfigsRequest
    ) -> pb.ListEndpointGuardrailConfigsResponse:
        """Return a page of an endpoint's guardrails, in order of execution."""
        validate(request)
        page_request = PageRequest[ExecutionKey]("guardrail_configs", 2, request.page_size, request.page_token)
        with self.read() as transaction:
            _require_endpoint(transaction, request.endpoint_id)
            page = page_request.read(
                transaction,
                GatewayGuardrailConfig,
                execution_key,
                transaction.guardrail_configs.in_execution_order,
                filters={"endpoint_id": request.endpoint_id},
                matches=lambda config: config.endpoint_id == request.endpoint_id,
            )
        response = pb.ListEndpointGuardrailConfigsResponse()
        page.fill(response, response.configs)
        return response

    @mutation
    def update_endpoint_guardrail_config(
        self, mutation: Mutation, request: pb.UpdateEndpointGuardrailConfigRequest
    ) -> pb.UpdateEndpointGuardrailConfigResponse:
        """Set or clear the place of a guardrail in an endpoint's order of execution."""
        config = mutation.load(_existing_config(mutation.transaction, request.endpoint_id, request.guardrail_id))
        config.execution_order = _order(request)
        mutation.transaction.guardrail_configs.update(config)
        return pb.UpdateEndpointGuardrailConfigResponse(config=mutation.result(config))


class ActionEndpointDeletion:
    """What the deletion of an endpoint does to the guardrails whose action calls it: they have no action endpoint then."""

    def __init__(self, mutation: Mutation, endpoint_id: str) -> None:
        """Record these guardrails and the configs that have them, before the deletion."""
        transaction = mutation.transaction
        self._mutation = mutation
        self._guardrails = transaction.guardrails.list(action_endpoint_id=endpoint_id)
        configs = transaction.guardrail_configs.list(action_endpoint_id=endpoint_id) if self._guardrails else []
        self._configs = [config for config in configs if config.endpoint_id != endpoint_id]
        mutation.will_affect([*self._guardrails, *self._configs])

    def record(self) -> None:
        """Record them as they are after the deletion."""
        embedded = (config.guardrail for config in self._configs)
        for guardrail in (*self._guardrails, *embedded):
            if guardrail is not None:
                guardrail.action_endpoint_id = None
        self._mutation.did_affect([*self._guardrails, *self._configs])


def _order(request: pb.AddGuardrailToEndpointRequest | pb.UpdateEndpointGuardrailConfigRequest) -> int | None:
    return request.execution_order if request.HasField("execution_order") else None


def _require_endpoint(transaction: Transaction, endpoint_id: str) -> None:
    if not transaction.endpoints.exists(endpoint_id):
        raise not_found("GatewayEndpoint", {"endpoint_id": endpoint_id})


def _existing(transaction: Transaction, guardrail_id: str) -> GatewayGuardrail:
    guardrail = transaction.guardrails.get(guardrail_id)
    if guardrail is None:
        raise not_found("Guardrail", {"guardrail_id": guardrail_id})
    return guardrail


def _existing_config(transaction: Transaction, endpoint_id: str, guardrail_id: str) -> GatewayGuardrailConfig:
    config = transaction.guardrail_configs.get(endpoint_id, guardrail_id)
    if config is None:
        raise not_found("GuardrailConfig", {"endpoint_id": endpoint_id, "guardrail_id": guardrail_id})
    return config
