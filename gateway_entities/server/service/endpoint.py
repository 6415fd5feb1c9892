"""EndpointService, without its RPCs for mappings and tags."""

from __future__ import annotations

from collections.abc import Sequence

from gateway_entities.entities import (
    FallbackConfig,
    FallbackStrategy,
    GatewayEndpoint,
    GatewayEndpointModelMapping,
    RoutingStrategy,
)
from gateway_entities.rules import validate, written_fields
from gateway_entities.server.service.base import BaseService, new_id, text_or_none
from gateway_entities.server.service.errors import not_found
from gateway_entities.server.service.guardrail import ActionEndpointDeletion
from gateway_entities.server.service.lists.paging import PageRequest
from gateway_entities.server.service.mapping import (
    definitions_of,
    has_fallback_model,
    load_endpoint,
    new_mapping,
    refuse_duplicates,
)
from gateway_entities.server.service.writes.mutation import Mutation, etag_of, mutation
from gatewayentities.v1 import endpoint_pb2 as pb

_DEFAULT_USAGE_TRACKING = True


class EndpointService(BaseService):
    """The RPCs of EndpointService for endpoints. Errors: as the contract lists, and UNAVAILABLE from the store."""

    @mutation
    def create_gateway_endpoint(
        self, mutation: Mutation, request: pb.CreateGatewayEndpointRequest
    ) -> pb.CreateGatewayEndpointResponse:
        """Create an endpoint with its models."""
        endpoint_id = new_id("e")
        endpoint = GatewayEndpoint(
            endpoint_id=endpoint_id,
            name=request.name,
            created_at=mutation.now,
            last_updated_at=mutation.now,
            model_mappings=_mappings(mutation, endpoint_id, request.model_configs),
            created_by=mutation.actor,
            last_updated_by=mutation.actor,
            routing_strategy=_routing_strategy(request.routing_strategy),
            fallback_config=_fallback_config(request.fallback_config) if request.HasField("fallback_config") else None,
            experiment_id=text_or_none(request, "experiment_id"),
            usage_tracking=request.usage_tracking if request.HasField("usage_tracking") else _DEFAULT_USAGE_TRACKING,
        )
        _enable_fallback(endpoint)
        mutation.transaction.endpoints.add(endpoint)
        return pb.CreateGatewayEndpointResponse(endpoint=mutation.result(endpoint))

    def get_gateway_endpoint(self, request: pb.GetGatewayEndpointRequest) -> pb.GetGatewayEndpointResponse:
        """Return an endpoint by id or name."""
        validate(request)
        with self.read() as transaction:
            revision = transaction.changes.last()
            if request.endpoint_id:
                key, endpoint = {"endpoint_id": request.endpoint_id}, transaction.endpoints.get(request.endpoint_id)
            else:
                key, endpoint = {"name": request.name}, transaction.endpoints.find(request.name)
        if endpoint is None:
            raise not_found("GatewayEndpoint", key)
        found = endpoint.to_proto()
        return pb.GetGatewayEndpointResponse(endpoint=found, etag=etag_of(found), revision=revision)

    @mutation
    def update_gateway_endpoint(
        self, mutation: Mutation, request: pb.UpdateGatewayEndpointRequest
    ) -> pb.UpdateGatewayEndpointResponse:
        """Update the given fields of an endpoint."""
        endpoints = mutation.transaction.endpoints
        endpoint = load_endpoint(mutation, request.endpoint_id)
        written = written_fields(request)
        _write_own_fields(endpoint, request, written)
        if "model_configs" in written:
            mappings = _mappings(mutation, endpoint.endpoint_id, request.model_configs)
            endpoints.replace_mappings(endpoint.endpoint_id, mappings)
            endpoint.model_mappings = mappings
            if "fallback_config" not in written:
                _enable_fallback(endpoint)
        if mutation.actor is not None:
            endpoint.last_updated_by = mutation.actor
        endpoint.last_updated_at = mutation.now
        endpoints.update(endpoint)
        return pb.UpdateGatewayEndpointResponse(endpoint=mutation.result(endpoint))

    @mutation
    def delete_gateway_endpoint(
        self, mutation: Mutation, request: pb.DeleteGatewayEndpointRequest
    ) -> pb.DeleteGatewayEndpointResponse:
        """Delete an endpoint with its mappings, bindings, tags, ENDPOINT budgets and guardrail configs."""
        transaction = mutation.transaction
        endpoint = load_endpoint(mutation, request.endpoint_id)
        mutation.will_affect(transaction.bindings.list(endpoint_id=endpoint.endpoint_id))
        mutation.will_affect(transaction.budget_policies.list(endpoint_id=endpoint.endpoint_id))
        mutation.will_affect(transaction.guardrail_configs.list(endpoint_id=endpoint.endpoint_id))
        deletion = ActionEndpointDeletion(mutation, endpoint.endpoint_id)
        transaction.endpoints.remove(endpoint.endpoint_id)
        deletion.record()
        return pb.DeleteGatewayEndpointResponse()

    def list_gateway_endpoints(self, request: pb.ListGatewayEndpointsRequest) -> pb.ListGatewayEndpointsResponse:
        """Return a page of endpoints."""
        validate(request)
        page_request = PageRequest[tuple[int, str]]("endpoints", 1, request.page_size, request.page_token)
        provider, secret_id = request.provider or None, request.secret_id or None
        with self.read() as transaction:
            page = page_request.read(
                transaction,
                GatewayEndpoint,
                lambda endpoint: (endpoint.created_at, endpoint.endpoint_id),
                transaction.endpoints.list,
                filters={"provider": provider, "secret_id": secret_id},
                matches=lambda endpoint: _has_model(endpoint, provider, secret_id),
            )
        response = pb.ListGatewayEndpointsResponse()
        page.fill(response, response.endpoints)
        return response


