"""The RPCs of EndpointService for mappings, and what the services of endpoints, mappings and tags share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from gateway_entities.entities import (
    FallbackConfig,
    FallbackStrategy,
    GatewayEndpoint,
    GatewayEndpointModelMapping,
    GatewayModelDefinition,
    GatewayModelLinkageType,
)
from gateway_entities.errors import Code, FieldViolation, GatewayError
from gateway_entities.rules.bounds import MAX_MODELS
from gateway_entities.server.service.base import BaseService, new_id, positive_zero
from gateway_entities.server.service.errors import conflict, not_found, refuse_more
from gateway_entities.server.service.writes.mutation import Mutation, mutation
from gatewayentities.v1 import endpoint_pb2 as pb

if TYPE_CHECKING:
    from gateway_entities.server.store import Transaction

_DEFAULT_WEIGHT = 1.0


class MappingService(BaseService):
    """The RPCs that attach and detach models."""

    @mutation
    def attach_model_to_gateway_endpoint(
        self, mutation: Mutation, request: pb.AttachModelToGatewayEndpointRequest
    ) -> pb.AttachModelToGatewayEndpointResponse:
        """Attach a model to an endpoint; return the mapping."""
        endpoints = mutation.transaction.endpoints
        endpoint = load_endpoint(mutation, request.endpoint_id)
        definitions = definitions_of(mutation.transaction, {"model_config": request.model_config})
        definition = definitions[request.model_config.model_definition_id]
        mapping = new_mapping(endpoint.endpoint_id, request.model_config, definition, mutation)
        endpoints.add_mapping(mapping)
        endpoint.model_mappings.append(mapping)
        refuse_more(endpoint.endpoint_id, len(endpoint.model_mappings), MAX_MODELS, "models")
        if mapping.linkage_type == GatewayModelLinkageType.FALLBACK:
            _set_default_strategy(endpoint)
        if mutation.actor is not None:
            endpoint.last_updated_by = mutation.actor
        endpoint.last_updated_at = mutation.now
        endpoints.update(endpoint)
        message = mutation.result(endpoint)
        return pb.AttachModelToGatewayEndpointResponse(mapping=message.model_mappings[-1])

    @mutation
    def detach_model_from_gateway_endpoint(
        self, mutation: Mutation, request: pb.DetachModelFromGatewayEndpointRequest
    ) -> pb.DetachModelFromGatewayEndpointResponse:
        """Detach a model definition: delete all its mappings to the endpoint."""
        endpoint = load_endpoint(mutation, request.endpoint_id)
        definition_id = request.model_definition_id
        remaining = [mapping for mapping in endpoint.model_mappings if mapping.model_definition_id != definition_id]
        if len(remaining) == len(endpoint.model_mappings):
            raise GatewayError(
                Code.NOT_FOUND,
                f"Model definition '{definition_id[:255]}' is not attached to endpoint '{endpoint.endpoint_id}'",
                reason="NOT_ATTACHED",
            )
        if not any(mapping.linkage_type == GatewayModelLinkageType.PRIMARY and mapping.weight != 0 for mapping in remaining):
            raise conflict(
                f"Cannot detach model definition '{definition_id}' from endpoint '{endpoint.endpoint_id}': it would be "
                "left without a PRIMARY model of a weight above 0. Attach another PRIMARY model first.",
                "LAST_PRIMARY_MODEL",
            )
        mutation.transaction.endpoints.remove_mappings(endpoint.endpoint_id, definition_id)
        endpoint.model_mappings = remaining
        endpoint.last_updated_at = mutation.now
        mutation.transaction.endpoints.update(endpoint)
        mutation.result(endpoint)
        return pb.DetachModelFromGatewayEndpointResponse()


def load_endpoint(mutation: Mutation, endpoint_id: str) -> GatewayEndpoint:
    """Return the endpoint that the request changes, with its state recorded in the mutation.

    Raises:
        GatewayError: NOT_FOUND; ABORTED if the etag in the request is stale.
    """
    return mutation.load(existing_endpoint(mutation.transaction, endpoint_id))


def existing_endpoint(transaction: Transaction, endpoint_id: str) -> GatewayEndpoint:
    """Return an endpoint with its mappings and tags.

    Raises:
        GatewayError: NOT_FOUND.
    """
    endpoint = transaction.endpoints.get(endpoint_id)
    if endpoint is None:
        raise not_found("GatewayEndpoint", {"endpoint_id": endpoint_id})
    return endpoint


def new_mapping(
    endpoint_id: str, config: pb.GatewayEndpointModelConfig, definition: GatewayModelDefinition, mutation: Mutation
) -> GatewayEndpointModelMapping:
    """Return a mapping with a new id, made from a valid config and the definition that it refers to."""
    return GatewayEndpointModelMapping(
        mapping_id=new_id("m"),
        endpoint_id=endpoint_id,
        model_definition_id=config.model_definition_id,
        model_definition=definition,
        weight=positive_zero(config.weight) if config.HasField("weight") else _DEFAULT_WEIGHT,
        linkage_type=GatewayModelLinkageType(config.linkage_type),
        fallback_order=config.fallback_order if config.HasField("fallback_order") else None,
        created_at=mutation.now,
        created_by=mutation.actor,
    )


def has_fallback_model(mappings: Iterable[GatewayEndpointModelMapping]) -> bool:
    """Return whether the mappings include a FALLBACK model."""
    return any(mapping.linkage_type == GatewayModelLinkageType.FALLBACK for mapping in mappings)


def definitions_of(
    transaction: Transaction, configs: Mapping[str, pb.GatewayEndpointModelConfig]
) -> Mapping[str, GatewayModelDefinition]:
    """Return the model definitions that configs refer to, keyed by id.

    Args:
        transaction: the transaction to read.
        configs: the configs, keyed by their path in the request.

    Raises:
        GatewayError: NOT_FOUND, with a violation for each config whose definition does not exist.
    """
    wanted = {config.model_definition_id for config in configs.values()}
    found = transaction.model_definitions.of_ids(wanted)
    unknown = wanted - found.keys()
    violations = [
        FieldViolation(f"{path}.model_definition_id", "must be the id of an existing model definition")
        for path, config in configs.items()
        if config.model_definition_id in unknown
    ]
    if len(unknown) == 1:
        raise not_found("GatewayModelDefinition", {"model_definition_id": unknown.pop()}, violations)
    if unknown:
        named = ", ".join(f"'{model_definition_id[:255]}'" for model_definition_id in sorted(unknown))
        message = f"{len(unknown)} GatewayModelDefinitions not found ({named})"
        raise GatewayError(Code.NOT_FOUND, message, reason="NOT_FOUND", field_violations=violations)
    return found


def refuse_duplicates(configs: Mapping[str, pb.GatewayEndpointModelConfig]) -> None:
    """Check that no two configs have the same definition and linkage type.

    Args:
        configs: the configs, keyed by their path in the request.

    Raises:
        GatewayError: ALREADY_EXISTS, with a violation for each duplicate.
    """
    first: dict[tuple[str, int], str] = {}
    violations: list[FieldViolation] = []
    for path, config in configs.items():
        original = first.setdefault((config.model_definition_id, config.linkage_type), path)
        if original != path:
            linkage = GatewayModelLinkageType(config.linkage_type).name
            violations.append(FieldViolation(path, f"links the same model definition as {linkage} as {original} does"))
    if violations:
        message = "; ".join(f"{violation.field} {violation.description}" for violation in violations)
        raise GatewayError(Code.ALREADY_EXISTS, message, reason="ALREADY_ATTACHED", field_violations=violations)


def _set_default_strategy(endpoint: GatewayEndpoint) -> None:
    if endpoint.fallback_config is None:
        endpoint.fallback_config = FallbackConfig()
    if endpoint.fallback_config.strategy is None:
        endpoint.fallback_config.strategy = FallbackStrategy.SEQUENTIAL
