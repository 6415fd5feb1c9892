"""Every entity and every enum of the contract: dataclasses that convert to and from the wire without loss."""

from __future__ import annotations

from gateway_entities.entities._native.registry import register
from gateway_entities.entities.binding import GatewayEndpointBinding, GatewayResourceType
from gateway_entities.entities.budget import (
    BudgetAction,
    BudgetDuration,
    BudgetDurationUnit,
    BudgetTargetScope,
    BudgetUnit,
    GatewayBudgetCheck,
    GatewayBudgetPolicy,
    GatewayBudgetWindow,
)
from gateway_entities.entities.change import (
    GatewayChange,
    GatewayChangeEffect,
    GatewayFieldDifference,
    GatewayResource,
    GatewayResourceKey,
)
from gateway_entities.entities.configuration import (
    GatewayBudgetPolicyConfiguration,
    GatewayConfiguration,
    GatewayModelDefinitionConfiguration,
    GatewaySecretAssignment,
    GatewaySecretConfiguration,
)
from gateway_entities.entities.convergence import Convergence, GatewayNode, GatewayNodeState
from gateway_entities.entities.endpoint import (
    FallbackConfig,
    FallbackStrategy,
    GatewayEndpoint,
    GatewayEndpointModelConfig,
    GatewayEndpointModelMapping,
    GatewayEndpointTag,
    GatewayModelLinkageType,
    RoutingStrategy,
)
from gateway_entities.entities.endpoint_configuration import (
    GatewayEndpointBindingConfiguration,
    GatewayEndpointBindingsConfiguration,
    GatewayEndpointConfiguration,
    GatewayEndpointModelConfiguration,
)
from gateway_entities.entities.guardrail import (
    GatewayGuardrail,
    GatewayGuardrailConfig,
    GuardrailAction,
    GuardrailStage,
    Scorer,
)
from gateway_entities.entities.guardrail_configuration import (
    GatewayGuardrailConfiguration,
    GatewayGuardrailEndpointConfiguration,
)
from gateway_entities.entities.model_definition import GatewayModelDefinition
from gateway_entities.entities.plan import (
    GatewayConfigurationPlan,
    GatewayPlanAction,
    GatewayPlanBasis,
    GatewayPlannedChange,
    GatewayPlanNote,
    GatewayPlanNoteKind,
    GatewayResourceVersion,
)
from gateway_entities.entities.resolution import GatewaySecretAccess, ResolvedGatewayEndpoint, ResolvedGatewayModel
from gateway_entities.entities.secret import GatewaySecretInfo
from gateway_entities.entities.secret_value import SecretValue

__all__ = [
    "BudgetAction",
    "BudgetDuration",
    "BudgetDurationUnit",
    "BudgetTargetScope",
    "BudgetUnit",
    "Convergence",
    "FallbackConfig",
    "FallbackStrategy",
    "GatewayBudgetCheck",
    "GatewayBudgetPolicy",
    "GatewayBudgetPolicyConfiguration",
    "GatewayBudgetWindow",
    "GatewayChange",
    "GatewayChangeEffect",
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
]

register(
    BudgetDuration,
    FallbackConfig,
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
    GatewayNode,
    GatewayPlanBasis,
    GatewayPlanNote,
    GatewayPlannedChange,
    GatewayResourceKey,
    GatewayResourceVersion,
    GatewaySecretAccess,
    GatewaySecretConfiguration,
    GatewaySecretInfo,
    Scorer,
)
