"""The operations on spending, without the I/O."""

from __future__ import annotations

from typing import cast

from gateway_entities import methods
from gateway_entities.client._messages import build
from gateway_entities.client._operation import Call
from gateway_entities.entities import (
    BudgetUnit,
    GatewayBudgetCheck,
    GatewayBudgetWindow,
)
from gatewayentities.v1 import budget_pb2


def record_spend(
    endpoint_id: str,
    amount_nanos: int,
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
        amount_nanos=amount_nanos,
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
