"""Fixtures: minimal valid requests, and a check of variations of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from google.protobuf.message import Message

from gateway_entities import rules
from gateway_entities.methods import METHODS
from gatewayentities.v1 import (
    binding_pb2,
    budget_pb2,
    configuration_pb2,
    convergence_pb2,
    endpoint_pb2,
    guardrail_pb2,
    model_definition_pb2,
    resolution_pb2,
    secret_pb2,
    spend_pb2,
)

PRIMARY = endpoint_pb2.GatewayEndpointModelConfig(model_definition_id="d-1", linkage_type="PRIMARY")

_NOT_EMPTY: dict[type[Message], dict[str, object]] = {
    secret_pb2.CreateGatewaySecretRequest: {"secret_name": "n", "secret_value": {"api_key": "v"}},
    secret_pb2.GetGatewaySecretInfoRequest: {"secret_id": "s-1"},
    secret_pb2.UpdateGatewaySecretRequest: {"secret_id": "s-1"},
    secret_pb2.DeleteGatewaySecretRequest: {"secret_id": "s-1"},
    model_definition_pb2.CreateGatewayModelDefinitionRequest: {
        "name": "n",
        "secret_id": "s-1",
        "provider": "openai",
        "model_name": "gpt-4o",
    },
    model_definition_pb2.GetGatewayModelDefinitionRequest: {"model_definition_id": "d-1"},
    model_definition_pb2.UpdateGatewayModelDefinitionRequest: {"model_definition_id": "d-1"},
    model_definition_pb2.DeleteGatewayModelDefinitionRequest: {"model_definition_id": "d-1"},
    endpoint_pb2.CreateGatewayEndpointRequest: {"name": "n", "model_configs": [PRIMARY]},
    endpoint_pb2.GetGatewayEndpointRequest: {"endpoint_id": "e-1"},
    endpoint_pb2.UpdateGatewayEndpointRequest: {"endpoint_id": "e-1"},
    endpoint_pb2.DeleteGatewayEndpointRequest: {"endpoint_id": "e-1"},
    endpoint_pb2.AttachModelToGatewayEndpointRequest: {"endpoint_id": "e-1", "model_config": PRIMARY},
    endpoint_pb2.DetachModelFromGatewayEndpointRequest: {"endpoint_id": "e-1", "model_definition_id": "d-1"},
    endpoint_pb2.SetGatewayEndpointTagRequest: {"endpoint_id": "e-1", "key": "k"},
    endpoint_pb2.DeleteGatewayEndpointTagRequest: {"endpoint_id": "e-1", "key": "k"},
    binding_pb2.CreateGatewayEndpointBindingRequest: {"endpoint_id": "e-1", "resource_type": "scorer", "resource_id": "r"},
    binding_pb2.DeleteGatewayEndpointBindingRequest: {"endpoint_id": "e-1", "resource_type": "scorer", "resource_id": "r"},
    budget_pb2.CreateGatewayBudgetPolicyRequest: {
        "budget_unit": "USD",
        "budget_amount": 1.0,
        "duration": {"unit": "DAYS", "value": 1},
        "target_scope": "GLOBAL",
        "budget_action": "ALERT",
    },
    budget_pb2.GetGatewayBudgetPolicyRequest: {"budget_policy_id": "bp-1"},
    budget_pb2.UpdateGatewayBudgetPolicyRequest: {"budget_policy_id": "bp-1"},
    budget_pb2.DeleteGatewayBudgetPolicyRequest: {"budget_policy_id": "bp-1"},
    budget_pb2.RecordGatewaySpendRequest: {
        "endpoint_id": "e-1",
        "amount_nanos": 0,
        "budget_unit": "USD",
        "request_id": "r",
    },
    budget_pb2.CheckGatewayBudgetRequest: {"endpoint_id": "e-1"},
    spend_pb2.ReserveGatewaySpendRequest: {
        "endpoint_id": "e-1",
        "amount_nanos": 0,
        "budget_unit": "USD",
        "request_id": "r",
    },
    spend_pb2.CommitGatewaySpendRequest: {"reservation_id": "br-1", "amount_nanos": 0},
    spend_pb2.ReleaseGatewaySpendRequest: {"reservation_id": "br-1"},
    spend_pb2.ExtendGatewaySpendRequest: {"reservation_id": "br-1"},
    spend_pb2.AdjustGatewaySpendRequest: {"budget_policy_id": "bp-1", "amount_nanos": 0, "reason": "r"},
    guardrail_pb2.CreateGatewayGuardrailRequest: {
        "name": "n",
        "scorer_id": "s",
        "scorer_version": 1,
        "stage": "BEFORE",
        "action": "VALIDATION",
    },
    guardrail_pb2.GetGatewayGuardrailRequest: {"guardrail_id": "gr-1"},
    guardrail_pb2.DeleteGatewayGuardrailRequest: {"guardrail_id": "gr-1"},
    guardrail_pb2.AddGuardrailToEndpointRequest: {"endpoint_id": "e-1", "guardrail_id": "gr-1"},
    guardrail_pb2.RemoveGuardrailFromEndpointRequest: {"endpoint_id": "e-1", "guardrail_id": "gr-1"},
    guardrail_pb2.ListEndpointGuardrailConfigsRequest: {"endpoint_id": "e-1"},
    guardrail_pb2.UpdateEndpointGuardrailConfigRequest: {"endpoint_id": "e-1", "guardrail_id": "gr-1"},
    resolution_pb2.ResolveGatewayEndpointRequest: {"endpoint_ids": ["e-1"]},
    configuration_pb2.PlanGatewayConfigurationRequest: {"configuration": configuration_pb2.GatewayConfiguration(owner="o")},
    configuration_pb2.ApplyGatewayConfigurationRequest: {"configuration": configuration_pb2.GatewayConfiguration(owner="o")},
    configuration_pb2.RollbackGatewayConfigurationRequest: {"to_revision": 1},
    convergence_pb2.AcknowledgeGatewayRevisionRequest: {"store_id": "s", "revision": 0, "digest": "0" * 64},
    convergence_pb2.RefuseGatewayRevisionRequest: {"store_id": "s", "revision": 0, "reason": "r"},
    convergence_pb2.WaitForGatewayConvergenceRequest: {"revision": 0},
}

VALID_REQUESTS = {method.request_type: _NOT_EMPTY.get(method.request_type, {}) for method in METHODS}


@pytest.fixture(scope="session")
def valid() -> dict[type[Message], dict[str, object]]:
    """Minimal valid requests by type."""
    return VALID_REQUESTS


@pytest.fixture(scope="session")
def check() -> Callable[..., list[tuple[str, str]]]:
    """Validate the minimal request of a type with changed fields; None removes a field."""

    def checked(request_type: type[Message], **changes: object) -> list[tuple[str, str]]:
        fields = {name: value for name, value in {**VALID_REQUESTS[request_type], **changes}.items() if value is not None}
        return [tuple(violation) for violation in rules.check(request_type(**fields))]

    return checked
