"""Every operation without the I/O: its RPC, its request and how its response is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from gateway_entities import methods
from gateway_entities.client._messages import build, mask, message, messages
from gateway_entities.client._operation import Call, Pages
from gateway_entities.entities import (
    BudgetAction,
    BudgetDuration,
    BudgetTargetScope,
    BudgetUnit,
    FallbackConfig,
    GatewayBudgetCheck,
    GatewayBudgetPolicy,
    GatewayBudgetWindow,
    GatewayEndpoint,
    GatewayEndpointBinding,
    GatewayEndpointModelConfig,
    GatewayEndpointModelMapping,
    GatewayModelDefinition,
    GatewaySecretInfo,
    RoutingStrategy,
)
from llm_gateway.v1 import binding_pb2, budget_pb2, endpoint_pb2, model_definition_pb2, secret_pb2

PAGE_SIZE = 1000
"""How many items a list asks for at a time: enough for few calls, few enough for small messages."""


def _nothing(_response: object) -> None:
    return None


def create_secret(
    secret_name: str,
    secret_value: Mapping[str, str],
    *,
    provider: str | None = None,
    auth_config: Mapping[str, str] | None = None,
    created_by: str | None = None,
) -> Call[GatewaySecretInfo]:
    request = build(
        secret_pb2.CreateGatewaySecretRequest,
        secret_name=secret_name,
        secret_value=secret_value,
        provider=provider,
        auth_config=auth_config,
        created_by=created_by,
    )
    return Call(methods.CREATE_GATEWAY_SECRET, request, lambda r: GatewaySecretInfo.from_proto(r.secret))


def get_secret(*, secret_id: str | None = None, secret_name: str | None = None) -> Call[GatewaySecretInfo]:
    request = build(secret_pb2.GetGatewaySecretInfoRequest, secret_id=secret_id, secret_name=secret_name)
    return Call(methods.GET_GATEWAY_SECRET_INFO, request, lambda r: GatewaySecretInfo.from_proto(r.secret))


def update_secret(
    secret_id: str,
    *,
    secret_value: Mapping[str, str] | None = None,
    auth_config: Mapping[str, str] | None = None,
    updated_by: str | None = None,
    update_mask: Iterable[str] | None = None,
) -> Call[GatewaySecretInfo]:
    request = build(
        secret_pb2.UpdateGatewaySecretRequest,
        secret_id=secret_id,
        secret_value=secret_value,
        auth_config=auth_config,
        updated_by=updated_by,
        update_mask=mask(update_mask),
    )
    return Call(methods.UPDATE_GATEWAY_SECRET, request, lambda r: GatewaySecretInfo.from_proto(r.secret))


def delete_secret(secret_id: str) -> Call[None]:
    request = build(secret_pb2.DeleteGatewaySecretRequest, secret_id=secret_id)
    return Call(methods.DELETE_GATEWAY_SECRET, request, _nothing)


def list_secrets(*, provider: str | None = None) -> Pages[GatewaySecretInfo]:
    def page(token: str | None) -> secret_pb2.ListGatewaySecretInfosRequest:
        return build(secret_pb2.ListGatewaySecretInfosRequest, provider=provider, page_size=PAGE_SIZE, page_token=token)

    return Pages(
        methods.LIST_GATEWAY_SECRET_INFOS,
        page,
        lambda r: ([GatewaySecretInfo.from_proto(item) for item in r.secrets], r.next_page_token),
    )


def create_model_definition(
    name: str, *, secret_id: str, provider: str, model_name: str, created_by: str | None = None
) -> Call[GatewayModelDefinition]:
    request = build(
        model_definition_pb2.CreateGatewayModelDefinitionRequest,
        name=name,
        secret_id=secret_id,
        provider=provider,
        model_name=model_name,
        created_by=created_by,
    )
    return Call(
        methods.CREATE_GATEWAY_MODEL_DEFINITION, request, lambda r: GatewayModelDefinition.from_proto(r.model_definition)
    )


def get_model_definition(*, model_definition_id: str | None = None, name: str | None = None) -> Call[GatewayModelDefinition]:
    request = build(
        model_definition_pb2.GetGatewayModelDefinitionRequest, model_definition_id=model_definition_id, name=name
    )
    return Call(
        methods.GET_GATEWAY_MODEL_DEFINITION, request, lambda r: GatewayModelDefinition.from_proto(r.model_definition)
    )


def update_model_definition(
    model_definition_id: str,
    *,
    name: str | None = None,
    secret_id: str | None = None,
    model_name: str | None = None,
    provider: str | None = None,
    updated_by: str | None = None,
    update_mask: Iterable[str] | None = None,
) -> Call[GatewayModelDefinition]:
    request = build(
        model_definition_pb2.UpdateGatewayModelDefinitionRequest,
        model_definition_id=model_definition_id,
        name=name,
        secret_id=secret_id,
        model_name=model_name,
        provider=provider,
        updated_by=updated_by,
        update_mask=mask(update_mask),
    )
    return Call(
        methods.UPDATE_GATEWAY_MODEL_DEFINITION, request, lambda r: GatewayModelDefinition.from_proto(r.model_definition)
    )


def delete_model_definition(model_definition_id: str) -> Call[None]:
    request = build(model_definition_pb2.DeleteGatewayModelDefinitionRequest, model_definition_id=model_definition_id)
    return Call(methods.DELETE_GATEWAY_MODEL_DEFINITION, request, _nothing)


def list_model_definitions(*, provider: str | None = None, secret_id: str | None = None) -> Pages[GatewayModelDefinition]:
    def page(token: str | None) -> model_definition_pb2.ListGatewayModelDefinitionsRequest:
        return build(
            model_definition_pb2.ListGatewayModelDefinitionsRequest,
            provider=provider,
            secret_id=secret_id,
            page_size=PAGE_SIZE,
            page_token=token,
        )

    return Pages(
        methods.LIST_GATEWAY_MODEL_DEFINITIONS,
        page,
        lambda r: ([GatewayModelDefinition.from_proto(item) for item in r.model_definitions], r.next_page_token),
    )


def create_endpoint(
    name: str,
    model_configs: Iterable[GatewayEndpointModelConfig],
    *,
    routing_strategy: RoutingStrategy | int | None = None,
    fallback_config: FallbackConfig | None = None,
    experiment_id: str | None = None,
    usage_tracking: bool | None = None,
    created_by: str | None = None,
) -> Call[GatewayEndpoint]:
    request = build(
        endpoint_pb2.CreateGatewayEndpointRequest,
        name=name,
        model_configs=messages("model_configs", GatewayEndpointModelConfig, model_configs),
        routing_strategy=cast("endpoint_pb2.RoutingStrategy.ValueType | None", routing_strategy),
        fallback_config=message("fallback_config", FallbackConfig, fallback_config),
        experiment_id=experiment_id,
        usage_tracking=usage_tracking,
        created_by=created_by,
    )
    return Call(methods.CREATE_GATEWAY_ENDPOINT, request, lambda r: GatewayEndpoint.from_proto(r.endpoint))


def get_endpoint(*, endpoint_id: str | None = None, name: str | None = None) -> Call[GatewayEndpoint]:
    request = build(endpoint_pb2.GetGatewayEndpointRequest, endpoint_id=endpoint_id, name=name)
    return Call(methods.GET_GATEWAY_ENDPOINT, request, lambda r: GatewayEndpoint.from_proto(r.endpoint))


def update_endpoint(
    endpoint_id: str,
    *,
    name: str | None = None,
    model_configs: Iterable[GatewayEndpointModelConfig] | None = None,
    routing_strategy: RoutingStrategy | int | None = None,
    fallback_config: FallbackConfig | None = None,
    experiment_id: str | None = None,
    usage_tracking: bool | None = None,
    updated_by: str | None = None,
    update_mask: Iterable[str] | None = None,
) -> Call[GatewayEndpoint]:
    request = build(
        endpoint_pb2.UpdateGatewayEndpointRequest,
        endpoint_id=endpoint_id,
        name=name,
        model_configs=messages("model_configs", GatewayEndpointModelConfig, model_configs),
        routing_strategy=cast("endpoint_pb2.RoutingStrategy.ValueType | None", routing_strategy),
        fallback_config=message("fallback_config", FallbackConfig, fallback_config),
        experiment_id=experiment_id,
        usage_tracking=usage_tracking,
        updated_by=updated_by,
        update_mask=mask(update_mask),
    )
    return Call(methods.UPDATE_GATEWAY_ENDPOINT, request, lambda r: GatewayEndpoint.from_proto(r.endpoint))


def delete_endpoint(endpoint_id: str) -> Call[None]:
    request = build(endpoint_pb2.DeleteGatewayEndpointRequest, endpoint_id=endpoint_id)
    return Call(methods.DELETE_GATEWAY_ENDPOINT, request, _nothing)


def list_endpoints(*, provider: str | None = None, secret_id: str | None = None) -> Pages[GatewayEndpoint]:
    def page(token: str | None) -> endpoint_pb2.ListGatewayEndpointsRequest:
        return build(
            endpoint_pb2.ListGatewayEndpointsRequest,
            provider=provider,
            secret_id=secret_id,
            page_size=PAGE_SIZE,
            page_token=token,
        )

    return Pages(
        methods.LIST_GATEWAY_ENDPOINTS,
        page,
        lambda r: ([GatewayEndpoint.from_proto(item) for item in r.endpoints], r.next_page_token),
    )


def attach_model(
    endpoint_id: str, model_config: GatewayEndpointModelConfig, *, created_by: str | None = None
) -> Call[GatewayEndpointModelMapping]:
    request = build(
        endpoint_pb2.AttachModelToGatewayEndpointRequest,
        endpoint_id=endpoint_id,
        model_config=message("model_config", GatewayEndpointModelConfig, model_config),
        created_by=created_by,
    )
    return Call(
        methods.ATTACH_MODEL_TO_GATEWAY_ENDPOINT, request, lambda r: GatewayEndpointModelMapping.from_proto(r.mapping)
    )


def detach_model(endpoint_id: str, model_definition_id: str) -> Call[None]:
    request = build(
        endpoint_pb2.DetachModelFromGatewayEndpointRequest, endpoint_id=endpoint_id, model_definition_id=model_definition_id
    )
    return Call(methods.DETACH_MODEL_FROM_GATEWAY_ENDPOINT, request, _nothing)


def set_endpoint_tag(endpoint_id: str, key: str, value: str) -> Call[None]:
    request = build(endpoint_pb2.SetGatewayEndpointTagRequest, endpoint_id=endpoint_id, key=key, value=value)
    return Call(methods.SET_GATEWAY_ENDPOINT_TAG, request, _nothing)


def delete_endpoint_tag(endpoint_id: str, key: str) -> Call[None]:
    request = build(endpoint_pb2.DeleteGatewayEndpointTagRequest, endpoint_id=endpoint_id, key=key)
    return Call(methods.DELETE_GATEWAY_ENDPOINT_TAG, request, _nothing)


def create_binding(
    endpoint_id: str, resource_type: str, resource_id: str, *, created_by: str | None = None
) -> Call[GatewayEndpointBinding]:
    request = build(
        binding_pb2.CreateGatewayEndpointBindingRequest,
        endpoint_id=endpoint_id,
        resource_type=resource_type,
        resource_id=resource_id,
        created_by=created_by,
    )
    return Call(methods.CREATE_GATEWAY_ENDPOINT_BINDING, request, lambda r: GatewayEndpointBinding.from_proto(r.binding))


def delete_binding(endpoint_id: str, resource_type: str, resource_id: str) -> Call[None]:
    request = build(
        binding_pb2.DeleteGatewayEndpointBindingRequest,
        endpoint_id=endpoint_id,
        resource_type=resource_type,
        resource_id=resource_id,
    )
    return Call(methods.DELETE_GATEWAY_ENDPOINT_BINDING, request, _nothing)


def list_bindings(
    *, endpoint_id: str | None = None, resource_type: str | None = None, resource_id: str | None = None
) -> Pages[GatewayEndpointBinding]:
    def page(token: str | None) -> binding_pb2.ListGatewayEndpointBindingsRequest:
        return build(
            binding_pb2.ListGatewayEndpointBindingsRequest,
            endpoint_id=endpoint_id,
            resource_type=resource_type,
            resource_id=resource_id,
            page_size=PAGE_SIZE,
            page_token=token,
        )

    return Pages(
        methods.LIST_GATEWAY_ENDPOINT_BINDINGS,
        page,
        lambda r: ([GatewayEndpointBinding.from_proto(item) for item in r.bindings], r.next_page_token),
    )


def create_budget_policy(
    *,
    budget_unit: BudgetUnit | int,
    budget_amount: float,
    duration: BudgetDuration,
    target_scope: BudgetTargetScope | int,
    budget_action: BudgetAction | int,
    target_value: str | None = None,
    created_by: str | None = None,
) -> Call[GatewayBudgetPolicy]:
    request = build(
        budget_pb2.CreateGatewayBudgetPolicyRequest,
        budget_unit=cast("budget_pb2.BudgetUnit.ValueType | None", budget_unit),
        budget_amount=budget_amount,
        duration=message("duration", BudgetDuration, duration),
        target_scope=cast("budget_pb2.BudgetTargetScope.ValueType | None", target_scope),
        budget_action=cast("budget_pb2.BudgetAction.ValueType | None", budget_action),
        target_value=target_value,
        created_by=created_by,
    )
    return Call(methods.CREATE_GATEWAY_BUDGET_POLICY, request, lambda r: GatewayBudgetPolicy.from_proto(r.budget_policy))


def get_budget_policy(budget_policy_id: str) -> Call[GatewayBudgetPolicy]:
    request = build(budget_pb2.GetGatewayBudgetPolicyRequest, budget_policy_id=budget_policy_id)
    return Call(methods.GET_GATEWAY_BUDGET_POLICY, request, lambda r: GatewayBudgetPolicy.from_proto(r.budget_policy))


def update_budget_policy(
    budget_policy_id: str,
    *,
    budget_unit: BudgetUnit | int | None = None,
    budget_amount: float | None = None,
    duration: BudgetDuration | None = None,
    target_scope: BudgetTargetScope | int | None = None,
    budget_action: BudgetAction | int | None = None,
    target_value: str | None = None,
    updated_by: str | None = None,
    update_mask: Iterable[str] | None = None,
) -> Call[GatewayBudgetPolicy]:
    request = build(
        budget_pb2.UpdateGatewayBudgetPolicyRequest,
        budget_policy_id=budget_policy_id,
        budget_unit=cast("budget_pb2.BudgetUnit.ValueType | None", budget_unit),
        budget_amount=budget_amount,
        duration=message("duration", BudgetDuration, duration),
        target_scope=cast("budget_pb2.BudgetTargetScope.ValueType | None", target_scope),
        budget_action=cast("budget_pb2.BudgetAction.ValueType | None", budget_action),
        target_value=target_value,
        updated_by=updated_by,
        update_mask=mask(update_mask),
    )
    return Call(methods.UPDATE_GATEWAY_BUDGET_POLICY, request, lambda r: GatewayBudgetPolicy.from_proto(r.budget_policy))


def delete_budget_policy(budget_policy_id: str) -> Call[None]:
    request = build(budget_pb2.DeleteGatewayBudgetPolicyRequest, budget_policy_id=budget_policy_id)
    return Call(methods.DELETE_GATEWAY_BUDGET_POLICY, request, _nothing)


def list_budget_policies() -> Pages[GatewayBudgetPolicy]:
    def page(token: str | None) -> budget_pb2.ListGatewayBudgetPoliciesRequest:
        return build(budget_pb2.ListGatewayBudgetPoliciesRequest, max_results=PAGE_SIZE, page_token=token)

    return Pages(
        methods.LIST_GATEWAY_BUDGET_POLICIES,
        page,
        lambda r: ([GatewayBudgetPolicy.from_proto(item) for item in r.budget_policies], r.next_page_token),
    )


def list_budget_windows() -> Pages[GatewayBudgetWindow]:
    def page(token: str | None) -> budget_pb2.ListGatewayBudgetWindowsRequest:
        return build(budget_pb2.ListGatewayBudgetWindowsRequest, page_size=PAGE_SIZE, page_token=token)

    return Pages(
        methods.LIST_GATEWAY_BUDGET_WINDOWS,
        page,
        lambda r: ([GatewayBudgetWindow.from_proto(item) for item in r.windows], r.next_page_token),
    )


def record_spend(
    endpoint_id: str,
    amount_micros: int,
    *,
    request_id: str | None = None,
    workspace: str | None = None,
    user: str | None = None,
    budget_unit: BudgetUnit | int | None = None,
    occurred_at: int | None = None,
) -> Call[list[GatewayBudgetWindow]]:
    request = build(
        budget_pb2.RecordGatewaySpendRequest,
        endpoint_id=endpoint_id,
        workspace=workspace,
        user=user,
        amount_micros=amount_micros,
        budget_unit=cast("budget_pb2.BudgetUnit.ValueType | None", budget_unit),
        occurred_at=occurred_at,
        request_id=request_id,
    )
    return Call(
        methods.RECORD_GATEWAY_SPEND, request, lambda r: [GatewayBudgetWindow.from_proto(item) for item in r.windows]
    )


def check_budget(endpoint_id: str, *, workspace: str | None = None, user: str | None = None) -> Call[GatewayBudgetCheck]:
    request = build(budget_pb2.CheckGatewayBudgetRequest, endpoint_id=endpoint_id, workspace=workspace, user=user)
    return Call(methods.CHECK_GATEWAY_BUDGET, request, lambda r: GatewayBudgetCheck.from_proto(r.check))
