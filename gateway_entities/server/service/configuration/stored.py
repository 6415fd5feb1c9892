"""Stored resources that are wanted: which one it is, and how it is changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway_entities.entities import (
    FallbackConfig,
    FallbackStrategy,
    GatewayEndpoint,
    GatewayEndpointTag,
    GatewayModelLinkageType,
    RoutingStrategy,
)
from gateway_entities.server.service.configuration.wanted import Item


class Claims:
    """Which stored resource each wanted one is; each is at most one of them."""

    def __init__(self, items: Sequence[Item], by_id: Mapping[str, Any], by_name: Mapping[str, Any]) -> None:
        self._by_id = by_id
        self._by_name = by_name
        self._names = {item.form.name for item in items}
        # Those that keep their id.
        self._taken = {item.id for item in items if item.id in by_id}

    def existing(self, item: Item) -> Any:
        """Return the stored resource that is described; None if it is to be created."""
        if item.id is not None and item.id in self._by_id:
            return self._by_id[item.id]
        found = self._by_name.get(item.form.name)
        if found is None and item.renamed_from and item.renamed_from not in self._names:
            found = self._by_name.get(item.renamed_from)
        if found is None or _id(found) in self._taken:
            return None
        self._taken.add(_id(found))
        return found


def _id(resource: Any) -> str:
    identifier: str = resource.endpoint_id if isinstance(resource, GatewayEndpoint) else resource.model_definition_id
    return identifier


def write_endpoint(endpoint: GatewayEndpoint, wanted: Any) -> None:
    """Write a description into an endpoint, except for its mappings, which it already has."""
    endpoint.name = wanted.name
    endpoint.routing_strategy = RoutingStrategy(wanted.routing_strategy) if wanted.routing_strategy else None
    endpoint.experiment_id = wanted.experiment_id or None
    endpoint.usage_tracking = wanted.usage_tracking if wanted.HasField("usage_tracking") else True
    config = wanted.fallback_config if wanted.HasField("fallback_config") else None
    has_fallback = any(mapping.linkage_type == GatewayModelLinkageType.FALLBACK for mapping in endpoint.model_mappings)
    strategy = FallbackStrategy(config.strategy) if config is not None and config.strategy else None
    if strategy is None and has_fallback:
        strategy = FallbackStrategy.SEQUENTIAL
    attempts = config.max_attempts if config is not None and config.HasField("max_attempts") else None
    endpoint.fallback_config = None if strategy is None and attempts is None else FallbackConfig(strategy, attempts)
    old = {tag.key: tag for tag in endpoint.tags}
    endpoint.tags = [GatewayEndpointTag(key, wanted.tags[key]) for key in old if key in wanted.tags]
    endpoint.tags += [GatewayEndpointTag(key, wanted.tags[key]) for key in sorted(wanted.tags) if key not in old]