def _has_model(endpoint: GatewayEndpoint, provider: str | None, secret_id: str | None) -> bool:
    """Return whether a single model of the endpoint matches both filters; None matches every model."""
    if provider is None and secret_id is None:
        return True
    definitions = [mapping.model_definition for mapping in endpoint.model_mappings if mapping.model_definition is not None]
    return any(provider in {None, d.provider} and secret_id in {None, d.secret_id} for d in definitions)


def _write_own_fields(endpoint: GatewayEndpoint, request: pb.UpdateGatewayEndpointRequest, written: frozenset[str]) -> None:
    if "name" in written:
        endpoint.name = request.name
    if "routing_strategy" in written:
        endpoint.routing_strategy = _routing_strategy(request.routing_strategy)
    if "fallback_config" in written:
        sent = request.HasField("fallback_config")
        endpoint.fallback_config = _fallback_config(request.fallback_config) if sent else None
    if "experiment_id" in written:
        endpoint.experiment_id = request.experiment_id or None
    if "usage_tracking" in written:
        sent = request.HasField("usage_tracking")
        endpoint.usage_tracking = request.usage_tracking if sent else _DEFAULT_USAGE_TRACKING


def _mappings(
    mutation: Mutation, endpoint_id: str, configs: Sequence[pb.GatewayEndpointModelConfig]
) -> list[GatewayEndpointModelMapping]:
    by_path = {f"model_configs[{i}]": config for i, config in enumerate(configs)}
    definitions = definitions_of(mutation.transaction, by_path)
    refuse_duplicates(by_path)
    return [new_mapping(endpoint_id, config, definitions[config.model_definition_id], mutation) for config in configs]


def _enable_fallback(endpoint: GatewayEndpoint) -> None:
    """If the endpoint has FALLBACK models but no fallback_config, default to SEQUENTIAL."""
    if endpoint.fallback_config is None and has_fallback_model(endpoint.model_mappings):
        endpoint.fallback_config = FallbackConfig(FallbackStrategy.SEQUENTIAL)


# UNSPECIFIED means the same as absence, and is stored as absence.


def _routing_strategy(number: int) -> RoutingStrategy | None:
    return RoutingStrategy(number) if number else None


def _fallback_config(sent: pb.FallbackConfig) -> FallbackConfig:
    return FallbackConfig(
        strategy=FallbackStrategy(sent.strategy) if sent.strategy else None,
        max_attempts=sent.max_attempts if sent.HasField("max_attempts") else None,
    )
