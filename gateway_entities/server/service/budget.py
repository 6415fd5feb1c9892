"""The handlers of BudgetService."""

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
from gateway_entities.server.service.base import Handlers, new_id, now_ms, unsigned
from gateway_entities.server.service.errors import not_found
from gateway_entities.server.service.mutation import Change, changes, etag_of
from gateway_entities.server.service.paging import Page
from gateway_entities.server.service.spend import shown_window
from gatewayentities.v1 import budget_pb2 as pb

if TYPE_CHECKING:
    from gateway_entities.server.store import Transaction

_DEFAULT_MAX_RESULTS = 1000


class BudgetHandlers(Handlers):
    """The handlers of BudgetService. Errors: those that the contract lists, and UNAVAILABLE from the store."""

    @changes
    def create_gateway_budget_policy(
        self, change: Change, request: pb.CreateGatewayBudgetPolicyRequest
    ) -> pb.CreateGatewayBudgetPolicyResponse:
        """Store a new policy and return it."""
        policy = GatewayBudgetPolicy(
            budget_policy_id=new_id("bp"),
            budget_unit=BudgetUnit(request.budget_unit),
            budget_amount=unsigned(request.budget_amount),
            duration=_duration(request.duration),
            target_scope=BudgetTargetScope(request.target_scope),
            budget_action=BudgetAction(request.budget_action),
            created_at=change.now,
            last_updated_at=change.now,
            created_by=change.actor,
            last_updated_by=change.actor,
            target_value=request.target_value or None,
        )
        _refuse_unknown_endpoint(change.transaction, policy)
        change.transaction.budget_policies.add(policy)
        return pb.CreateGatewayBudgetPolicyResponse(budget_policy=change.end(policy))

    def get_gateway_budget_policy(self, request: pb.GetGatewayBudgetPolicyRequest) -> pb.GetGatewayBudgetPolicyResponse:
        """Return the policy that the request names."""
        validate(request)
        with self.store.read() as transaction:
            revision = transaction.changes.last()
            policy = _existing_policy(transaction, request.budget_policy_id)
        found = policy.to_proto()
        return pb.GetGatewayBudgetPolicyResponse(budget_policy=found, etag=etag_of(found), revision=revision)

    @changes
    def update_gateway_budget_policy(
        self, change: Change, request: pb.UpdateGatewayBudgetPolicyRequest
    ) -> pb.UpdateGatewayBudgetPolicyResponse:
        """Change the given fields of a policy."""
        written = written_fields(request)
        policy = _existing_policy(change.transaction, request.budget_policy_id)
        change.begin(policy)
        counted = _what_counts(policy)
        if "budget_unit" in written:
            policy.budget_unit = BudgetUnit(request.budget_unit)
        if "budget_amount" in written:
            policy.budget_amount = unsigned(request.budget_amount)
        if "duration" in written:
            policy.duration = _duration(request.duration)
        if "budget_action" in written:
            policy.budget_action = BudgetAction(request.budget_action)
        if not written.isdisjoint({"target_scope", "target_value"}):
            _retarget(policy, request, written)
            _refuse_unknown_endpoint(change.transaction, policy)
        if change.actor is not None:
            policy.last_updated_by = change.actor
        policy.last_updated_at = change.now
        change.transaction.budget_policies.update(policy)
        if _what_counts(policy) != counted:
            change.transaction.budget_spend.remove(policy.budget_policy_id)
        return pb.UpdateGatewayBudgetPolicyResponse(budget_policy=change.end(policy))

    @changes
    def delete_gateway_budget_policy(
        self, change: Change, request: pb.DeleteGatewayBudgetPolicyRequest
    ) -> pb.DeleteGatewayBudgetPolicyResponse:
        """Remove a policy."""
        policy = _existing_policy(change.transaction, request.budget_policy_id)
        change.begin(policy)
        change.transaction.budget_policies.remove(policy.budget_policy_id)
        return pb.DeleteGatewayBudgetPolicyResponse()

    def list_gateway_budget_policies(
        self, request: pb.ListGatewayBudgetPoliciesRequest
    ) -> pb.ListGatewayBudgetPoliciesResponse:
        """Return a page of policies."""
        validate(request)
        page = Page[tuple[int, str]]("budget_policies", 1, request.max_results or _DEFAULT_MAX_RESULTS, request.page_token)
        with self.store.read() as transaction:
            part = page.read(
                transaction,
                GatewayBudgetPolicy,
                _key,
                lambda after, limit: transaction.budget_policies.list(after=after, limit=limit),
                lambda _policy: True,
            )
        response = pb.ListGatewayBudgetPoliciesResponse()
        part.fill(response, response.budget_policies)
        return response

    def list_gateway_budget_windows(
        self, request: pb.ListGatewayBudgetWindowsRequest
    ) -> pb.ListGatewayBudgetWindowsResponse:
        """Return a page of the windows that the policies are in now."""
        validate(request)
        page = Page[tuple[int, str]]("budget_windows", 1, request.page_size, request.page_token)
        now = now_ms()
        with self.store.read() as transaction:
            part = page.around(
                lambda after, limit: transaction.budget_spend.list(now, after=after, limit=limit),
                lambda spend: _key(spend.policy),
            )
        response = pb.ListGatewayBudgetWindowsResponse()
        part.fill(response, response.windows, lambda spend: shown_window(spend, now))
        return response


def _existing_policy(transaction: Transaction, budget_policy_id: str) -> GatewayBudgetPolicy:
    policy = transaction.budget_policies.get(budget_policy_id)
    if policy is None:
        raise not_found("BudgetPolicy", {"budget_policy_id": budget_policy_id})
    return policy


def _retarget(policy: GatewayBudgetPolicy, request: pb.UpdateGatewayBudgetPolicyRequest, written: frozenset[str]) -> None:
    """Write scope and target. A new scope drops the old target; what remains has to fit together."""
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


def _refuse_unknown_endpoint(transaction: Transaction, policy: GatewayBudgetPolicy) -> None:
    target = policy.target_value
    if policy.target_scope == BudgetTargetScope.ENDPOINT and target is not None and not transaction.endpoints.exists(target):
        violation = FieldViolation("target_value", "must be the id of an existing endpoint")
        raise not_found("GatewayEndpoint", {"endpoint_id": target}, [violation])


def _duration(sent: pb.BudgetDuration) -> BudgetDuration:
    return BudgetDuration(unit=BudgetDurationUnit(sent.unit), value=sent.value)


def _what_counts(policy: GatewayBudgetPolicy) -> tuple[object, ...]:
    """Return what decides which spending a policy counts, and in which windows."""
    duration = policy.duration
    return policy.budget_unit, duration.unit, duration.value, policy.target_scope, policy.target_value


def _key(policy: GatewayBudgetPolicy) -> tuple[int, str]:
    return policy.created_at, policy.budget_policy_id
