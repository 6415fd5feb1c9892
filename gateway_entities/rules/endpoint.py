"""Rules of requests for endpoints, their models and their tags."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gateway_entities.rules.mutation import CHANGES, CREATES
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
from gateway_entities.rules.values import ACTOR, IDENTIFIER, PAGE_SIZE, SELECTOR, anything, finite, known, text, whole
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
            "model_configs": required(_model_configs),
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
                "model_configs": required_on_update(_model_configs),
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
            "page_token": optional(SELECTOR),
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
