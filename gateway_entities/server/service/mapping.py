"""The models of an endpoint: attaching, detaching, and what endpoints and mappings ask of each other."""

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
from gateway_entities.server.service.base import Handlers, new_id, unsigned
from gateway_entities.server.service.errors import conflict, not_found
from gateway_entities.server.service.mutation import Change, changes
from gatewayentities.v1 import endpoint_pb2 as pb

if TYPE_CHECKING:
    from gateway_entities.server.store import Transaction

_DEFAULT_WEIGHT = 1.0


class MappingHandlers(Handlers):
    """The handlers of EndpointService that attach and detach models."""

    @changes
    def attach_model_to_gateway_endpoint(
        self, change: Change, request: pb.AttachModelToGatewayEndpointRequest
    ) -> pb.AttachModelToGatewayEndpointResponse:
        """Add one model to an endpoint and return its mapping."""
        endpoints = change.transaction.endpoints
        endpoint = changing_endpoint(change, request.endpoint_id)
        definitions = definitions_of(change.transaction, {"model_config": request.model_config})
        definition = definitions[request.model_config.model_definition_id]
        mapping = new_mapping(endpoint.endpoint_id, request.model_config, definition, change)
        endpoints.add_mapping(mapping)
        endpoint.model_mappings.append(mapping)
        if mapping.linkage_type == GatewayModelLinkageType.FALLBACK:
            _choose_strategy(endpoint)
        if change.actor is not None:
            endpoint.last_updated_by = change.actor
        endpoint.last_updated_at = change.now
        endpoints.update(endpoint)
        changed = change.end(endpoint)
        return pb.AttachModelToGatewayEndpointResponse(mapping=changed.model_mappings[-1])

    @changes
    def detach_model_from_gateway_endpoint(
        self, change: Change, request: pb.DetachModelFromGatewayEndpointRequest
    ) -> pb.DetachModelFromGatewayEndpointResponse:
        """Remove every mapping of one model definition from an endpoint."""
        endpoint = changing_endpoint(change, request.endpoint_id)
        definition_id = request.model_definition_id
        left = [mapping for mapping in endpoint.model_mappings if mapping.model_definition_id != definition_id]
        if len(left) == len(endpoint.model_mappings):
            raise GatewayError(
                Code.NOT_FOUND,
                f"Model definition '{definition_id[:255]}' is not attached to endpoint '{endpoint.endpoint_id}'",
                reason="NOT_ATTACHED",
            )
        if not any(mapping.linkage_type == GatewayModelLinkageType.PRIMARY and mapping.weight != 0 for mapping in left):
            raise conflict(
                f"Cannot detach model definition '{definition_id}' from endpoint '{endpoint.endpoint_id}': it would be "
                "left without a PRIMARY model of a weight above 0. Attach another PRIMARY model first.",
                "LAST_PRIMARY_MODEL",
            )
        change.transaction.endpoints.remove_mappings(endpoint.endpoint_id, definition_id)
        endpoint.model_mappings = left
        endpoint.last_updated_at = change.now
        change.transaction.endpoints.update(endpoint)
        change.end(endpoint)
        return pb.DetachModelFromGatewayEndpointResponse()


def changing_endpoint(change: Change, endpoint_id: str) -> GatewayEndpoint:
    """Return the endpoint of this id, which the change is about.

    Raises:
        GatewayError: NOT_FOUND; ABORTED when it does not have the etag that the request wants.
    """
    endpoint = existing_endpoint(change.transaction, endpoint_id)
    change.begin(endpoint)
    return endpoint


def existing_endpoint(transaction: Transaction, endpoint_id: str) -> GatewayEndpoint:
    """Return the endpoint of this id with its mappings and tags.

    Raises:
        GatewayError: NOT_FOUND.
    """
    endpoint = transaction.endpoints.get(endpoint_id)
    if endpoint is None:
        raise not_found("GatewayEndpoint", {"endpoint_id": endpoint_id})
    return endpoint


def new_mapping(
    endpoint_id: str, config: pb.GatewayEndpointModelConfig, definition: GatewayModelDefinition, change: Change
) -> GatewayEndpointModelMapping:
    """Return the mapping that a valid config describes, with an id of its own and with the definition that it names."""
    return GatewayEndpointModelMapping(
        mapping_id=new_id("m"),
        endpoint_id=endpoint_id,
        model_definition_id=config.model_definition_id,
        model_definition=definition,
        weight=unsigned(config.weight) if config.HasField("weight") else _DEFAULT_WEIGHT,
        linkage_type=GatewayModelLinkageType(config.linkage_type),
        fallback_order=config.fallback_order if config.HasField("fallback_order") else None,
        created_at=change.now,
        created_by=change.actor,
    )


def has_fallback_model(mappings: Iterable[GatewayEndpointModelMapping]) -> bool:
    """Return whether one of the models is a FALLBACK model."""
    return any(mapping.linkage_type == GatewayModelLinkageType.FALLBACK for mapping in mappings)


def definitions_of(
    transaction: Transaction, configs: Mapping[str, pb.GatewayEndpointModelConfig]
) -> Mapping[str, GatewayModelDefinition]:
    """Return the model definitions that configs name, by their ids.

    Args:
        transaction: where to look.
        configs: the configs by their paths in the request.

    Raises:
        GatewayError: NOT_FOUND with every config whose definition does not exist.
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


def refuse_repeats(configs: Mapping[str, pb.GatewayEndpointModelConfig]) -> None:
    """Check that no definition is linked twice in the same way.

    Args:
        configs: the configs by their paths in the request.

    Raises:
        GatewayError: ALREADY_EXISTS with every config that repeats another.
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


def _choose_strategy(endpoint: GatewayEndpoint) -> None:
    if endpoint.fallback_config is None:
        endpoint.fallback_config = FallbackConfig()
    if endpoint.fallback_config.strategy is None:
        endpoint.fallback_config.strategy = FallbackStrategy.SEQUENTIAL
