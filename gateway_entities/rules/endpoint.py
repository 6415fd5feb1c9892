"""Rules of requests for endpoints, their models and their tags."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any

from gateway_entities.rules import model_definition
from gateway_entities.rules.bounds import MAX_MODELS, MAX_TAGS, at_most
from gateway_entities.rules.mutation import CHANGES, CREATES
from gateway_entities.rules.stamps import ACTORS, CREATED, TIMES
from gateway_entities.rules.table import (
    Table,
    clearable,
    exactly_one,
    nested,
    optional,
    required,
    required_on_update,
    updates,
)
from gateway_entities.rules.values import (
    ACTOR,
    IDENTIFIER,
    PAGE_SIZE,
    PAGE_TOKEN,
    SELECTOR,
    anything,
    finite,
    known,
    recognized,
    text,
    whole,
)
from gateway_entities.rules.violation import Violation
from gatewayentities.v1 import endpoint_pb2 as pb

ENDPOINT_NAME = text(
    1, 255, pattern=r"[a-zA-Z0-9_.-]+", form="contain only letters (a to z, A to Z), digits, underscores, hyphens and dots"
)
EXPERIMENT_ID = text(1, 255, pattern="[0-9]+", form="be decimal digits")
TAG_KEY = text(1, 250)
TAG_VALUE = text(0, 5000)
_ROUTING_STRATEGY = known(pb.RoutingStrategy, unspecified=True)

_model_config = nested(
    Table(
        {
            "model_definition_id": required(IDENTIFIER),
            "linkage_type": required(known(pb.GatewayModelLinkageType)),
            "weight": optional(finite),
            "fallback_order": optional(whole(0)),
        }
    )
)
_fallback_config = nested(
    Table({"strategy": optional(known(pb.FallbackStrategy, unspecified=True)), "max_attempts": optional(whole(1))})
)


def _model_configs(configs: Sequence[pb.GatewayEndpointModelConfig], path: str) -> Iterator[Violation]:
    valid = True
    for i, config in enumerate(configs):
        for fault in _model_config(config, f"{path}[{i}]"):
            valid = False
            yield fault
    # The combination is checked only if each config is valid.
    if valid:
        yield from primary_faults((_weight(config) for config in configs if config.linkage_type == pb.PRIMARY), path)


def primary_faults(weights: Iterable[float], path: str) -> Iterator[Violation]:
    """Check the PRIMARY weights of an endpoint together."""
    total = list(weights)
    if not total:
        yield Violation("across/primary-model", path, "must have at least one PRIMARY model, has none")
    elif not any(total):
        description = "must have a PRIMARY model with a weight above 0: the PRIMARY weights sum to 0"
        yield Violation("across/weight-sum", path, description)


def _weight(config: pb.GatewayEndpointModelConfig) -> float:
    return config.weight if config.HasField("weight") else 1.0


TABLES = {
    pb.CreateGatewayEndpointRequest: Table(
        {
            "name": required(ENDPOINT_NAME),
            "model_configs": required(at_most(MAX_MODELS, "models", _model_configs)),
            "created_by": optional(ACTOR),
            "routing_strategy": optional(_ROUTING_STRATEGY),
            "fallback_config": optional(_fallback_config),
            "experiment_id": optional(EXPERIMENT_ID),
            "usage_tracking": optional(anything),
            **CREATES,
        }
    ),
    pb.GetGatewayEndpointRequest: Table(
        {"endpoint_id": optional(SELECTOR), "name": optional(SELECTOR)}, across=[exactly_one("endpoint_id", "name")]
    ),
    pb.UpdateGatewayEndpointRequest: updates(
        Table(
            {
                "endpoint_id": required(IDENTIFIER),
                "name": required_on_update(ENDPOINT_NAME),
                "updated_by": optional(ACTOR),
                "model_configs": required_on_update(at_most(MAX_MODELS, "models", _model_configs)),
                "routing_strategy": clearable(_ROUTING_STRATEGY),
                "fallback_config": clearable(_fallback_config),
                "experiment_id": clearable(EXPERIMENT_ID),
                "usage_tracking": clearable(anything),
                **CHANGES,
            }
        )
    ),
    pb.DeleteGatewayEndpointRequest: Table({"endpoint_id": required(IDENTIFIER), **CHANGES}),
    pb.ListGatewayEndpointsRequest: Table(
        {
            "provider": optional(SELECTOR),
            "secret_id": optional(SELECTOR),
            "page_size": optional(PAGE_SIZE),
            "page_token": optional(PAGE_TOKEN),
        }
    ),
    pb.AttachModelToGatewayEndpointRequest: Table(
        {
            "endpoint_id": required(IDENTIFIER),
            "model_config": required(_model_config),
            "created_by": optional(ACTOR),
            **CHANGES,
        }
    ),
    pb.DetachModelFromGatewayEndpointRequest: Table(
        {"endpoint_id": required(IDENTIFIER), "model_definition_id": required(IDENTIFIER), **CHANGES}
    ),
    pb.SetGatewayEndpointTagRequest: Table(
        {"endpoint_id": required(IDENTIFIER), "key": required(TAG_KEY), "value": optional(TAG_VALUE), **CHANGES}
    ),
    pb.DeleteGatewayEndpointTagRequest: Table({"endpoint_id": required(IDENTIFIER), "key": required(IDENTIFIER), **CHANGES}),
}


_LINKAGE = recognized(pb.GatewayModelLinkageType)
_CONFIG = Table(
    {
        "model_definition_id": required(IDENTIFIER),
        "linkage_type": optional(_LINKAGE),
        "weight": optional(finite),
        "fallback_order": optional(whole(0)),
    }
)


def _own_definition(mapping: pb.GatewayEndpointModelMapping) -> Iterator[Violation]:
    held = mapping.model_definition.model_definition_id if mapping.HasField("model_definition") else ""
    if held and held != mapping.model_definition_id:
        yield Violation("across/reference", "model_definition", "must be the definition that model_definition_id names")


_MAPPING = Table(
    {
        "mapping_id": required(IDENTIFIER),
        "endpoint_id": required(IDENTIFIER),
        "model_definition_id": required(IDENTIFIER),
        "model_definition": optional(nested(model_definition.DEFINITION)),
        "weight": optional(finite),
        **CREATED,
        "created_by": optional(ACTOR),
        "linkage_type": optional(_LINKAGE),
        "fallback_order": optional(whole(0)),
    },
    across=[_own_definition],
)
_mapping = nested(_MAPPING)
_TAG = Table({"key": required(TAG_KEY), "value": optional(TAG_VALUE)})
_tag = nested(_TAG)
_FALLBACK_CONFIG = Table(
    {
        "strategy": optional(recognized(pb.FallbackStrategy, unspecified=True)),
        "max_attempts": optional(whole(1)),
    }
)


def linkage_faults(models: Iterable[Any], path: str) -> Iterator[Violation]:
    """What is wrong with an endpoint's models taken together, which a server refuses only once it knows the endpoint.

    Args:
        models: mappings or model configs.
        path: the path of the list.
    """
    linked: dict[Hashable, int] = {}
    placed: dict[Hashable, int] = {}
    for position, model in enumerate(models):
        linkage = model.model_definition_id, model.linkage_type
        if (first := linked.setdefault(linkage, position)) != position:
            description = f"must not link the definition in the way that {path}[{first}] does"
            yield Violation("across/linkage", f"{path}[{position}]", description)
        if model.linkage_type != pb.FALLBACK or not model.HasField("fallback_order"):
            continue
        if (first := placed.setdefault(model.fallback_order, position)) != position:
            description = f"should differ from that of {path}[{first}], or which of them is tried first is left open"
            yield Violation("across/fallback-order", f"{path}[{position}].fallback_order", description)


def _mappings(mappings: Sequence[pb.GatewayEndpointModelMapping], path: str) -> Iterator[Violation]:
    valid = True
    for position, mapping in enumerate(mappings):
        for fault in _mapping(mapping, f"{path}[{position}]"):
            valid = False
            yield fault
    if valid:
        # A linkage that is absent or of a newer version may take requests.
        known = [m for m in mappings if m.linkage_type != pb.FALLBACK]
        yield from primary_faults((m.weight if m.HasField("weight") else 1.0 for m in known), path)
        yield from linkage_faults(mappings, path)


def _tags(tags: Sequence[pb.GatewayEndpointTag], path: str) -> Iterator[Violation]:
    keys: dict[str, int] = {}
    for position, tag in enumerate(tags):
        yield from _tag(tag, f"{path}[{position}]")
        if (first := keys.setdefault(tag.key, position)) != position:
            yield Violation("across/tag-key", f"{path}[{position}].key", f"must differ from that of {path}[{first}]")


def _no_models(message: pb.GatewayEndpoint) -> Iterator[Violation]:
    # An empty list is an absent one, so no rule of the field sees it.
    if not message.model_mappings:
        yield from primary_faults((), "model_mappings")


def _references(message: pb.GatewayEndpoint) -> Iterator[Violation]:
    own = message.endpoint_id
    for position, mapping in enumerate(message.model_mappings):
        if mapping.endpoint_id != own and mapping.HasField("endpoint_id"):
            path = f"model_mappings[{position}].endpoint_id"
            yield Violation("across/reference", path, "must be the endpoint_id of the endpoint that holds the mapping")


ENDPOINT = Table(
    {
        "endpoint_id": required(IDENTIFIER),
        "name": optional(ENDPOINT_NAME),
        **TIMES,
        "model_mappings": optional(at_most(MAX_MODELS, "models", _mappings)),
        **ACTORS,
        "tags": optional(at_most(MAX_TAGS, "tags", _tags)),
        "routing_strategy": optional(recognized(pb.RoutingStrategy, unspecified=True)),
        "fallback_config": optional(nested(_FALLBACK_CONFIG)),
        "experiment_id": optional(EXPERIMENT_ID),
        "usage_tracking": optional(anything),
    },
    across=[_no_models, _references],
)

RESOURCES = {
    pb.FallbackConfig: _FALLBACK_CONFIG,
    pb.GatewayEndpointModelConfig: _CONFIG,
    pb.GatewayEndpointModelMapping: _MAPPING,
    pb.GatewayEndpointTag: _TAG,
    pb.GatewayEndpoint: ENDPOINT,
}
