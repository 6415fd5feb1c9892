"""What budget policies count, for tables of their windows, which have only the ids of the policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway_entities.cli.cells import cell
from gateway_entities.entities import BudgetTargetScope

if TYPE_CHECKING:
    from gateway_entities.cli.output import Column
    from gateway_entities.client import GatewayClient
    from gateway_entities.entities import GatewayBudgetBalance, GatewayBudgetPolicy, GatewayBudgetWindow

_NONE: Final = ("-", "-")


def endpoint_names(client: GatewayClient) -> dict[str, str]:
    """Return the names of the endpoints that still exist, by id."""
    return {each.endpoint_id: each.name for each in client.iter_endpoints() if each.name}


def target_columns(client: GatewayClient, *, brief: bool) -> dict[str, Column]:
    """Return the columns of the scope and the target of a window's policy, by heading.

    Args:
        client: lists the policies, and the endpoints if there is a policy of one.
        brief: the id of an endpoint without a name is shortened.
    """
    policies = client.list_budget_policies()
    is_needed = any(each.target_scope == BudgetTargetScope.ENDPOINT for each in policies)
    found = endpoint_names(client) if is_needed else {}
    targets = {each.budget_policy_id: _target(each, found, brief=brief) for each in policies}

    # A policy may have been deleted since its windows were listed.
    def scope(window: GatewayBudgetBalance | GatewayBudgetWindow) -> str:
        return targets.get(window.budget_policy_id, _NONE)[0]

    def target(window: GatewayBudgetBalance | GatewayBudgetWindow) -> str:
        return targets.get(window.budget_policy_id, _NONE)[1]

    return {"scope": scope, "target": target}


def _target(policy: GatewayBudgetPolicy, found: dict[str, str], *, brief: bool) -> tuple[str, str]:
    value = policy.target_value
    if policy.target_scope == BudgetTargetScope.ENDPOINT and value is not None:
        value = found.get(value, value)
    return cell("target_scope", policy.target_scope), cell("target_value", value, brief=brief)
