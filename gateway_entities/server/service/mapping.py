"""The models of an endpoint: attaching, detaching, and what endpoints and mappings ask of each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from gateway_entities.entities import (
    FallbackConfig,
    FallbackStrategy,
    GatewayEndpoint,
    GatewayEndpointModelMapping,
    GatewayModelLinkageType,
)
from gateway_entities.errors import Code, FieldViolation, GatewayError
from gateway_entities.rules import refuse_invalid
from gateway_entities.server.service.handlers import Handlers, new_id, now_ms, text_or_none
from gateway_entities.server.service.refusals import conflict, not_found
from llm_gateway.v1 import endpoint_pb2 as pb

if TYPE_CHECKING:
    from gateway_entities.server.store import Transaction

_DEFAULT_WEIGHT = 1.0


class MappingHandlers(Handlers):
    """The handlers of EndpointService that attach and detach models."""

    def attach_model_to_gateway_endpoint(
        self, request: pb.AttachModelToGatewayEndpointRequest
    ) -> pb.AttachModelToGatewayEndpointResponse:
        """Add one model to an endpoint and return its mapping."""
        refuse_invalid(request)
        created_by = text_or_none(request, "created_by")
        with self._store.write() as transaction:
            endpoint = existing_endpoint(transaction, request.endpoint_id)
            now = now_ms()
            refuse_unknown_models(transaction, {"model_config": request.model_config})
            mapping = new_mapping(endpoint.endpoint_id, request.model_config, now, created_by)
            transaction.endpoints.add_mapping(mapping)
            if mapping.linkage_type == GatewayModelLinkageType.FALLBACK:
                _choose_strategy(endpoint)
            if created_by is not None:
                endpoint.last_updated_by = created_by
            endpoint.last_updated_at = now
            transaction.endpoints.update(endpoint)
            mapping.model_definition = transaction.model_definitions.get(mapping.model_definition_id)
        return pb.AttachModelToGatewayEndpointResponse(mapping=mapping.to_proto())

    def detach_model_from_gateway_endpoint(
        self, request: pb.DetachModelFromGatewayEndpointRequest
    ) -> pb.DetachModelFromGatewayEndpointResponse:
        """Remove every mapping of one model definition from an endpoint."""
        refuse_invalid(request)
        with self._store.write() as transaction:
            endpoint = existing_endpoint(transaction, request.endpoint_id)
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
            transaction.endpoints.remove_mappings(endpoint.endpoint_id, definition_id)
            endpoint.last_updated_at = now_ms()
            transaction.endpoints.update(endpoint)
        return pb.DetachModelFromGatewayEndpointResponse()


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
    endpoint_id: str, config: pb.GatewayEndpointModelConfig, now: int, created_by: str | None
) -> GatewayEndpointModelMapping:
    """Return the mapping that a valid config describes, with an id of its own and not yet with its model definition."""
    return GatewayEndpointModelMapping(
        mapping_id=new_id("m"),
        endpoint_id=endpoint_id,
        model_definition_id=config.model_definition_id,
        model_definition=None,
        weight=config.weight if config.HasField("weight") else _DEFAULT_WEIGHT,
        linkage_type=GatewayModelLinkageType(config.linkage_type),
        fallback_order=config.fallback_order if config.HasField("fallback_order") else None,
        created_at=now,
        created_by=created_by,
    )


def has_fallback_model(mappings: Iterable[GatewayEndpointModelMapping]) -> bool:
    """Return whether one of the models is a FALLBACK model."""
    return any(mapping.linkage_type == GatewayModelLinkageType.FALLBACK for mapping in mappings)


def refuse_unknown_models(transaction: Transaction, configs: Mapping[str, pb.GatewayEndpointModelConfig]) -> None:
    """Check that the model definitions exist.

    Args:
        transaction: where to look.
        configs: the configs by their paths in the request.

    Raises:
        GatewayError: NOT_FOUND with every config whose definition does not exist.
    """
    wanted = {config.model_definition_id for config in configs.values()}
    unknown = wanted - transaction.model_definitions.existing(wanted)
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
