"""The operations on budget policies and their windows, without the I/O."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from gateway_entities import methods
from gateway_entities.client._messages import build, mask, message
from gateway_entities.client._operation import PAGE_SIZE, Call, Pages, nothing
from gateway_entities.entities import (
    BudgetAction,
    BudgetDuration,
    BudgetTargetScope,
    BudgetUnit,
    GatewayBudgetPolicy,
    GatewayBudgetWindow,
)
from gatewayentities.v1 import budget_pb2


def create_budget_policy(
    *,
    budget_unit: BudgetUnit | int,
    budget_amount: float,
    duration: BudgetDuration,
    target_scope: BudgetTargetScope | int,
    budget_action: BudgetAction | int,
    target_value: str | None = None,
    created_by: str | None = None,
    request_id: str | None = None,
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
        request_id=request_id,
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
    etag: str | None = None,
    request_id: str | None = None,
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
        etag=etag,
        request_id=request_id,
    )
    return Call(methods.UPDATE_GATEWAY_BUDGET_POLICY, request, lambda r: GatewayBudgetPolicy.from_proto(r.budget_policy))


def delete_budget_policy(
    budget_policy_id: str,
    *,
    etag: str | None = None,
    request_id: str | None = None,
) -> Call[None]:
    request = build(
        budget_pb2.DeleteGatewayBudgetPolicyRequest,
        budget_policy_id=budget_policy_id,
        etag=etag,
        request_id=request_id,
    )
    return Call(methods.DELETE_GATEWAY_BUDGET_POLICY, request, nothing)


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
