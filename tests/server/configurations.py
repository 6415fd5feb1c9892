"""Configurations for tests, generated with every noun, Unicode and empty values, and calls with them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.service import GatewayService
from gatewayentities.v1 import budget_pb2
from gatewayentities.v1 import configuration_pb2 as pb

Open = Callable[[], GatewayService]
"""Opens a new, empty store."""

_TEXTS = ("a", "Ü", "日本", "😀 x", 'q"\\', "\u0301", "line\nbreak", " ")


def configuration(rng: random.Random, owner: str = "", prefix: str = "", most: int = 6) -> pb.GatewayConfiguration:
    """Return a valid configuration.

    Args:
        rng: where the choices come from.
        owner: its owner; empty for none, present or absent.
        prefix: of every name.
        most: the maximum number of resources of each kind.
    """
    made = pb.GatewayConfiguration()
    if owner or rng.random() < 0.5:
        made.owner = owner
    secrets = [f"{prefix}s{i}{rng.choice(_TEXTS)}" for i in range(rng.randrange(most))]
    for name in secrets:
        secret = made.secrets.add(name=name)
        if rng.random() < 0.7:
            secret.provider = rng.choice(("openai", "", "ä"))
        for key in rng.sample(("region", "api_base", "e", "é"), rng.randrange(4)):
            secret.auth_config[key] = "https://example.com/v1" if key == "api_base" else rng.choice(("", *_TEXTS))
    models = [f"{prefix}m{i}{rng.choice(_TEXTS)}" for i in range(rng.randrange(most))]
    for name in models:
        model = made.model_definitions.add(name=name, provider=rng.choice(("openai", "é")), model_name=rng.choice(_TEXTS))
        if secrets and rng.random() < 0.8:
            model.secret = rng.choice(secrets)
        elif rng.random() < 0.5:
            model.secret = ""
    endpoints = [f"{prefix}e{i}" for i in range(rng.randrange(most))] if models else []
    for name in endpoints:
        _endpoint(rng, made.endpoints.add(name=name), models)
    for _ in range(rng.randrange(most)):
        policy = made.budget_policies.add(
            budget_unit="USD",
            budget_amount=rng.choice((0.0, 0.1, 100.0, 1e9)),
            budget_action=rng.choice(("ALERT", "REJECT")),
        )
        policy.duration.unit, policy.duration.value = rng.choice(((1, 5), (3, 1), (5, 2)))
        scope = rng.choice(("GLOBAL", "WORKSPACE", "USER", *(["ENDPOINT"] if endpoints else [])))
        policy.target_scope = scope
        if scope in {"USER", "ENDPOINT"}:
            policy.target_value = prefix + rng.choice(_TEXTS) if scope == "USER" else rng.choice(endpoints)
        elif rng.random() < 0.5:
            policy.target_value = ""
    # Few names, so that some are equal.
    for _ in range(rng.randrange(most)):
        _guardrail(rng, made.guardrails.add(name=f"{prefix}g{rng.randrange(2)}{rng.choice(_TEXTS[:2])}"), endpoints)
    return made


def _guardrail(rng: random.Random, guardrail: Any, endpoints: list[str]) -> None:
    guardrail.scorer_id, guardrail.scorer_version = rng.choice(("1", "ü")), rng.choice((1, 2, 2**31 - 1))
    guardrail.stage, guardrail.action = rng.choice(("BEFORE", "AFTER")), rng.choice(("VALIDATION", "SANITIZATION"))
    if rng.random() < 0.5:
        guardrail.action_endpoint = rng.choice(("", *endpoints))
    if rng.random() < 0.5:
        guardrail.scorer.SetInParent()
        for field, values in (
            ("experiment_id", (0, 7)),
            ("scorer_name", ("", *_TEXTS)),
            ("scorer_version", (guardrail.scorer_version,)),
            ("serialized_scorer", ("", '{"é": 1}')),
            ("creation_time", (0, 1_700_000_000_000)),
            ("scorer_id", (guardrail.scorer_id,)),
        ):
            if rng.random() < 0.5:
                setattr(guardrail.scorer, field, rng.choice(values))
    for name in rng.sample(endpoints, rng.randrange(min(3, len(endpoints)) + 1)):
        added = guardrail.endpoints.add(name=name)
        if rng.random() < 0.6:
            added.execution_order = rng.choice((0, 1, -(2**63), 2**63 - 1))


def _endpoint(rng: random.Random, endpoint: Any, models: list[str]) -> None:
    for position, model in enumerate(rng.sample(models, rng.randint(1, min(3, len(models))))):
        added = endpoint.models.add(model_definition=model)
        if position and rng.random() < 0.5:
            added.linkage_type = "FALLBACK"
            if rng.random() < 0.5:
                added.fallback_order = rng.randrange(3)
        elif rng.random() < 0.3:
            added.linkage_type = rng.choice(("PRIMARY", "LINKAGE_TYPE_UNSPECIFIED"))
        if rng.random() < 0.6:
            added.weight = rng.choice((1.0, 0.1, 3.0)) if not position else rng.choice((0.0, 1.0, 2.5))
    if rng.random() < 0.5:
        endpoint.routing_strategy = rng.choice(("ROUTING_STRATEGY_UNSPECIFIED", "REQUEST_BASED_TRAFFIC_SPLIT"))
    if rng.random() < 0.5:
        endpoint.fallback_config.SetInParent()
        if rng.random() < 0.5:
            endpoint.fallback_config.strategy = rng.choice(("SEQUENTIAL", "FALLBACK_STRATEGY_UNSPECIFIED"))
        if rng.random() < 0.5:
            endpoint.fallback_config.max_attempts = 2
    if rng.random() < 0.5:
        endpoint.experiment_id = rng.choice(("", "7"))
    if rng.random() < 0.5:
        endpoint.usage_tracking = rng.random() < 0.5
    for key in rng.sample(("team", "é", "empty", "😀"), rng.randrange(4)):
        endpoint.tags[key] = rng.choice(("", *_TEXTS))
    if rng.random() < 0.6:
        endpoint.bindings.SetInParent()
        for identifier in rng.sample(("1", "ü", "a/b"), rng.randrange(3)):
            endpoint.bindings.items.add(resource_type="scorer", resource_id=identifier)


def export(service: GatewayService, **fields: Any) -> bytes:
    fields = {"with_bindings": True, **fields}
    response = service.export_gateway_configuration(pb.ExportGatewayConfigurationRequest(**fields))
    return response.configuration.SerializeToString(deterministic=True)


def apply(service: GatewayService, wanted: pb.GatewayConfiguration, **fields: Any) -> Any:
    return service.apply_gateway_configuration(pb.ApplyGatewayConfigurationRequest(configuration=wanted, **fields))


def plan(service: GatewayService, wanted: pb.GatewayConfiguration, **fields: Any) -> Any:
    return service.plan_gateway_configuration(pb.PlanGatewayConfigurationRequest(configuration=wanted, **fields)).plan


def refused(call: Callable[[], Any], code: Code, reason: str | None = None) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        call()
    assert (caught.value.code, caught.value.reason if reason else None) == (code, reason)
    return caught.value


def small(owner: str = "team", name: str = "support") -> pb.GatewayConfiguration:
    made = pb.GatewayConfiguration(owner=owner)
    made.secrets.add(name=f"{name}-key", provider="openai")
    made.model_definitions.add(name=f"{name}-chat", secret=f"{name}-key", provider="openai", model_name="gpt-4o")
    made.endpoints.add(name=name).models.add(model_definition=f"{name}-chat")
    made.budget_policies.add(
        target_scope="ENDPOINT",
        target_value=name,
        budget_unit="USD",
        budget_amount=5.0,
        duration=budget_pb2.BudgetDuration(unit="DAYS", value=1),
        budget_action="REJECT",
    )
    return made
