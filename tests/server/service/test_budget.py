"""Budget policies and their windows."""

from __future__ import annotations

import re
from typing import Any

import pytest

from gateway_entities.errors import Code
from gatewayentities.v1.budget_pb2 import (
    CreateGatewayBudgetPolicyRequest,
    DeleteGatewayBudgetPolicyRequest,
    GatewayBudgetPolicy,
    GatewayBudgetWindow,
    GetGatewayBudgetPolicyRequest,
    ListGatewayBudgetPoliciesRequest,
    ListGatewayBudgetWindowsRequest,
    UpdateGatewayBudgetPolicyRequest,
)

ANY_TEXT = " naïve \u202e 🙂 '\"; -- "
NEEDED = "is required when target_scope is {}"
FORBIDDEN = "can only be set when target_scope is ENDPOINT or USER"


def get(gateway: Any, policy: GatewayBudgetPolicy) -> GatewayBudgetPolicy:
    return gateway.do(GetGatewayBudgetPolicyRequest(budget_policy_id=policy.budget_policy_id)).budget_policy


def updating(policy: GatewayBudgetPolicy, *mask: str, **changes: Any) -> UpdateGatewayBudgetPolicyRequest:
    request = UpdateGatewayBudgetPolicyRequest(budget_policy_id=policy.budget_policy_id, **changes)
    request.update_mask.paths.extend(mask)
    return request


@pytest.mark.parametrize("amount", [0.0, 0.1, 1e300])
def test_create(gateway: Any, amount: float) -> None:
    given = {
        "budget_unit": "USD",
        "budget_amount": amount,
        "duration": {"unit": "MONTHS", "value": 1200},
        "target_scope": "USER",
        "budget_action": "REJECT",
        "target_value": ANY_TEXT,
    }
    policy = gateway.policy(**given, created_by="ann")
    assert re.fullmatch("bp-[0-9a-f]{32}", policy.budget_policy_id)
    assert policy == GatewayBudgetPolicy(
        budget_policy_id=policy.budget_policy_id,
        created_at=policy.created_at,
        last_updated_at=policy.created_at,
        created_by="ann",
        last_updated_by="ann",
        **given,
    )
    assert get(gateway, policy) == policy


@pytest.mark.parametrize("target", [{}, {"target_value": ""}])
@pytest.mark.parametrize("scope", ["GLOBAL", "WORKSPACE"])
def test_absent_fields_stay_absent(gateway: Any, scope: str, target: dict[str, str]) -> None:
    policy = gateway.policy(target_scope=scope, **target)
    for name in "target_value", "created_by", "last_updated_by":
        assert not policy.HasField(name)
    assert get(gateway, policy) == policy


def test_equal_policies_may_coexist(gateway: Any) -> None:
    assert gateway.policy().budget_policy_id != gateway.policy().budget_policy_id


def test_endpoint_scope_requires_an_existing_endpoint_id(gateway: Any, not_found: Any) -> None:
    endpoint = gateway.endpoint(name="ep")
    policy = gateway.policy(target_scope="ENDPOINT", target_value=endpoint.endpoint_id)
    assert policy.target_value == endpoint.endpoint_id
    refused = CreateGatewayBudgetPolicyRequest()
    for name in "budget_unit", "budget_amount", "duration", "target_scope", "budget_action":
        getattr(refused, name).CopyFrom(policy.duration) if name == "duration" else setattr(
            refused, name, getattr(policy, name)
        )
    refused.target_value = "ep"
    not_found(gateway.refused(refused), "GatewayEndpoint not found (endpoint_id='ep')", "target_value")
    not_found(
        gateway.refused(updating(policy, target_value="ep")), "GatewayEndpoint not found (endpoint_id='ep')", "target_value"
    )
    user = gateway.policy(target_scope="USER", target_value="ep")
    moved = updating(user, target_scope="ENDPOINT", target_value="ep")
    not_found(gateway.refused(moved), "GatewayEndpoint not found (endpoint_id='ep')", "target_value")


