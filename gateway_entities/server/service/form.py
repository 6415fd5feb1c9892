"""Resources as configurations describe them: by names, without what has its default, in one order.

Two descriptions are equal if and only if they mean the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor

from gateway_entities.entities import (
    BudgetDuration,
    BudgetTargetScope,
    FallbackStrategy,
    GatewayBudgetPolicy,
    GatewayEndpoint,
    GatewayEndpointBinding,
    GatewayGuardrail,
    GatewayGuardrailConfig,
    GatewayModelDefinition,
    GatewayModelLinkageType,
    GatewaySecretInfo,
    Scorer,
)
from gateway_entities.entities.weights import shortest_decimal
from gateway_entities.rules import normalized_auth_config
from gatewayentities.v1 import change_pb2, endpoint_pb2, guardrail_pb2
from gatewayentities.v1 import configuration_pb2 as pb

_MAX_TEXT: Final = 1000
_MAX_FIELDS: Final = 100
_DEFAULT_WEIGHT: Final = 1.0


def secret_form(info: GatewaySecretInfo) -> pb.GatewaySecretConfiguration:
    """Return the description of a secret."""
    return pb.GatewaySecretConfiguration(name=info.secret_name, provider=info.provider or None, auth_config=info.auth_config)


def definition_form(definition: GatewayModelDefinition) -> pb.GatewayModelDefinitionConfiguration:
    """Return the description of a model definition."""
    return pb.GatewayModelDefinitionConfiguration(
        name=definition.name,
        secret=definition.secret_name or None,
        provider=definition.provider,
        model_name=definition.model_name,
    )


def endpoint_form(endpoint: GatewayEndpoint) -> pb.GatewayEndpointConfiguration:
    """Return the description of an endpoint, without its bindings. Its mappings need their definitions."""
    form = pb.GatewayEndpointConfiguration(
        name=endpoint.name or "",
        routing_strategy=_number(endpoint.routing_strategy) if endpoint.routing_strategy else None,
        experiment_id=endpoint.experiment_id or None,
        usage_tracking=False if endpoint.usage_tracking is False else None,
        tags={tag.key: tag.value or "" for tag in endpoint.tags},
    )
    for mapping in endpoint.model_mappings:
        definition = mapping.model_definition
        model = form.models.add(
            model_definition=mapping.model_definition_id if definition is None else definition.name,
            fallback_order=mapping.fallback_order,
        )
        if mapping.linkage_type not in (None, GatewayModelLinkageType.PRIMARY):
            model.linkage_type = endpoint_pb2.GatewayModelLinkageType.ValueType(int(mapping.linkage_type or 0))
        if mapping.weight not in (None, _DEFAULT_WEIGHT):
            model.weight = mapping.weight or 0.0
    config = endpoint.fallback_config
    if config is not None:
        _set_fallback(form, int(config.strategy or 0), config.max_attempts)
    return form


def policy_form(policy: GatewayBudgetPolicy, endpoint_names: Mapping[str, str]) -> pb.GatewayBudgetPolicyConfiguration:
    """Return the description of a budget policy.

    Args:
        policy: the policy.
        endpoint_names: the names of endpoints by id.
    """
    target = policy.target_value or None
    if target is not None and policy.target_scope == BudgetTargetScope.ENDPOINT:
        target = endpoint_names.get(target, target)
    return pb.GatewayBudgetPolicyConfiguration(
        target_scope=_number(policy.target_scope),
        target_value=target,
        budget_unit=_number(policy.budget_unit),
        budget_amount=policy.budget_amount,
        duration=policy.duration.to_proto(),
        budget_action=_number(policy.budget_action),
    )


def binding_form(binding: GatewayEndpointBinding) -> pb.GatewayEndpointBindingConfiguration:
    """Return the description of a binding."""
    return pb.GatewayEndpointBindingConfiguration(resource_type=str(binding.resource_type), resource_id=binding.resource_id)


def guardrail_form(guardrail: GatewayGuardrail, endpoint_names: Mapping[str, str]) -> pb.GatewayGuardrailConfiguration:
    """Return the description of a guardrail, without the endpoints that use it.

    Args:
        guardrail: the guardrail.
        endpoint_names: the names of endpoints by id.
    """
    scorer = guardrail.scorer or Scorer()
    action_endpoint = guardrail.action_endpoint_id or None
    if action_endpoint is not None:
        action_endpoint = endpoint_names.get(action_endpoint, action_endpoint)
    return pb.GatewayGuardrailConfiguration(
        name=guardrail.name,
        scorer_id=scorer.scorer_id or "",
        scorer_version=scorer.scorer_version or 0,
        stage=_number(guardrail.stage or 0),
        action=_number(guardrail.action or 0),
        action_endpoint=action_endpoint,
        scorer=_normal_scorer(scorer.to_proto()),
    )


def use_form(config: GatewayGuardrailConfig, endpoint_names: Mapping[str, str]) -> pb.GatewayGuardrailEndpointConfiguration:
    """Return the description of an endpoint's use of a guardrail. Arguments as of ``guardrail_form``."""
    return pb.GatewayGuardrailEndpointConfiguration(
        name=endpoint_names.get(config.endpoint_id, config.endpoint_id), execution_order=config.execution_order
    )


