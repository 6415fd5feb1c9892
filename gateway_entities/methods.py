# Generated from proto/ by proto/generate.py. Do not edit.
"""Every RPC of the contract as data."""

from __future__ import annotations

from typing import Any, Final

from gateway_entities._method import Method, Request, Response
from gatewayentities.v1 import (
    binding_pb2,
    budget_pb2,
    change_pb2,
    configuration_pb2,
    convergence_pb2,
    endpoint_pb2,
    guardrail_pb2,
    model_definition_pb2,
    resolution_pb2,
    secret_pb2,
    spend_pb2,
)

__all__ = [
    "ACKNOWLEDGE_GATEWAY_REVISION",
    "ADD_GUARDRAIL_TO_ENDPOINT",
    "ADJUST_GATEWAY_SPEND",
    "APPLY_GATEWAY_CONFIGURATION",
    "ATTACH_MODEL_TO_GATEWAY_ENDPOINT",
    "CHECK_GATEWAY_BUDGET",
    "COMMIT_GATEWAY_SPEND",
    "CREATE_GATEWAY_BUDGET_POLICY",
    "CREATE_GATEWAY_ENDPOINT",
    "CREATE_GATEWAY_ENDPOINT_BINDING",
    "CREATE_GATEWAY_GUARDRAIL",
    "CREATE_GATEWAY_MODEL_DEFINITION",
    "CREATE_GATEWAY_SECRET",
    "DELETE_GATEWAY_BUDGET_POLICY",
    "DELETE_GATEWAY_ENDPOINT",
    "DELETE_GATEWAY_ENDPOINT_BINDING",
    "DELETE_GATEWAY_ENDPOINT_TAG",
    "DELETE_GATEWAY_GUARDRAIL",
    "DELETE_GATEWAY_MODEL_DEFINITION",
    "DELETE_GATEWAY_SECRET",
    "DETACH_MODEL_FROM_GATEWAY_ENDPOINT",
    "EXPORT_GATEWAY_CONFIGURATION",
    "EXTEND_GATEWAY_SPEND",
    "GET_GATEWAY_BUDGET_POLICY",
    "GET_GATEWAY_ENDPOINT",
    "GET_GATEWAY_GUARDRAIL",
    "GET_GATEWAY_MODEL_DEFINITION",
    "GET_GATEWAY_SECRET_INFO",
    "LIST_ENDPOINT_GUARDRAIL_CONFIGS",
    "LIST_GATEWAY_BUDGET_BALANCES",
    "LIST_GATEWAY_BUDGET_POLICIES",
    "LIST_GATEWAY_BUDGET_WINDOWS",
    "LIST_GATEWAY_CHANGES",
    "LIST_GATEWAY_ENDPOINTS",
    "LIST_GATEWAY_ENDPOINT_BINDINGS",
    "LIST_GATEWAY_GUARDRAILS",
    "LIST_GATEWAY_MODEL_DEFINITIONS",
    "LIST_GATEWAY_NODES",
    "LIST_GATEWAY_SECRET_ACCESSES",
    "LIST_GATEWAY_SECRET_INFOS",
    "LIST_GATEWAY_SPEND",
    "METHODS",
    "PLAN_GATEWAY_CONFIGURATION",
    "RECORD_GATEWAY_SPEND",
    "REFUSE_GATEWAY_REVISION",
    "RELEASE_GATEWAY_SPEND",
    "REMOVE_GUARDRAIL_FROM_ENDPOINT",
    "RESERVE_GATEWAY_SPEND",
    "RESOLVE_GATEWAY_ENDPOINT",
    "ROLLBACK_GATEWAY_CONFIGURATION",
    "SET_GATEWAY_ENDPOINT_TAG",
    "UPDATE_ENDPOINT_GUARDRAIL_CONFIG",
    "UPDATE_GATEWAY_BUDGET_POLICY",
    "UPDATE_GATEWAY_ENDPOINT",
    "UPDATE_GATEWAY_MODEL_DEFINITION",
    "UPDATE_GATEWAY_SECRET",
    "WAIT_FOR_GATEWAY_CONVERGENCE",
    "WATCH_GATEWAY",
    "Method",
    "Request",
    "Response",
]
CREATE_GATEWAY_ENDPOINT_BINDING = Method(
    binding_pb2.CreateGatewayEndpointBindingRequest, binding_pb2.CreateGatewayEndpointBindingResponse
)
DELETE_GATEWAY_ENDPOINT_BINDING = Method(
    binding_pb2.DeleteGatewayEndpointBindingRequest, binding_pb2.DeleteGatewayEndpointBindingResponse
)
LIST_GATEWAY_ENDPOINT_BINDINGS = Method(
    binding_pb2.ListGatewayEndpointBindingsRequest, binding_pb2.ListGatewayEndpointBindingsResponse
)
CREATE_GATEWAY_BUDGET_POLICY = Method(
    budget_pb2.CreateGatewayBudgetPolicyRequest, budget_pb2.CreateGatewayBudgetPolicyResponse
)
GET_GATEWAY_BUDGET_POLICY = Method(budget_pb2.GetGatewayBudgetPolicyRequest, budget_pb2.GetGatewayBudgetPolicyResponse)
UPDATE_GATEWAY_BUDGET_POLICY = Method(
    budget_pb2.UpdateGatewayBudgetPolicyRequest, budget_pb2.UpdateGatewayBudgetPolicyResponse
)
DELETE_GATEWAY_BUDGET_POLICY = Method(
    budget_pb2.DeleteGatewayBudgetPolicyRequest, budget_pb2.DeleteGatewayBudgetPolicyResponse
)
LIST_GATEWAY_BUDGET_POLICIES = Method(
    budget_pb2.ListGatewayBudgetPoliciesRequest, budget_pb2.ListGatewayBudgetPoliciesResponse
)
LIST_GATEWAY_BUDGET_WINDOWS = Method(budget_pb2.ListGatewayBudgetWindowsRequest, budget_pb2.ListGatewayBudgetWindowsResponse)
RECORD_GATEWAY_SPEND = Method(budget_pb2.RecordGatewaySpendRequest, budget_pb2.RecordGatewaySpendResponse)
CHECK_GATEWAY_BUDGET = Method(budget_pb2.CheckGatewayBudgetRequest, budget_pb2.CheckGatewayBudgetResponse)
CREATE_GATEWAY_MODEL_DEFINITION = Method(
    model_definition_pb2.CreateGatewayModelDefinitionRequest, model_definition_pb2.CreateGatewayModelDefinitionResponse
)
GET_GATEWAY_MODEL_DEFINITION = Method(
    model_definition_pb2.GetGatewayModelDefinitionRequest, model_definition_pb2.GetGatewayModelDefinitionResponse
)
LIST_GATEWAY_MODEL_DEFINITIONS = Method(
    model_definition_pb2.ListGatewayModelDefinitionsRequest, model_definition_pb2.ListGatewayModelDefinitionsResponse
)
UPDATE_GATEWAY_MODEL_DEFINITION = Method(
    model_definition_pb2.UpdateGatewayModelDefinitionRequest, model_definition_pb2.UpdateGatewayModelDefinitionResponse
)
DELETE_GATEWAY_MODEL_DEFINITION = Method(
    model_definition_pb2.DeleteGatewayModelDefinitionRequest, model_definition_pb2.DeleteGatewayModelDefinitionResponse
)
CREATE_GATEWAY_ENDPOINT = Method(endpoint_pb2.CreateGatewayEndpointRequest, endpoint_pb2.CreateGatewayEndpointResponse)
GET_GATEWAY_ENDPOINT = Method(endpoint_pb2.GetGatewayEndpointRequest, endpoint_pb2.GetGatewayEndpointResponse)
UPDATE_GATEWAY_ENDPOINT = Method(endpoint_pb2.UpdateGatewayEndpointRequest, endpoint_pb2.UpdateGatewayEndpointResponse)
DELETE_GATEWAY_ENDPOINT = Method(endpoint_pb2.DeleteGatewayEndpointRequest, endpoint_pb2.DeleteGatewayEndpointResponse)
LIST_GATEWAY_ENDPOINTS = Method(endpoint_pb2.ListGatewayEndpointsRequest, endpoint_pb2.ListGatewayEndpointsResponse)
ATTACH_MODEL_TO_GATEWAY_ENDPOINT = Method(
    endpoint_pb2.AttachModelToGatewayEndpointRequest, endpoint_pb2.AttachModelToGatewayEndpointResponse
)
DETACH_MODEL_FROM_GATEWAY_ENDPOINT = Method(
    endpoint_pb2.DetachModelFromGatewayEndpointRequest, endpoint_pb2.DetachModelFromGatewayEndpointResponse
)
SET_GATEWAY_ENDPOINT_TAG = Method(endpoint_pb2.SetGatewayEndpointTagRequest, endpoint_pb2.SetGatewayEndpointTagResponse)
DELETE_GATEWAY_ENDPOINT_TAG = Method(
    endpoint_pb2.DeleteGatewayEndpointTagRequest, endpoint_pb2.DeleteGatewayEndpointTagResponse
)
CREATE_GATEWAY_GUARDRAIL = Method(guardrail_pb2.CreateGatewayGuardrailRequest, guardrail_pb2.CreateGatewayGuardrailResponse)
GET_GATEWAY_GUARDRAIL = Method(guardrail_pb2.GetGatewayGuardrailRequest, guardrail_pb2.GetGatewayGuardrailResponse)
DELETE_GATEWAY_GUARDRAIL = Method(guardrail_pb2.DeleteGatewayGuardrailRequest, guardrail_pb2.DeleteGatewayGuardrailResponse)
LIST_GATEWAY_GUARDRAILS = Method(guardrail_pb2.ListGatewayGuardrailsRequest, guardrail_pb2.ListGatewayGuardrailsResponse)
ADD_GUARDRAIL_TO_ENDPOINT = Method(guardrail_pb2.AddGuardrailToEndpointRequest, guardrail_pb2.AddGuardrailToEndpointResponse)
REMOVE_GUARDRAIL_FROM_ENDPOINT = Method(
    guardrail_pb2.RemoveGuardrailFromEndpointRequest, guardrail_pb2.RemoveGuardrailFromEndpointResponse
)
LIST_ENDPOINT_GUARDRAIL_CONFIGS = Method(
    guardrail_pb2.ListEndpointGuardrailConfigsRequest, guardrail_pb2.ListEndpointGuardrailConfigsResponse
)
UPDATE_ENDPOINT_GUARDRAIL_CONFIG = Method(
    guardrail_pb2.UpdateEndpointGuardrailConfigRequest, guardrail_pb2.UpdateEndpointGuardrailConfigResponse
)
CREATE_GATEWAY_SECRET = Method(secret_pb2.CreateGatewaySecretRequest, secret_pb2.CreateGatewaySecretResponse)
GET_GATEWAY_SECRET_INFO = Method(secret_pb2.GetGatewaySecretInfoRequest, secret_pb2.GetGatewaySecretInfoResponse)
UPDATE_GATEWAY_SECRET = Method(secret_pb2.UpdateGatewaySecretRequest, secret_pb2.UpdateGatewaySecretResponse)
DELETE_GATEWAY_SECRET = Method(secret_pb2.DeleteGatewaySecretRequest, secret_pb2.DeleteGatewaySecretResponse)
LIST_GATEWAY_SECRET_INFOS = Method(secret_pb2.ListGatewaySecretInfosRequest, secret_pb2.ListGatewaySecretInfosResponse)
RESERVE_GATEWAY_SPEND = Method(spend_pb2.ReserveGatewaySpendRequest, spend_pb2.ReserveGatewaySpendResponse)
COMMIT_GATEWAY_SPEND = Method(spend_pb2.CommitGatewaySpendRequest, spend_pb2.CommitGatewaySpendResponse)
RELEASE_GATEWAY_SPEND = Method(spend_pb2.ReleaseGatewaySpendRequest, spend_pb2.ReleaseGatewaySpendResponse)
EXTEND_GATEWAY_SPEND = Method(spend_pb2.ExtendGatewaySpendRequest, spend_pb2.ExtendGatewaySpendResponse)
ADJUST_GATEWAY_SPEND = Method(spend_pb2.AdjustGatewaySpendRequest, spend_pb2.AdjustGatewaySpendResponse)
LIST_GATEWAY_BUDGET_BALANCES = Method(
    spend_pb2.ListGatewayBudgetBalancesRequest, spend_pb2.ListGatewayBudgetBalancesResponse
)
LIST_GATEWAY_SPEND = Method(spend_pb2.ListGatewaySpendRequest, spend_pb2.ListGatewaySpendResponse)
LIST_GATEWAY_CHANGES = Method(change_pb2.ListGatewayChangesRequest, change_pb2.ListGatewayChangesResponse)
WATCH_GATEWAY = Method(change_pb2.WatchGatewayRequest, change_pb2.WatchGatewayResponse)
EXPORT_GATEWAY_CONFIGURATION = Method(
    configuration_pb2.ExportGatewayConfigurationRequest, configuration_pb2.ExportGatewayConfigurationResponse
)
PLAN_GATEWAY_CONFIGURATION = Method(
    configuration_pb2.PlanGatewayConfigurationRequest, configuration_pb2.PlanGatewayConfigurationResponse
)
APPLY_GATEWAY_CONFIGURATION = Method(
    configuration_pb2.ApplyGatewayConfigurationRequest, configuration_pb2.ApplyGatewayConfigurationResponse
)
ROLLBACK_GATEWAY_CONFIGURATION = Method(
    configuration_pb2.RollbackGatewayConfigurationRequest, configuration_pb2.RollbackGatewayConfigurationResponse
)
ACKNOWLEDGE_GATEWAY_REVISION = Method(
    convergence_pb2.AcknowledgeGatewayRevisionRequest, convergence_pb2.AcknowledgeGatewayRevisionResponse
)
REFUSE_GATEWAY_REVISION = Method(convergence_pb2.RefuseGatewayRevisionRequest, convergence_pb2.RefuseGatewayRevisionResponse)
LIST_GATEWAY_NODES = Method(convergence_pb2.ListGatewayNodesRequest, convergence_pb2.ListGatewayNodesResponse)
WAIT_FOR_GATEWAY_CONVERGENCE = Method(
    convergence_pb2.WaitForGatewayConvergenceRequest, convergence_pb2.WaitForGatewayConvergenceResponse
)
RESOLVE_GATEWAY_ENDPOINT = Method(
    resolution_pb2.ResolveGatewayEndpointRequest, resolution_pb2.ResolveGatewayEndpointResponse
)
LIST_GATEWAY_SECRET_ACCESSES = Method(
    resolution_pb2.ListGatewaySecretAccessesRequest, resolution_pb2.ListGatewaySecretAccessesResponse
)
METHODS: Final[tuple[Method[Any, Any], ...]] = (
    CREATE_GATEWAY_ENDPOINT_BINDING,
    DELETE_GATEWAY_ENDPOINT_BINDING,
    LIST_GATEWAY_ENDPOINT_BINDINGS,
    CREATE_GATEWAY_BUDGET_POLICY,
    GET_GATEWAY_BUDGET_POLICY,
    UPDATE_GATEWAY_BUDGET_POLICY,
    DELETE_GATEWAY_BUDGET_POLICY,
    LIST_GATEWAY_BUDGET_POLICIES,
    LIST_GATEWAY_BUDGET_WINDOWS,
    RECORD_GATEWAY_SPEND,
    CHECK_GATEWAY_BUDGET,
    CREATE_GATEWAY_MODEL_DEFINITION,
    GET_GATEWAY_MODEL_DEFINITION,
    LIST_GATEWAY_MODEL_DEFINITIONS,
    UPDATE_GATEWAY_MODEL_DEFINITION,
    DELETE_GATEWAY_MODEL_DEFINITION,
    CREATE_GATEWAY_ENDPOINT,
    GET_GATEWAY_ENDPOINT,
    UPDATE_GATEWAY_ENDPOINT,
    DELETE_GATEWAY_ENDPOINT,
    LIST_GATEWAY_ENDPOINTS,
    ATTACH_MODEL_TO_GATEWAY_ENDPOINT,
    DETACH_MODEL_FROM_GATEWAY_ENDPOINT,
    SET_GATEWAY_ENDPOINT_TAG,
    DELETE_GATEWAY_ENDPOINT_TAG,
    CREATE_GATEWAY_GUARDRAIL,
    GET_GATEWAY_GUARDRAIL,
    DELETE_GATEWAY_GUARDRAIL,
    LIST_GATEWAY_GUARDRAILS,
    ADD_GUARDRAIL_TO_ENDPOINT,
    REMOVE_GUARDRAIL_FROM_ENDPOINT,
    LIST_ENDPOINT_GUARDRAIL_CONFIGS,
    UPDATE_ENDPOINT_GUARDRAIL_CONFIG,
    CREATE_GATEWAY_SECRET,
    GET_GATEWAY_SECRET_INFO,
    UPDATE_GATEWAY_SECRET,
    DELETE_GATEWAY_SECRET,
    LIST_GATEWAY_SECRET_INFOS,
    RESERVE_GATEWAY_SPEND,
    COMMIT_GATEWAY_SPEND,
    RELEASE_GATEWAY_SPEND,
    EXTEND_GATEWAY_SPEND,
    ADJUST_GATEWAY_SPEND,
    LIST_GATEWAY_BUDGET_BALANCES,
    LIST_GATEWAY_SPEND,
    LIST_GATEWAY_CHANGES,
    WATCH_GATEWAY,
    EXPORT_GATEWAY_CONFIGURATION,
    PLAN_GATEWAY_CONFIGURATION,
    APPLY_GATEWAY_CONFIGURATION,
    ROLLBACK_GATEWAY_CONFIGURATION,
    ACKNOWLEDGE_GATEWAY_REVISION,
    REFUSE_GATEWAY_REVISION,
    LIST_GATEWAY_NODES,
    WAIT_FOR_GATEWAY_CONVERGENCE,
    RESOLVE_GATEWAY_ENDPOINT,
    LIST_GATEWAY_SECRET_ACCESSES,
)
"""Every RPC, in the order of the constants above."""