@pytest.mark.parametrize(
    "request_type", [GetGatewayBudgetPolicyRequest, UpdateGatewayBudgetPolicyRequest, DeleteGatewayBudgetPolicyRequest]
)
def test_not_found(gateway: Any, not_found: Any, request_type: Any) -> None:
    error = gateway.refused(request_type(budget_policy_id="nope"))
    not_found(error, "BudgetPolicy not found (budget_policy_id='nope')")


def test_update_every_field(gateway: Any) -> None:
    old = gateway.policy(created_by="ann")
    changes = {
        "budget_unit": "USD",
        "budget_amount": 0.0,
        "duration": {"unit": "WEEKS", "value": 2},
        "target_scope": "USER",
        "budget_action": "REJECT",
        "target_value": "carl",
    }
    new = gateway.do(updating(old, updated_by="bob", **changes)).budget_policy
    assert new.last_updated_at > old.last_updated_at
    assert new == GatewayBudgetPolicy(
        budget_policy_id=old.budget_policy_id,
        created_at=old.created_at,
        last_updated_at=new.last_updated_at,
        created_by="ann",
        last_updated_by="bob",
        **changes,
    )
    assert get(gateway, old) == new


def test_empty_update_changes_only_the_time(gateway: Any) -> None:
    old = gateway.policy(created_by="ann", target_scope="USER", target_value="carl")
    new = gateway.do(updating(old)).budget_policy
    assert new.last_updated_at > old.last_updated_at
    old.last_updated_at = new.last_updated_at
    assert new == get(gateway, old) == old


@pytest.mark.parametrize(
    ("before", "changes", "mask", "after"),
    [
        (("USER", "carl"), {"target_scope": "USER"}, [], ("USER", "carl")),
        (("USER", "carl"), {"target_value": "dora"}, [], ("USER", "dora")),
        (("USER", "carl"), {"target_scope": "GLOBAL"}, [], ("GLOBAL", None)),
        (("USER", "carl"), {"target_scope": "GLOBAL", "target_value": ""}, [], ("GLOBAL", None)),
        (("USER", "carl"), {"target_scope": "GLOBAL"}, ["target_scope", "target_value"], ("GLOBAL", None)),
        (("USER", "carl"), {"target_scope": "GLOBAL", "target_value": "x"}, ["target_scope"], ("GLOBAL", None)),
        (("USER", "carl"), {"target_value": ""}, ["budget_amount"], None),
        (("USER", "carl"), {"target_value": "x", "budget_amount": 1.0}, ["budget_amount"], ("USER", "carl")),
        (("USER", "carl"), {"target_scope": "ENDPOINT"}, [], NEEDED.format("ENDPOINT")),
        (("USER", "carl"), {"target_value": ""}, [], NEEDED.format("USER")),
        (("USER", "carl"), {}, ["target_value"], NEEDED.format("USER")),
        (("USER", "carl"), {"target_scope": "WORKSPACE", "target_value": "x"}, [], FORBIDDEN),
        (("GLOBAL", None), {"target_scope": "WORKSPACE"}, [], ("WORKSPACE", None)),
        (("GLOBAL", None), {"target_value": ""}, [], ("GLOBAL", None)),
        (("GLOBAL", None), {}, ["target_value"], ("GLOBAL", None)),
        (("GLOBAL", None), {"target_value": "x"}, [], FORBIDDEN),
        (("GLOBAL", None), {"target_scope": "USER"}, [], NEEDED.format("USER")),
        (("GLOBAL", None), {"target_scope": "USER", "target_value": "x"}, ["target_scope"], NEEDED.format("USER")),
        (("GLOBAL", None), {"target_scope": "USER", "target_value": "x"}, [], ("USER", "x")),
    ],
)
def test_scope_and_target_must_match(gateway: Any, before: Any, changes: Any, mask: list[str], after: Any) -> None:
    old = gateway.policy(target_scope=before[0], target_value=before[1])
    request = updating(old, *mask, **changes)
    if isinstance(after, tuple):
        new = gateway.do(request).budget_policy
        assert new == get(gateway, old)
        old.target_scope, old.last_updated_at, old.budget_amount = new.target_scope, new.last_updated_at, new.budget_amount
        old.ClearField("target_value")
        expected = GatewayBudgetPolicy(target_scope=after[0], target_value=after[1])
        old.MergeFrom(expected)
        assert new == old
    else:
        error = gateway.refused(request)
        assert error.code is Code.INVALID_ARGUMENT
        expected_fault = ("budget_amount", "is named") if after is None else ("target_value", after)
        ((field, description),) = error.field_violations
        assert (field, description[: len(expected_fault[1])]) == expected_fault
        assert get(gateway, old) == old