def normal_secret(given: pb.GatewaySecretConfiguration) -> pb.GatewaySecretConfiguration:
    """Return the description of the secret that a given one means."""
    return pb.GatewaySecretConfiguration(
        name=given.name, provider=given.provider or None, auth_config=normalized_auth_config(given.auth_config)
    )


def normal_definition(given: pb.GatewayModelDefinitionConfiguration) -> pb.GatewayModelDefinitionConfiguration:
    """Return the description of the model definition that a given one means."""
    return pb.GatewayModelDefinitionConfiguration(
        name=given.name, secret=given.secret or None, provider=given.provider, model_name=given.model_name
    )


def normal_endpoint(given: pb.GatewayEndpointConfiguration) -> pb.GatewayEndpointConfiguration:
    """Return the description of the endpoint that a given one means, without its bindings."""
    form = pb.GatewayEndpointConfiguration(
        name=given.name,
        routing_strategy=given.routing_strategy or None,
        experiment_id=given.experiment_id or None,
        usage_tracking=False if given.HasField("usage_tracking") and not given.usage_tracking else None,
        tags=given.tags,
    )
    for model in given.models:
        added = form.models.add(model_definition=model.model_definition)
        if model.linkage_type not in (endpoint_pb2.LINKAGE_TYPE_UNSPECIFIED, endpoint_pb2.PRIMARY):
            added.linkage_type = model.linkage_type
        if model.HasField("weight") and model.weight != _DEFAULT_WEIGHT:
            # 0.0 and -0.0 are one weight.
            added.weight = model.weight + 0.0
        if model.HasField("fallback_order"):
            added.fallback_order = model.fallback_order
    if given.HasField("fallback_config"):
        config = given.fallback_config
        _set_fallback(form, config.strategy, config.max_attempts if config.HasField("max_attempts") else None)
    return form


def normal_policy(given: pb.GatewayBudgetPolicyConfiguration) -> pb.GatewayBudgetPolicyConfiguration:
    """Return the description of the budget policy that a given one means."""
    form = pb.GatewayBudgetPolicyConfiguration()
    form.CopyFrom(given)
    if not form.target_value:
        form.ClearField("target_value")
    form.budget_amount += 0.0
    return form


def normal_guardrail(given: pb.GatewayGuardrailConfiguration) -> pb.GatewayGuardrailConfiguration:
    """Return the description of the guardrail that a given one means. Its endpoints are in the given order."""
    form = pb.GatewayGuardrailConfiguration(
        name=given.name,
        scorer_id=given.scorer_id,
        scorer_version=given.scorer_version,
        stage=given.stage,
        action=given.action,
        action_endpoint=given.action_endpoint or None,
        scorer=_normal_scorer(given.scorer),
    )
    for endpoint in given.endpoints:
        order = endpoint.execution_order if endpoint.HasField("execution_order") else None
        form.endpoints.add(name=endpoint.name, execution_order=order)
    return form


def policy_name(form: pb.GatewayBudgetPolicyConfiguration) -> str:
    """Return the name under which plans and the change log show a budget policy."""
    entity = BudgetDuration.from_proto(form.duration)
    target = f" {form.target_value}" if form.target_value else ""
    amount = f"{form.budget_amount:.12g}"
    parts = (
        _enum_name(form, "target_scope") + target,
        f"{amount} {_enum_name(form, 'budget_unit')} per {entity.value} {_enum_name(form.duration, 'unit')}",
        _enum_name(form, "budget_action"),
    )
    return ", ".join(parts)


def policy_key(form: pb.GatewayBudgetPolicyConfiguration) -> tuple[Any, ...]:
    """Return the sort key of budget policies."""
    return (
        form.target_scope,
        form.target_value,
        form.budget_unit,
        form.duration.unit,
        form.duration.value,
        form.budget_amount,
        form.budget_action,
    )


def guardrail_key(form: pb.GatewayGuardrailConfiguration) -> tuple[Any, ...]:
    """Return the sort key of guardrails, which those that mean the same have in common."""
    uses = sorted((each.name, each.HasField("execution_order"), each.execution_order) for each in form.endpoints)
    return (*guardrail_content(form), tuple(uses))


