"""Configuration as code over HTTP: a plan and an apply of a thousand endpoints, and a plan without a difference."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from gateway_entities import (
    GatewayClient,
    GatewayConfiguration,
    GatewayEndpointConfiguration,
    GatewayEndpointModelConfiguration,
    GatewayModelDefinitionConfiguration,
    GatewayModelLinkageType,
    GatewaySecretConfiguration,
)
from tests.benchmarks.loops import After
from tests.benchmarks.row import Row, Subjects
from tests.benchmarks.stage import Stage

ENDPOINTS = 1000
_MODELS = 50
_OWNER = "benchmark"
_STORE = "sqlite-configuration"


def _wanted() -> GatewayConfiguration:
    """Return a configuration with two models and a tag for each endpoint."""
    return GatewayConfiguration(
        owner=_OWNER,
        secrets=[GatewaySecretConfiguration("key", provider="openai")],
        model_definitions=[
            GatewayModelDefinitionConfiguration(f"m{number}", "openai", "gpt-4o", secret="key") for number in range(_MODELS)
        ],
        endpoints=[
            GatewayEndpointConfiguration(
                f"e{number}",
                models=[
                    GatewayEndpointModelConfiguration(f"m{number % _MODELS}"),
                    GatewayEndpointModelConfiguration(
                        f"m{(number + 1) % _MODELS}", linkage_type=GatewayModelLinkageType.FALLBACK
                    ),
                ],
                tags={"team": f"t{number % 7}"},
            )
            for number in range(ENDPOINTS)
        ],
    )


def _prepare(name: str, stage: Stage, stack: ExitStack) -> Subjects:
    client = stack.enter_context(GatewayClient(stage.our_server(0, _STORE).http_target))
    wanted, nothing = _wanted(), GatewayConfiguration(owner=_OWNER)

    def remove() -> None:
        client.apply_configuration(nothing, prune=True)

    def apply() -> None:
        client.apply_configuration(wanted, prune=True)

    def plan() -> None:
        client.plan_configuration(wanted, prune=True)

    steps: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
        "plan": (remove, plan),
        "apply": (remove, apply),
        "unchanged": (apply, plan),
    }
    return Subjects(After(*steps[name], 1))


ROWS = tuple(
    Row(
        f"config-{name}-{ENDPOINTS}",
        f"configuration of {ENDPOINTS:,} endpoints, http: {what}",
        "ms",
        partial(_prepare, name),
    )
    for name, what in (
        ("plan", "plan for an empty store"),
        ("apply", "apply to an empty store"),
        ("unchanged", "plan without a difference"),
    )
)
