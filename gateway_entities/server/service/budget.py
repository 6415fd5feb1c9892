"""BudgetService, without its RPCs for spending."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway_entities.entities import (
    BudgetAction,
    BudgetDuration,
    BudgetDurationUnit,
    BudgetTargetScope,
    BudgetUnit,
    GatewayBudgetPolicy,
)
from gateway_entities.errors import FieldViolation, GatewayError
from gateway_entities.rules import target_fault, validate, written_fields
from gateway_entities.server.service.base import new_id, positive_zero
from gateway_entities.server.service.errors import not_found
from gateway_entities.server.service.lists.paging import PageRequest
from gateway_entities.server.service.spending.ledger import LedgerService
from gateway_entities.server.service.spending.spend import window_of
from gateway_entities.server.service.writes.mutation import Mutation, etag_of, mutation
from gatewayentities.v1 import budget_pb2 as pb

if TYPE_CHECKING:
    from gateway_entities.server.store import Transaction


class BudgetService(LedgerService):
    """The RPCs of BudgetService for policies and windows. Errors: as the contract lists, and UNAVAILABLE from the store."""

    @mutation
    def create_gateway_budget_policy(
        self, mutation: Mutation, request: pb.CreateGatewayBudgetPolicyRequest
    ) -> pb.CreateGatewayBudgetPolicyResponse:
        """Create a policy."""
        policy = GatewayBudgetPolicy(
            budget_policy_id=new_id("bp"),
            budget_unit=BudgetUnit(request.budget_unit),
            budget_amount=positive_zero(request.budget_amount),
            duration=_duration(request.duration),
            target_scope=BudgetTargetScope(request.target_scope),
            budget_action=BudgetAction(request.budget_action),
            created_at=mutation.now,
            last_updated_at=mutation.now,
            created_by=mutation.actor,
            last_updated_by=mutation.actor,
            target_value=request.target_value or None,
        )
        _require_endpoint(mutation.transaction, policy)
        mutation.transaction.budget_policies.add(policy)
        return pb.CreateGatewayBudgetPolicyResponse(budget_policy=mutation.result(policy))

    def get_gateway_budget_policy(self, request: pb.GetGatewayBudgetPolicyRequest) -> pb.GetGatewayBudgetPolicyResponse:
        """Return a policy by id."""
        validate(request)
        with self.read() as transaction:
            revision = transaction.changes.last()
            policy = existing_policy(transaction, request.budget_policy_id)
        found = policy.to_proto()
        return pb.GetGatewayBudgetPolicyResponse(budget_policy=found, etag=etag_of(found), revision=revision)

    @mutation
    def update_gateway_budget_policy(
        self, mutation: Mutation, request: pb.UpdateGatewayBudgetPolicyRequest
    ) -> pb.UpdateGatewayBudgetPolicyResponse:
        """Update the given fields of a policy; its counters restart when unit, duration, scope or target change."""
        written = written_fields(request)
        policy = mutation.load(existing_policy(mutation.transaction, request.budget_policy_id))
        counted = _counting_fields(policy)
        if "budget_unit" in written:
            policy.budget_unit = BudgetUnit(request.budget_unit)
        if "budget_amount" in written:
            policy.budget_amount = positive_zero(request.budget_amount)
        if "duration" in written:
            policy.duration = _duration(request.duration)
        if "budget_action" in written:
            policy.budget_action = BudgetAction(request.budget_action)
        if not written.isdisjoint({"target_scope", "target_value"}):
            _retarget(policy, request, written)
            _require_endpoint(mutation.transaction, policy)
        if mutation.actor is not None:
            policy.last_updated_by = mutation.actor
        policy.last_updated_at = mutation.now
        mutation.transaction.budget_policies.update(policy)
        if _counting_fields(policy) != counted:
            mutation.transaction.budget_spend.remove(policy.budget_policy_id)
        else:
            self.ledger(mutation.transaction).relimit(policy)
        return pb.UpdateGatewayBudgetPolicyResponse(budget_policy=mutation.result(policy))

    @mutation
    def delete_gateway_budget_policy(
        self, mutation: Mutation, request: pb.DeleteGatewayBudgetPolicyRequest
    ) -> pb.DeleteGatewayBudgetPolicyResponse:
        """Delete a policy."""
        policy = mutation.load(existing_policy(mutation.transaction, request.budget_policy_id))
        mutation.transaction.budget_policies.remove(policy.budget_policy_id)
        return pb.DeleteGatewayBudgetPolicyResponse()

    def list_gateway_budget_policies(
        self, request: pb.ListGatewayBudgetPoliciesRequest
    ) -> pb.ListGatewayBudgetPoliciesResponse:
        """Return a page of policies."""
        validate(request)
        page_request = PageRequest[tuple[int, str]]("budget_policies", 1, request.max_results, request.page_token)
        with self.read() as transaction:
            page = page_request.read(
                transaction,
                GatewayBudgetPolicy,
                _key,
                transaction.budget_policies.list,
                filters={},
                matches=lambda _policy: True,
            )
        response = pb.ListGatewayBudgetPoliciesResponse()
        page.fill(response, response.budget_policies)
        return response

    def list_gateway_budget_windows(
        self, request: pb.ListGatewayBudgetWindowsRequest
    ) -> pb.ListGatewayBudgetWindowsResponse:
        """Return a page of the current windows of all policies."""
        validate(request)
        page_request = PageRequest[tuple[int, str]]("budget_windows", 1, request.page_size, request.page_token)
        with self.read() as transaction:
            now = transaction.now
            page = page_request.read_current(
                transaction,
                lambda after, limit: transaction.budget_spend.list(now, after=after, limit=limit),
                lambda spend: _key(spend.policy),
            )
        response = pb.ListGatewayBudgetWindowsResponse()
        page.fill(response, response.windows, lambda spend: window_of(spend, now))
        return response


def existing_policy(transaction: Transaction, budget_policy_id: str) -> GatewayBudgetPolicy:
    """Return a policy.

    Raises:
        GatewayError: NOT_FOUND; it does not exist.
    """
    policy = transaction.budget_policies.get(budget_policy_id)
    if policy is None:
        raise not_found("BudgetPolicy", {"budget_policy_id": budget_policy_id})
    return policy


def _retarget(policy: GatewayBudgetPolicy, request: pb.UpdateGatewayBudgetPolicyRequest, written: frozenset[str]) -> None:
    """Update scope and target. A new scope without a new target clears the target."""
    old_scope = policy.target_scope
    if "target_scope" in written:
        policy.target_scope = BudgetTargetScope(request.target_scope)
    if "target_value" in written:
        policy.target_value = request.target_value or None
    elif policy.target_scope != old_scope:
        policy.target_value = None
    fault = target_fault(policy.target_scope, policy.target_value)
    if fault is not None:
        raise GatewayError.invalid([FieldViolation("target_value", fault)])


def _require_endpoint(transaction: Transaction, policy: GatewayBudgetPolicy) -> None:
    target = policy.target_value
    if policy.target_scope == BudgetTargetScope.ENDPOINT and target is not None and not transaction.endpoints.exists(target):
        violation = FieldViolation("target_value", "must be the id of an existing endpoint")
        raise not_found("GatewayEndpoint", {"endpoint_id": target}, [violation])


def _duration(sent: pb.BudgetDuration) -> BudgetDuration:
    return BudgetDuration(unit=BudgetDurationUnit(sent.unit), value=sent.value)


def _counting_fields(policy: GatewayBudgetPolicy) -> tuple[object, ...]:
    """Return the fields that decide which spending a policy counts, and in which windows."""
    duration = policy.duration
    return policy.budget_unit, duration.unit, duration.value, policy.target_scope, policy.target_value


def _key(policy: GatewayBudgetPolicy) -> tuple[int, str]:
    return policy.created_at, policy.budget_policy_id
