"""Rules of requests for budget policies and windows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gateway_entities.rules.bounds import MAX_CHARGE_NANOS
from gateway_entities.rules.mutation import CHANGES, CREATES
from gateway_entities.rules.stamps import ACTORS, TIMES
from gateway_entities.rules.table import Table, clearable, each, nested, optional, required, required_on_update, updates
from gateway_entities.rules.values import (
    ACTOR,
    IDENTIFIER,
    NAME,
    PAGE_SIZE,
    PAGE_TOKEN,
    anything,
    finite,
    known,
    recognized,
    text,
    whole,
)
from gateway_entities.rules.violation import Violation
from gatewayentities.v1 import budget_pb2 as pb

# 100 years in each unit, a year having 365.25 days.
_LONGEST = {
    pb.MINUTES: 36525 * 24 * 60,
    pb.HOURS: 36525 * 24,
    pb.DAYS: 36525,
    pb.WEEKS: 36525 // 7,
    pb.MONTHS: 1200,
}
SCOPES = frozenset(pb.BudgetTargetScope.values()) - {pb.TARGET_SCOPE_UNSPECIFIED}
_TARGETED: Mapping[int, str] = {pb.ENDPOINT: "ENDPOINT", pb.USER: "USER"}
TARGET_VALUE = text(0, 255)
_SPENDER = text(0, 255)


def too_long(duration: pb.BudgetDuration) -> Iterator[Violation]:
    """Limit the length of a window to 100 years."""
    longest = _LONGEST.get(duration.unit)
    if longest is not None and duration.value > longest:
        unit = pb.BudgetDurationUnit.Name(duration.unit)
        yield Violation("rules/number", "value", f"must be at most {longest} {unit} (100 years), is {duration.value}")


DURATION = nested(Table({"unit": required(known(pb.BudgetDurationUnit)), "value": required(whole(1))}, across=[too_long]))


def target_fault(scope: int, target: str | None) -> str | None:
    """Return the fault in the target of a policy of this scope; None if it is valid.

    Args:
        scope: the number of a BudgetTargetScope.
        target: the policy's target_value; empty counts as absent.
    """
    if scope in _TARGETED:
        return None if target else f"is required when target_scope is {_TARGETED[scope]}"
    return "can only be set when target_scope is ENDPOINT or USER" if target else None


def _target_on_create(request: pb.CreateGatewayBudgetPolicyRequest) -> Iterator[Violation]:
    # The rule needs a known scope.
    fault = target_fault(request.target_scope, request.target_value) if request.target_scope in SCOPES else None
    if fault is not None:
        yield Violation("across/target", "target_value", fault)


def _target_on_update(request: pb.UpdateGatewayBudgetPolicyRequest) -> Iterator[Violation]:
    # With only one of them it depends on the stored policy: the service checks that.
    written = TABLES[pb.UpdateGatewayBudgetPolicyRequest].written(request)
    if written >= {"target_scope", "target_value"} and request.target_scope in SCOPES:
        fault = target_fault(request.target_scope, request.target_value)
        if fault is not None:
            yield Violation("across/target", "target_value", fault)


TABLES = {
    pb.CreateGatewayBudgetPolicyRequest: Table(
        {
            "budget_unit": required(known(pb.BudgetUnit)),
            "budget_amount": required(finite),
            "duration": required(DURATION),
            "target_scope": required(known(pb.BudgetTargetScope)),
            "budget_action": required(known(pb.BudgetAction)),
            "created_by": optional(ACTOR),
            "target_value": optional(TARGET_VALUE),
            **CREATES,
        },
        across=[_target_on_create],
    ),
    pb.GetGatewayBudgetPolicyRequest: Table({"budget_policy_id": required(IDENTIFIER)}),
    pb.UpdateGatewayBudgetPolicyRequest: updates(
        Table(
            {
                "budget_policy_id": required(IDENTIFIER),
                "budget_unit": required_on_update(known(pb.BudgetUnit)),
                "budget_amount": required_on_update(finite),
                "duration": required_on_update(DURATION),
                "target_scope": required_on_update(known(pb.BudgetTargetScope)),
                "budget_action": required_on_update(known(pb.BudgetAction)),
                "updated_by": optional(ACTOR),
                "target_value": clearable(TARGET_VALUE),
                **CHANGES,
            },
            across=[_target_on_update],
            writes_empty=True,
        )
    ),
    pb.DeleteGatewayBudgetPolicyRequest: Table({"budget_policy_id": required(IDENTIFIER), **CHANGES}),
    pb.ListGatewayBudgetPoliciesRequest: Table(
        {"max_results": optional(whole(0, 50_000)), "page_token": optional(PAGE_TOKEN)}
    ),
    pb.ListGatewayBudgetWindowsRequest: Table({"page_size": optional(PAGE_SIZE), "page_token": optional(PAGE_TOKEN)}),
    pb.RecordGatewaySpendRequest: Table(
        {
            "endpoint_id": required(IDENTIFIER),
            "workspace": optional(_SPENDER),
            "user": optional(_SPENDER),
            "amount_nanos": required(whole(0, MAX_CHARGE_NANOS)),
            "budget_unit": required(known(pb.BudgetUnit)),
            # How far it may lie ahead depends on the clock: the service checks that.
            "occurred_at": optional(anything),
            "request_id": required(NAME),
        }
    ),
    pb.CheckGatewayBudgetRequest: Table(
        {"endpoint_id": required(IDENTIFIER), "workspace": optional(_SPENDER), "user": optional(_SPENDER)}
    ),
}


def _target(policy: pb.GatewayBudgetPolicy) -> Iterator[Violation]:
    # The rule needs a scope that this version knows.
    if policy.target_scope in SCOPES:
        fault = target_fault(policy.target_scope, policy.target_value)
        if fault is not None:
            yield Violation("across/target", "target_value", fault)


_DURATION = Table({"unit": required(recognized(pb.BudgetDurationUnit)), "value": required(whole(1))}, across=[too_long])
_POLICY = Table(
    {
        "budget_policy_id": required(IDENTIFIER),
        "budget_unit": required(recognized(pb.BudgetUnit)),
        "budget_amount": required(finite),
        "duration": required(nested(_DURATION)),
        "target_scope": required(recognized(pb.BudgetTargetScope)),
        "budget_action": required(recognized(pb.BudgetAction)),
        "target_value": optional(TARGET_VALUE),
        **TIMES,
        **ACTORS,
    },
    across=[_target],
)


def window_order(window: Any) -> Iterator[Violation]:
    """Check that a window ends after its start."""
    if window.HasField("window_end_ms") and window.window_end_ms <= window.window_start_ms:
        yield Violation("across/window", "window_end_ms", "must be after window_start_ms")


_WINDOW = Table(
    {
        "budget_policy_id": required(IDENTIFIER),
        "window_start_ms": required(anything),
        "window_end_ms": required(anything),
        "current_spend": required(finite),
    },
    across=[window_order],
)
_CHECK = Table(
    {
        "allowed": required(anything),
        "budget_policy": optional(nested(_POLICY)),
        "window": optional(nested(_WINDOW)),
        "remaining": optional(finite),
    }
)

_OVERRUN = Table({"cause": required(recognized(pb.BudgetOverrunCause)), "amount_nanos": required(whole(1))})
_BALANCE = Table(
    {
        "budget_policy_id": required(IDENTIFIER),
        "window_start_ms": required(anything),
        "window_end_ms": required(anything),
        "budget_unit": required(recognized(pb.BudgetUnit)),
        "limit_nanos": optional(whole(0)),
        "recorded_nanos": required(whole(0)),
        "reserved_nanos": required(whole(0)),
        "remaining_nanos": optional(whole(0)),
        "overrun_nanos": required(whole(0)),
        "overruns": optional(each(nested(_OVERRUN))),
        "saturated": optional(anything),
    },
    across=[window_order],
)
_ALERT = Table(
    {
        "alert_id": required(whole(1)),
        "share_percent": required(whole(1)),
        "budget_policy": required(nested(_POLICY)),
        "balance": required(nested(_BALANCE)),
        "raised_at": required(whole(0)),
    }
)

RESOURCES = {
    pb.BudgetDuration: _DURATION,
    pb.GatewayBudgetPolicy: _POLICY,
    pb.GatewayBudgetWindow: _WINDOW,
    pb.GatewayBudgetCheck: _CHECK,
    pb.GatewayBudgetOverrun: _OVERRUN,
    pb.GatewayBudgetBalance: _BALANCE,
    pb.GatewaySpendAlert: _ALERT,
}