def test_update_to_another_endpoint(gateway: Any) -> None:
    one, two = gateway.endpoint().endpoint_id, gateway.endpoint().endpoint_id
    policy = gateway.policy(target_scope="ENDPOINT", target_value=one)
    assert gateway.do(updating(policy, target_value=two)).budget_policy.target_value == two


def test_delete(gateway: Any) -> None:
    policy, remaining = gateway.policy(), gateway.policy()
    gateway.do(DeleteGatewayBudgetPolicyRequest(budget_policy_id=policy.budget_policy_id))
    assert gateway.do(ListGatewayBudgetPoliciesRequest()).budget_policies == [remaining]


def test_lists_current_windows_in_the_order_of_policies(gateway: Any) -> None:
    durations = [("MONTHS", 1), ("MINUTES", 7), ("WEEKS", 1)]
    policies = [gateway.policy(duration={"unit": unit, "value": value}) for unit, value in durations]
    # The clock starts at 2027-01-15T08:00Z, a Friday.
    bounds = [
        (1_798_761_600_000, 1_801_440_000_000),
        (1_799_999_880_000, 1_800_000_300_000),
        (1_799_539_200_000, 1_800_144_000_000),
    ]
    windows = gateway.do(ListGatewayBudgetWindowsRequest()).windows
    assert windows == [
        GatewayBudgetWindow(
            budget_policy_id=policy.budget_policy_id, window_start_ms=start, window_end_ms=end, current_spend=0.0
        )
        for policy, (start, end) in zip(policies, bounds, strict=True)
    ]
    assert all(window.HasField("current_spend") for window in windows)


def test_default_page_size_is_1000(gateway: Any) -> None:
    policy = gateway.policy()
    with gateway.store.read() as transaction:
        stored = transaction.budget_policies.get(policy.budget_policy_id)
    with gateway.store.write() as transaction:
        for number in range(1, 1002):
            stored.budget_policy_id = f"bp-{number:04}"
            transaction.budget_policies.add(stored)
    for max_results, expected in (None, 1000), (0, 1000), (1, 1), (1001, 1001), (50_000, 1002):
        page = gateway.do(ListGatewayBudgetPoliciesRequest(max_results=max_results))
        assert (len(page.budget_policies), page.HasField("next_page_token")) == (expected, expected < 1002)
    assert len(gateway.do(ListGatewayBudgetWindowsRequest()).windows) == 1000


def test_negative_zero_is_stored_as_zero(gateway: Any) -> None:
    """SQLite drops the sign and PostgreSQL keeps it, which would give different etags."""
    policy = gateway.policy(budget_amount=-0.0)
    assert str(policy.budget_amount) == "0.0"
    assert policy == gateway.do(GetGatewayBudgetPolicyRequest(budget_policy_id=policy.budget_policy_id)).budget_policy
    endpoint = gateway.endpoint(gateway.config(weight=1), gateway.config(weight=-0.0))
    assert [str(mapping.weight) for mapping in endpoint.model_mappings] == ["1.0", "0.0"]
    assert endpoint == gateway.read_endpoint(endpoint.endpoint_id)
