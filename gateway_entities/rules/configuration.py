"""Rules of configurations, and of the requests that carry them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from google.protobuf.message import Message

from gateway_entities.rules import binding, budget, endpoint, guardrail, model_definition, mutation, secret
from gateway_entities.rules.bounds import MAX_BINDINGS, MAX_MODELS, MAX_TAGS, at_most
from gateway_entities.rules.change import DIFFERENCE
from gateway_entities.rules.mutation import CREATES
from gateway_entities.rules.table import Table, each, nested, optional, required
from gateway_entities.rules.values import (
    ACTOR,
    IDENTIFIER,
    LIMITS,
    NAME,
    SELECTOR,
    anything,
    entry,
    finite,
    known,
    recognized,
    text,
    whole,
)
from gateway_entities.rules.violation import Violation
from gatewayentities.v1 import budget_pb2, endpoint_pb2, guardrail_pb2
from gatewayentities.v1 import configuration_pb2 as pb

MAX_RESOURCES: Final = 10_000
"""Maximum resources of each kind in one configuration."""

_SECRET_POSITION: Final = re.compile(r"(?:^|\.)secrets\[([0-9]+)\]\.")

_SECRET = Table(
    {
        "name": required(NAME),
        "provider": optional(secret.PROVIDER),
        "auth_config": optional(secret.AUTH_CONFIG),
    }
)
_DEFINITION = Table(
    {
        "name": required(NAME),
        "renamed_from": optional(SELECTOR),
        "secret": optional(SELECTOR),
        "provider": required(model_definition.PROVIDER),
        "model_name": required(model_definition.MODEL_NAME),
    }
)
_MODEL = Table(
    {
        "model_definition": required(NAME),
        "linkage_type": optional(known(endpoint_pb2.GatewayModelLinkageType, unspecified=True)),
        "weight": optional(finite),
        "fallback_order": optional(whole(0)),
    }
)
_FALLBACK = Table(
    {
        "strategy": optional(known(endpoint_pb2.FallbackStrategy, unspecified=True)),
        "max_attempts": optional(whole(1)),
    }
)
_BINDING = Table(
    {"resource_type": required(binding.RESOURCE_TYPE), "resource_id": required(binding.RESOURCE_ID)},
)


def _experiment(value: str, path: str) -> Iterable[Violation]:
    return endpoint.EXPERIMENT_ID(value, path) if value else ()


LIMITS[_experiment] = LIMITS[endpoint.EXPERIMENT_ID]._replace(least=0, pattern="[0-9]*")


def _tags(tags: Any, path: str) -> Iterator[Violation]:
    for key in sorted(tags):
        yield from endpoint.TAG_KEY(key, entry(path, key))
        yield from endpoint.TAG_VALUE(tags[key], entry(path, key))


def _distinct(rule: Any, key: Callable[[Any], object], field: str = "") -> Any:
    """A list of valid elements that differ in a key."""

    def rule_of_all(elements: Sequence[Any], path: str) -> Iterator[Violation]:
        first: dict[object, int] = {}
        for position, element in enumerate(elements):
            yield from rule(element, f"{path}[{position}]")
            original = first.setdefault(key(element), position)
            if original != position:
                yield Violation("across/name", f"{path}[{position}]{field}", f"must differ from that of {path}[{original}]")

    return rule_of_all


def _models(message: pb.GatewayEndpointConfiguration) -> Iterator[Violation]:
    models = message.models
    primary = [model for model in models if model.linkage_type in (0, endpoint_pb2.PRIMARY)]
    weights = (model.weight if model.HasField("weight") else 1.0 for model in primary)
    yield from endpoint.primary_faults(weights, "models")


def _linkage(model: Any) -> tuple[object, ...]:
    return model.model_definition, model.linkage_type or endpoint_pb2.PRIMARY


_ENDPOINT = Table(
    {
        "name": required(endpoint.ENDPOINT_NAME),
        "renamed_from": optional(SELECTOR),
        "models": optional(at_most(MAX_MODELS, "models", _distinct(nested(_MODEL), _linkage))),
        "routing_strategy": optional(known(endpoint_pb2.RoutingStrategy, unspecified=True)),
        "fallback_config": optional(nested(_FALLBACK)),
        "experiment_id": optional(_experiment),
        "usage_tracking": optional(anything),
        "tags": optional(at_most(MAX_TAGS, "tags", _tags)),
        "bindings": optional(
            nested(
                _BINDINGS := Table(
                    {
                        "items": optional(
                            at_most(
                                MAX_BINDINGS,
                                "bindings",
                                _distinct(nested(_BINDING), lambda item: (item.resource_type, item.resource_id)),
                            )
                        )
                    }
                )
            )
        ),
    },
    across=[_models],
)


def _target(message: pb.GatewayBudgetPolicyConfiguration) -> Iterator[Violation]:
    known_scope = message.target_scope in budget.SCOPES
    fault = budget.target_fault(message.target_scope, message.target_value) if known_scope else None
    if fault is not None:
        yield Violation("across/target", "target_value", fault)


_POLICY = Table(
    {
        "target_scope": required(known(budget_pb2.BudgetTargetScope)),
        "target_value": optional(budget.TARGET_VALUE),
        "budget_unit": required(known(budget_pb2.BudgetUnit)),
        "budget_amount": required(finite),
        "duration": required(budget.DURATION),
        "budget_action": required(known(budget_pb2.BudgetAction)),
    },
    across=[_target],
)

_GUARDRAIL_ENDPOINT = Table({"name": required(NAME), "execution_order": optional(anything)})


def _named(table: Table, noun: str) -> Any:
    return at_most(MAX_RESOURCES, noun, _distinct(nested(table), lambda element: element.name, ".name"))


_GUARDRAIL = Table(
    {
        "name": required(NAME),
        "scorer_id": required(IDENTIFIER),
        "scorer_version": required(guardrail.VERSION),
        "stage": required(known(guardrail_pb2.GuardrailStage)),
        "action": required(known(guardrail_pb2.GuardrailAction)),
        "action_endpoint": optional(SELECTOR),
        "scorer": optional(nested(guardrail.SCORER)),
        "endpoints": optional(_named(_GUARDRAIL_ENDPOINT, "endpoints")),
    },
    across=[guardrail.same_scorer],
)

CONFIGURATION = Table(
    {
        "owner": optional(SELECTOR),
        "secrets": optional(_named(_SECRET, "secrets")),
        "model_definitions": optional(_named(_DEFINITION, "model definitions")),
        "endpoints": optional(_named(_ENDPOINT, "endpoints")),
        "budget_policies": optional(at_most(MAX_RESOURCES, "budget policies", each(nested(_POLICY)))),
        "guardrails": optional(at_most(MAX_RESOURCES, "guardrails", each(nested(_GUARDRAIL)))),
    }
)

_ASSIGNMENT = Table({"name": required(NAME), "secret_value": required(secret.SECRET_VALUE)})
_VALUES = optional(_named(_ASSIGNMENT, "secret values"))
_VERSION = Table(
    {
        "noun": required(text(1)),
        "name": required(text(1)),
        "id": optional(text(1)),
        "content_etag": optional(mutation.ETAG),
        "owner": optional(NAME),
    }
)
_BASIS = Table({"store_id": required(NAME), "versions": optional(each(nested(_VERSION)))})
_NOTE = Table({"kind": required(recognized(pb.GatewayPlanNoteKind)), "description": required(text(1))})
_PLANNED = Table(
    {
        "action": required(recognized(pb.GatewayPlanAction)),
        "noun": required(text(1)),
        "name": required(text(1)),
        "id": optional(text(1)),
        "fields": optional(each(nested(DIFFERENCE))),
        "notes": optional(each(nested(_NOTE))),
        "cause": optional(text(1)),
    }
)
_PLAN = Table(
    {
        "changes": optional(each(nested(_PLANNED))),
        "effects": optional(each(nested(_PLANNED))),
        "basis": required(nested(_BASIS)),
    }
)


def _exactly_one_source(message: pb.PlanGatewayConfigurationRequest) -> Iterator[Violation]:
    if message.HasField("configuration") == message.HasField("to_revision"):
        both = message.HasField("configuration")
        fault = "must not be given together with to_revision" if both else "is required, unless to_revision is given"
        yield Violation("across/exactly-one", "configuration", fault)


def _prunes_as_owner(message: Any) -> Iterator[Violation]:
    if message.prune and not message.configuration.owner:
        yield Violation("across/owner", "prune", "needs the owner of the configuration: it deletes what the owner has")


TABLES: dict[type[Message], Table] = {
    pb.ExportGatewayConfigurationRequest: Table(
        {"at_revision": optional(whole(0)), "owner": optional(SELECTOR), "with_bindings": optional(anything)}
    ),
    pb.PlanGatewayConfigurationRequest: Table(
        {
            "configuration": optional(nested(CONFIGURATION)),
            "to_revision": optional(whole(0)),
            "prune": optional(anything),
            "adopt": optional(anything),
            "secret_values": _VALUES,
            "with_bindings": optional(anything),
        },
        across=[_exactly_one_source, _prunes_as_owner],
    ),
    pb.ApplyGatewayConfigurationRequest: Table(
        {
            "configuration": required(nested(CONFIGURATION)),
            "prune": optional(anything),
            "adopt": optional(anything),
            "secret_values": _VALUES,
            "basis": optional(nested(_BASIS)),
            "updated_by": optional(ACTOR),
            **CREATES,
        },
        across=[_prunes_as_owner],
    ),
    pb.RollbackGatewayConfigurationRequest: Table(
        {
            "to_revision": required(whole(0)),
            "secret_values": _VALUES,
            "with_bindings": optional(anything),
            "basis": optional(nested(_BASIS)),
            "updated_by": optional(ACTOR),
            **CREATES,
        }
    ),
}

RESOURCES: dict[type[Message], Table] = {
    pb.GatewaySecretConfiguration: _SECRET,
    pb.GatewayModelDefinitionConfiguration: _DEFINITION,
    pb.GatewayEndpointModelConfiguration: _MODEL,
    pb.GatewayEndpointBindingConfiguration: _BINDING,
    pb.GatewayEndpointBindingsConfiguration: _BINDINGS,
    pb.GatewayEndpointConfiguration: _ENDPOINT,
    pb.GatewayBudgetPolicyConfiguration: _POLICY,
    pb.GatewayGuardrailEndpointConfiguration: _GUARDRAIL_ENDPOINT,
    pb.GatewayGuardrailConfiguration: _GUARDRAIL,
    pb.GatewayConfiguration: CONFIGURATION,
    pb.GatewaySecretAssignment: _ASSIGNMENT,
    pb.GatewayResourceVersion: _VERSION,
    pb.GatewayPlanBasis: _BASIS,
    pb.GatewayPlanNote: _NOTE,
    pb.GatewayPlannedChange: _PLANNED,
    pb.GatewayConfigurationPlan: _PLAN,
}


def holder(request: Any, field: str) -> Any:
    """Return the message that holds the auth_config of a violation's path: the request, or a secret in its configuration."""
    found = _SECRET_POSITION.search(field)
    if found is None:
        return request
    configuration = request.configuration if "configuration" in request.DESCRIPTOR.fields_by_name else request
    return configuration.secrets[int(found[1])]
