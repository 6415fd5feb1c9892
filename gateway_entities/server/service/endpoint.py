"""The handlers of EndpointService; those of mappings and tags have modules of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gateway_entities.entities import (
    FallbackConfig,
    FallbackStrategy,
    GatewayEndpoint,
    GatewayEndpointModelMapping,
    RoutingStrategy,
)
from gateway_entities.rules import refuse_invalid, written_fields
from gateway_entities.server.service.handlers import Handlers, new_id, now_ms, text_or_none
from gateway_entities.server.service.mapping import (
    existing_endpoint,
    has_fallback_model,
    new_mapping,
    refuse_repeats,
    refuse_unknown_models,
)
from gateway_entities.server.service.paging import Page
from gateway_entities.server.service.refusals import not_found
from llm_gateway.v1 import endpoint_pb2 as pb

if TYPE_CHECKING:
    from gateway_entities.server.store import Transaction

_DEFAULT_USAGE_TRACKING = True


class EndpointHandlers(Handlers):
    """The handlers of EndpointService. Errors: those that the contract lists, and UNAVAILABLE from the store."""

    def create_gateway_endpoint(self, request: pb.CreateGatewayEndpointRequest) -> pb.CreateGatewayEndpointResponse:
        """Store a new endpoint with its models and return it."""
        refuse_invalid(request)
        created_by = text_or_none(request, "created_by")
        with self._store.write() as transaction:
            endpoint_id, now = new_id("e"), now_ms()
            endpoint = GatewayEndpoint(
                endpoint_id=endpoint_id,
                name=request.name,
                created_at=now,
                last_updated_at=now,
                model_mappings=_mappings(transaction, endpoint_id, request.model_configs, now, created_by),
                created_by=created_by,
                last_updated_by=created_by,
                routing_strategy=_routing_strategy(request.routing_strategy),
                fallback_config=_fallback_config(request.fallback_config) if request.HasField("fallback_config") else None,
                experiment_id=text_or_none(request, "experiment_id"),
                usage_tracking=request.usage_tracking if request.HasField("usage_tracking") else _DEFAULT_USAGE_TRACKING,
            )
            _enable_fallback(endpoint)
            transaction.endpoints.add(endpoint)
            stored = existing_endpoint(transaction, endpoint_id)
        return pb.CreateGatewayEndpointResponse(endpoint=stored.to_proto())

    def get_gateway_endpoint(self, request: pb.GetGatewayEndpointRequest) -> pb.GetGatewayEndpointResponse:
        """Return the endpoint that the request names."""
        refuse_invalid(request)
        with self._store.read() as transaction:
            if request.endpoint_id:
                key, endpoint = {"endpoint_id": request.endpoint_id}, transaction.endpoints.get(request.endpoint_id)
            else:
                key, endpoint = {"name": request.name}, transaction.endpoints.find(request.name)
        if endpoint is None:
            raise not_found("GatewayEndpoint", key)
        return pb.GetGatewayEndpointResponse(endpoint=endpoint.to_proto())

    def update_gateway_endpoint(self, request: pb.UpdateGatewayEndpointRequest) -> pb.UpdateGatewayEndpointResponse:
        """Change the given fields of an endpoint."""
        refuse_invalid(request)
        updated_by = text_or_none(request, "updated_by")
        with self._store.write() as transaction:
            endpoint = existing_endpoint(transaction, request.endpoint_id)
            now = now_ms()
            written = written_fields(request)
            _write_own_fields(endpoint, request, written)
            if "model_configs" in written:
                mappings = _mappings(transaction, endpoint.endpoint_id, request.model_configs, now, updated_by)
                transaction.endpoints.replace_mappings(endpoint.endpoint_id, mappings)
                endpoint.model_mappings = mappings
                if "fallback_config" not in written:
                    _enable_fallback(endpoint)
            if updated_by is not None:
                endpoint.last_updated_by = updated_by
            endpoint.last_updated_at = now
            transaction.endpoints.update(endpoint)
            stored = existing_endpoint(transaction, endpoint.endpoint_id)
        return pb.UpdateGatewayEndpointResponse(endpoint=stored.to_proto())

    def delete_gateway_endpoint(self, request: pb.DeleteGatewayEndpointRequest) -> pb.DeleteGatewayEndpointResponse:
        """Remove an endpoint with its mappings, bindings, tags and ENDPOINT budgets."""
        refuse_invalid(request)
        with self._store.write() as transaction:
            if not transaction.endpoints.remove(request.endpoint_id):
                raise not_found("GatewayEndpoint", {"endpoint_id": request.endpoint_id})
        return pb.DeleteGatewayEndpointResponse()

    def list_gateway_endpoints(self, request: pb.ListGatewayEndpointsRequest) -> pb.ListGatewayEndpointsResponse:
        """Return a page of endpoints."""
        refuse_invalid(request)
        page = Page[tuple[int, str]]("endpoints", 1, request.page_size, request.page_token)
        with self._store.read() as transaction:
            found = transaction.endpoints.list(
                provider=request.provider or None, secret_id=request.secret_id or None, after=page.after, limit=page.limit
            )
        endpoints, token = page.cut(found, lambda endpoint: (endpoint.created_at, endpoint.endpoint_id))
        return pb.ListGatewayEndpointsResponse(
            endpoints=[endpoint.to_proto() for endpoint in endpoints], next_page_token=token
        )


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
    transaction: Transaction,
    endpoint_id: str,
    configs: Sequence[pb.GatewayEndpointModelConfig],
    now: int,
    created_by: str | None,
) -> list[GatewayEndpointModelMapping]:
    by_path = {f"model_configs[{i}]": config for i, config in enumerate(configs)}
    refuse_unknown_models(transaction, by_path)
    refuse_repeats(by_path)
    return [new_mapping(endpoint_id, config, now, created_by) for config in configs]


def _enable_fallback(endpoint: GatewayEndpoint) -> None:
    """Without a word about fallback, a FALLBACK model is there to be used."""
    if endpoint.fallback_config is None and has_fallback_model(endpoint.model_mappings):
        endpoint.fallback_config = FallbackConfig(FallbackStrategy.SEQUENTIAL)


# UNSPECIFIED says that there is no strategy, and so does absence: it is stored in one way only.


def _routing_strategy(number: int) -> RoutingStrategy | None:
    return RoutingStrategy(number) if number else None


def _fallback_config(sent: pb.FallbackConfig) -> FallbackConfig:
    return FallbackConfig(
        strategy=FallbackStrategy(sent.strategy) if sent.strategy else None,
        max_attempts=sent.max_attempts if sent.HasField("max_attempts") else None,
    )
