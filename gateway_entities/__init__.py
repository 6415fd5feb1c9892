"""The typed contract for LLM-gateway configuration.

The entities and enums, the errors, and the clients; nothing else is imported until it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway_entities.entities import (
    BudgetAction,
    BudgetDuration,
    BudgetDurationUnit,
    BudgetTargetScope,
    BudgetUnit,
    Convergence,
    FallbackConfig,
    FallbackStrategy,
    GatewayBudgetCheck,
    GatewayBudgetPolicy,
    GatewayBudgetPolicyConfiguration,
    GatewayBudgetWindow,
    GatewayChange,
    GatewayChangeEffect,
    GatewayConfiguration,
    GatewayConfigurationPlan,
    GatewayEndpoint,
    GatewayEndpointBinding,
    GatewayEndpointBindingConfiguration,
    GatewayEndpointBindingsConfiguration,
    GatewayEndpointConfiguration,
    GatewayEndpointModelConfig,
    GatewayEndpointModelConfiguration,
    GatewayEndpointModelMapping,
    GatewayEndpointTag,
    GatewayFieldDifference,
    GatewayGuardrail,
    GatewayGuardrailConfig,
    GatewayGuardrailConfiguration,
    GatewayGuardrailEndpointConfiguration,
    GatewayModelDefinition,
    GatewayModelDefinitionConfiguration,
    GatewayModelLinkageType,
    GatewayNode,
    GatewayNodeState,
    GatewayPlanAction,
    GatewayPlanBasis,
    GatewayPlannedChange,
    GatewayPlanNote,
    GatewayPlanNoteKind,
    GatewayResource,
    GatewayResourceKey,
    GatewayResourceType,
    GatewayResourceVersion,
    GatewaySecretAccess,
    GatewaySecretAssignment,
    GatewaySecretConfiguration,
    GatewaySecretInfo,
    GuardrailAction,
    GuardrailStage,
    ResolvedGatewayEndpoint,
    ResolvedGatewayModel,
    RoutingStrategy,
    Scorer,
    SecretValue,
)
from gateway_entities.entities._native import NATIVE
from gateway_entities.errors import Code, FieldViolation, GatewayError, WireError

if TYPE_CHECKING:
    from gateway_entities.client import AsyncGatewayClient, GatewayClient

__version__ = "0.1.0"

__all__ = [
    "NATIVE",
    "AsyncGatewayClient",
    "BudgetAction",
    "BudgetDuration",
    "BudgetDurationUnit",
    "BudgetTargetScope",
    "BudgetUnit",
    "Code",
    "Convergence",
    "FallbackConfig",
    "FallbackStrategy",
    "FieldViolation",
    "GatewayBudgetCheck",
    "GatewayBudgetPolicy",
    "GatewayBudgetPolicyConfiguration",
    "GatewayBudgetWindow",
    "GatewayChange",
    "GatewayChangeEffect",
    "GatewayClient",
    "GatewayConfiguration",
    "GatewayConfigurationPlan",
    "GatewayEndpoint",
    "GatewayEndpointBinding",
    "GatewayEndpointBindingConfiguration",
    "GatewayEndpointBindingsConfiguration",
    "GatewayEndpointConfiguration",
    "GatewayEndpointModelConfig",
    "GatewayEndpointModelConfiguration",
    "GatewayEndpointModelMapping",
    "GatewayEndpointTag",
    "GatewayError",
    "GatewayFieldDifference",
    "GatewayGuardrail",
    "GatewayGuardrailConfig",
    "GatewayGuardrailConfiguration",
    "GatewayGuardrailEndpointConfiguration",
    "GatewayModelDefinition",
    "GatewayModelDefinitionConfiguration",
    "GatewayModelLinkageType",
    "GatewayNode",
    "GatewayNodeState",
    "GatewayPlanAction",
    "GatewayPlanBasis",
    "GatewayPlanNote",
    "GatewayPlanNoteKind",
    "GatewayPlannedChange",
    "GatewayResource",
    "GatewayResourceKey",
    "GatewayResourceType",
    "GatewayResourceVersion",
    "GatewaySecretAccess",
    "GatewaySecretAssignment",
    "GatewaySecretConfiguration",
    "GatewaySecretInfo",
    "GuardrailAction",
    "GuardrailStage",
    "ResolvedGatewayEndpoint",
    "ResolvedGatewayModel",
    "RoutingStrategy",
    "Scorer",
    "SecretValue",
    "WireError",
]


def __getattr__(name: str) -> object:
    # Importing the entities does not import the clients.
    if name in {"AsyncGatewayClient", "GatewayClient"}:
        from gateway_entities import client

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