def guardrail_content(form: pb.GatewayGuardrailConfiguration) -> tuple[Any, ...]:
    """Return ``guardrail_key`` without the endpoints that use it."""
    return (
        form.name,
        form.scorer_id,
        form.stage,
        form.scorer_version,
        form.action,
        form.action_endpoint,
        form.scorer.SerializeToString(deterministic=True),
    )


def differences(before: Any, after: Any) -> list[change_pb2.GatewayFieldDifference]:
    """Return the fields in which two descriptions differ, in order of their paths in the message.

    Args:
        before: the description before; None if the resource did not exist.
        after: the description after; None if it does not exist any more. Then there are no differences.
    """
    if after is None:
        return []
    old = dict(_fields(before, "")) if before is not None else {}
    new = dict(_fields(after, ""))
    paths = [path for path in {**new, **old} if old.get(path) != new.get(path)]
    return [
        change_pb2.GatewayFieldDifference(path=path, before=_cut(old.get(path)), after=_cut(new.get(path)))
        for path in paths[:_MAX_FIELDS]
    ]


def describe(noun: str, resource: Any, endpoint_names: Mapping[str, str]) -> Any:
    """Return the description of a resource."""
    with_names = _FORMS_WITH_NAMES.get(noun)
    return _FORMS[noun](resource) if with_names is None else with_names(resource, endpoint_names)


def name_of(noun: str, resource: Any, described: Any, endpoint_names: Mapping[str, str]) -> str:
    """Return the name of a resource in plans and in the change log."""
    if noun == "budget_policy":
        return policy_name(described)
    if noun in {"binding", "guardrail_config"}:
        endpoint = endpoint_names.get(resource.endpoint_id, resource.endpoint_id)
        if noun == "binding":
            return f"{endpoint}/{resource.resource_type}/{resource.resource_id}"
        return use_name(endpoint, resource)
    return str(described.name)


def use_name(endpoint: str, config: GatewayGuardrailConfig) -> str:
    """Return the name of an endpoint's use of a guardrail."""
    return f"{endpoint}/{config.guardrail_id if config.guardrail is None else config.guardrail.name}"


_FORMS: Final[Mapping[str, Any]] = {
    "secret": secret_form,
    "model_definition": definition_form,
    "endpoint": endpoint_form,
    "binding": binding_form,
}
_FORMS_WITH_NAMES: Final[Mapping[str, Any]] = {
    "budget_policy": policy_form,
    "guardrail": guardrail_form,
    "guardrail_config": use_form,
}


def _number(member: int) -> Any:
    """Return the number of an enum's member, which need not be one of the generated code."""
    return int(member)


def _normal_scorer(scorer: guardrail_pb2.Scorer) -> guardrail_pb2.Scorer | None:
    """Return a scorer without its id and version; None if it has nothing else."""
    known = guardrail_pb2.Scorer()
    for field, value in scorer.ListFields():
        if field.name not in {"scorer_id", "scorer_version"} and value != "":
            setattr(known, field.name, value)
    return known if known.ListFields() else None


def _set_fallback(form: pb.GatewayEndpointConfiguration, strategy: int, max_attempts: int | None) -> None:
    """Write a fallback configuration, if it is not the default: SEQUENTIAL with FALLBACK models, none without."""
    has_fallback = any(model.linkage_type == endpoint_pb2.FALLBACK for model in form.models)
    if strategy and not (has_fallback and strategy == FallbackStrategy.SEQUENTIAL):
        form.fallback_config.strategy = endpoint_pb2.FallbackStrategy.ValueType(strategy)
    if max_attempts is not None:
        form.fallback_config.max_attempts = max_attempts


def _fields(message: Any, prefix: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the JSON of every scalar in a message."""
    for field, value in message.ListFields():
        path = f"{prefix}{field.name}"
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            for key in sorted(value):
                yield f"{path}[{json.dumps(key, ensure_ascii=False)}]", json.dumps(value[key], ensure_ascii=False)
        elif field.is_repeated:
            for position, item in enumerate(value):
                yield from _fields(item, f"{path}[{position}].")
        elif field.message_type is not None:
            yield from _fields(value, f"{path}.")
        else:
            yield path, json.dumps(_plain(field, value), ensure_ascii=False)


def _plain(field: FieldDescriptor, value: Any) -> Any:
    if field.enum_type is not None:
        member = field.enum_type.values_by_number.get(value)
        return value if member is None else member.name
    return shortest_decimal(value) if field.type == FieldDescriptor.TYPE_FLOAT else value


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}..."


def _enum_name(message: Any, field: str) -> str:
    number: int = getattr(message, field)
    member = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number.get(number)
    return str(number) if member is None else str(member.name)
