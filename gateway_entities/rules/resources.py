"""Rules of resources and responses: the limits of the requests, applied to what a server returns and programs store.

Data of a newer version is valid, except that an enum number it added is a ``schema/enum`` finding.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any

from google.protobuf.message import Message

from gateway_entities.rules import binding, budget, endpoint, model_definition, mutation, secret
from gateway_entities.rules.budget import target_fault
from gateway_entities.rules.table import Field, Table, each, nested, optional, required
from gateway_entities.rules.values import ACTOR, IDENTIFIER, NAME, anything, finite, recognized, text, whole
from gateway_entities.rules.violation import Violation
from gatewayentities.v1 import binding_pb2, budget_pb2, change_pb2, endpoint_pb2, model_definition_pb2, secret_pb2

_TIME = whole(0)

_CREATED = {"created_at": required(_TIME)}
_TIMES = {**_CREATED, "last_updated_at": required(_TIME)}
_ACTORS = {"created_by": optional(ACTOR), "last_updated_by": optional(ACTOR)}

_DEFINITION = Table(
    {
        "model_definition_id": required(IDENTIFIER),
        "name": required(NAME),
        "secret_id": optional(IDENTIFIER),
        "secret_name": optional(text(0, 255)),
        "provider": required(model_definition.PROVIDER),
        "model_name": required(model_definition.MODEL_NAME),
        **_TIMES,
        **_ACTORS,
    }
)

_LINKAGE = recognized(endpoint_pb2.GatewayModelLinkageType)
_CONFIG = Table(
    {
        "model_definition_id": required(IDENTIFIER),
        "linkage_type": optional(_LINKAGE),
        "weight": optional(finite),
        "fallback_order": optional(whole(0)),
    }
)


def _own_definition(mapping: endpoint_pb2.GatewayEndpointModelMapping) -> Iterator[Violation]:
    held = mapping.model_definition.model_definition_id if mapping.HasField("model_definition") else ""
    if held and held != mapping.model_definition_id:
        yield Violation("across/reference", "model_definition", "must be the definition that model_definition_id names")


_MAPPING = Table(
    {
        "mapping_id": required(IDENTIFIER),
        "endpoint_id": required(IDENTIFIER),
        "model_definition_id": required(IDENTIFIER),
        "model_definition": optional(nested(_DEFINITION)),
        "weight": optional(finite),
        **_CREATED,
        "created_by": optional(ACTOR),
        "linkage_type": optional(_LINKAGE),
        "fallback_order": optional(whole(0)),
    },
    across=[_own_definition],
)
_mapping = nested(_MAPPING)
_TAG = Table({"key": required(endpoint.TAG_KEY), "value": optional(endpoint.TAG_VALUE)})
_tag = nested(_TAG)
_FALLBACK_CONFIG = Table(
    {
        "strategy": optional(recognized(endpoint_pb2.FallbackStrategy, unspecified=True)),
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
        if model.linkage_type != endpoint_pb2.FALLBACK or not model.HasField("fallback_order"):
            continue
        if (first := placed.setdefault(model.fallback_order, position)) != position:
            description = f"should differ from that of {path}[{first}], or which of them is tried first is left open"
            yield Violation("across/fallback-order", f"{path}[{position}].fallback_order", description)


def _mappings(mappings: Sequence[endpoint_pb2.GatewayEndpointModelMapping], path: str) -> Iterator[Violation]:
    valid = True
    for position, mapping in enumerate(mappings):
        for fault in _mapping(mapping, f"{path}[{position}]"):
            valid = False
            yield fault
    if valid:
        # A linkage that is absent or of a newer version may take requests.
        known = [m for m in mappings if m.linkage_type != endpoint_pb2.FALLBACK]
        yield from endpoint.primary_faults((m.weight if m.HasField("weight") else 1.0 for m in known), path)
        yield from linkage_faults(mappings, path)


def _tags(tags: Sequence[endpoint_pb2.GatewayEndpointTag], path: str) -> Iterator[Violation]:
    keys: dict[str, int] = {}
    for position, tag in enumerate(tags):
        yield from _tag(tag, f"{path}[{position}]")
        if (first := keys.setdefault(tag.key, position)) != position:
            yield Violation("across/tag-key", f"{path}[{position}].key", f"must differ from that of {path}[{first}]")


def _no_models(message: endpoint_pb2.GatewayEndpoint) -> Iterator[Violation]:
    # An empty list is an absent one, so no rule of the field sees it.
    if not message.model_mappings:
        yield from endpoint.primary_faults((), "model_mappings")


def _references(message: endpoint_pb2.GatewayEndpoint) -> Iterator[Violation]:
    own = message.endpoint_id
    for position, mapping in enumerate(message.model_mappings):
        if mapping.endpoint_id != own and mapping.HasField("endpoint_id"):
            path = f"model_mappings[{position}].endpoint_id"
            yield Violation("across/reference", path, "must be the endpoint_id of the endpoint that holds the mapping")


_ENDPOINT = Table(
    {
        "endpoint_id": required(IDENTIFIER),
        "name": optional(endpoint.ENDPOINT_NAME),
        **_TIMES,
        "model_mappings": optional(_mappings),
        **_ACTORS,
        "tags": optional(_tags),
        "routing_strategy": optional(recognized(endpoint_pb2.RoutingStrategy, unspecified=True)),
        "fallback_config": optional(nested(_FALLBACK_CONFIG)),
        "experiment_id": optional(endpoint.EXPERIMENT_ID),
        "usage_tracking": optional(anything),
    },
    across=[_no_models, _references],
)

_SECRET = Table(
    {
        "secret_id": required(IDENTIFIER),
        "secret_name": required(NAME),
        "masked_values": optional(secret.no_nul_entries),
        **_TIMES,
        "provider": optional(secret.PROVIDER),
        **_ACTORS,
        "auth_config": optional(secret.no_nul_entries),
    }
)

_BINDING = Table(
    {
        "endpoint_id": required(IDENTIFIER),
        "resource_type": required(binding.RESOURCE_TYPE),
        "resource_id": required(binding.RESOURCE_ID),
        **_TIMES,
        **_ACTORS,
        "display_name": optional(text(0)),
    }
)


def _target(policy: budget_pb2.GatewayBudgetPolicy) -> Iterator[Violation]:
    # The rule needs a scope that this version knows.
    if policy.target_scope in budget.SCOPES:
        fault = target_fault(policy.target_scope, policy.target_value)
        if fault is not None:
            yield Violation("across/target", "target_value", fault)


_DURATION = Table(
    {"unit": required(recognized(budget_pb2.BudgetDurationUnit)), "value": required(whole(1))}, across=[budget.too_long]
)
_POLICY = Table(
    {
        "budget_policy_id": required(IDENTIFIER),
        "budget_unit": required(recognized(budget_pb2.BudgetUnit)),
        "budget_amount": required(finite),
        "duration": required(nested(_DURATION)),
        "target_scope": required(recognized(budget_pb2.BudgetTargetScope)),
        "budget_action": required(recognized(budget_pb2.BudgetAction)),
        "target_value": optional(budget.TARGET_VALUE),
        **_TIMES,
        **_ACTORS,
    },
    across=[_target],
)


def _window_order(window: budget_pb2.GatewayBudgetWindow) -> Iterator[Violation]:
    if window.HasField("window_end_ms") and window.window_end_ms <= window.window_start_ms:
        yield Violation("across/window", "window_end_ms", "must be after window_start_ms")


_WINDOW = Table(
    {
        "budget_policy_id": required(IDENTIFIER),
        "window_start_ms": required(anything),
        "window_end_ms": required(anything),
        "current_spend": required(finite),
    },
    across=[_window_order],
)
_CHECK = Table(
    {
        "allowed": required(anything),
        "budget_policy": optional(nested(_POLICY)),
        "window": optional(nested(_WINDOW)),
        "remaining": optional(finite),
    }
)
_EFFECT = Table(
    {
        "noun": required(text(1)),
        "id": required(IDENTIFIER),
        "etag_before": optional(mutation.ETAG),
        "etag_after": optional(mutation.ETAG),
    }
)
_CHANGE = Table(
    {
        "revision": required(whole(1)),
        "changed_at": required(_TIME),
        "actor": optional(ACTOR),
        "rpc": required(text(1)),
        "change": required(nested(_EFFECT)),
        "effects": optional(each(nested(_EFFECT))),
    }
)

RESOURCES: dict[type[Message], Table] = {
    secret_pb2.GatewaySecretInfo: _SECRET,
    model_definition_pb2.GatewayModelDefinition: _DEFINITION,
    endpoint_pb2.FallbackConfig: _FALLBACK_CONFIG,
    endpoint_pb2.GatewayEndpointModelConfig: _CONFIG,
    endpoint_pb2.GatewayEndpointModelMapping: _MAPPING,
    endpoint_pb2.GatewayEndpointTag: _TAG,
    endpoint_pb2.GatewayEndpoint: _ENDPOINT,
    binding_pb2.GatewayEndpointBinding: _BINDING,
    budget_pb2.BudgetDuration: _DURATION,
    budget_pb2.GatewayBudgetPolicy: _POLICY,
    budget_pb2.GatewayBudgetWindow: _WINDOW,
    budget_pb2.GatewayBudgetCheck: _CHECK,
    change_pb2.GatewayChangeEffect: _EFFECT,
    change_pb2.GatewayChange: _CHANGE,
}


_PLAIN = {"next_page_token": text(0), "etag": mutation.ETAG, "revision": whole(0)}
"""Rules of the scalar fields of responses."""


def _response(response_type: type[Message]) -> Table:
    """Return the rules of a response: its resources are present and valid."""
    tables = {kind.DESCRIPTOR.full_name: table for kind, table in RESOURCES.items()}
    fields: dict[str, Field] = {}
    for field in response_type.DESCRIPTOR.fields:
        if field.message_type is None:
            fields[field.name] = optional(_PLAIN[field.name])
        else:
            rule = nested(tables[field.message_type.full_name])
            fields[field.name] = optional(each(rule)) if field.is_repeated else required(rule)
    return Table(fields)


_FILES = (secret_pb2, model_definition_pb2, endpoint_pb2, binding_pb2, budget_pb2, change_pb2)
RESPONSES: dict[type[Message], Table] = {
    getattr(file, name): _response(getattr(file, name))
    for file in _FILES
    for name in file.DESCRIPTOR.message_types_by_name
    if name.endswith("Response")
}
