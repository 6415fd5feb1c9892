"""Calls of the ledger, for the live lifecycle: reservations, their ends, a full budget, a correction, alerts and reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway_entities import methods as m
from gateway_entities.errors import Code

if TYPE_CHECKING:
    from tests.interop.lifecycle import Lifecycle

LIMIT = 2**53 + 2**10
"""In nano-units: more than a double, and so a language's number, can count by ones."""


def spending(run: Lifecycle, endpoint: str) -> None:
    """Reserve, extend, commit and release on an endpoint with a policy of its own, up to the limit and beyond."""
    policy = _policy(run, endpoint)
    _reservations(run, endpoint)
    _correction(run, policy)
    _reports(run, policy, endpoint)
    _errors(run, policy)
    run.write(m.DELETE_GATEWAY_BUDGET_POLICY, m.DELETE_GATEWAY_BUDGET_POLICY.request_type(budget_policy_id=policy))


def _policy(run: Lifecycle, endpoint: str) -> str:
    create = m.CREATE_GATEWAY_BUDGET_POLICY
    request = create.request_type(
        budget_unit="USD",
        budget_amount=LIMIT / 10**9,
        duration={"unit": "MONTHS", "value": 12},
        target_scope="ENDPOINT",
        target_value=endpoint,
        budget_action="REJECT",
    )
    policy: str = run.write(create, request).budget_policy.budget_policy_id
    return policy


def _reservations(run: Lifecycle, endpoint: str) -> None:
    reserve, commit = m.RESERVE_GATEWAY_SPEND, m.COMMIT_GATEWAY_SPEND
    release, extend = m.RELEASE_GATEWAY_SPEND, m.EXTEND_GATEWAY_SPEND
    first = _reserve(endpoint, f"{run.name} first", 10**15, user="\U0001f600")
    reserved = run.read(reserve, first).reservation
    extended = run.write(extend, extend.request_type(reservation_id=reserved.reservation_id, ttl_ms=86_400_000))
    repeated = run.read(reserve, first).reservation
    if extended.reservation != repeated:
        run.fault(extend, first, f"what a repeat returns: {repeated}", str(extended.reservation))
    run.read(commit, commit.request_type(reservation_id=reserved.reservation_id, amount_nanos=10**15 - 1))
    run.read(reserve, first)

    second = run.read(reserve, _reserve(endpoint, f"{run.name} second", 1)).reservation
    run.read(release, release.request_type(reservation_id=second.reservation_id))
    settled = commit.request_type(reservation_id=second.reservation_id, amount_nanos=1)
    run.error(commit, settled, Code.FAILED_PRECONDITION)


def _correction(run: Lifecycle, policy: str) -> None:
    adjust = m.ADJUST_GATEWAY_SPEND
    reason = "invoice \u2116 7"
    # Its response has the alerts of all shares, and the largest integers.
    correction = adjust.request_type(
        budget_policy_id=policy, recorded_nanos=2**63 - 1, reason=reason, request_id=f"most {run.name}"
    )
    run.read(adjust, correction)
    correction = adjust.request_type(
        budget_policy_id=policy, amount_nanos=-(2**62), reason=reason, request_id=f"less {run.name}"
    )
    run.read(adjust, correction)


def _reports(run: Lifecycle, policy: str, endpoint: str) -> None:
    refused = _reserve(endpoint, f"{run.name} refused", 0)
    run.read(m.RESERVE_GATEWAY_SPEND, refused)
    run.read(m.CHECK_GATEWAY_BUDGET, m.CHECK_GATEWAY_BUDGET.request_type(endpoint_id=endpoint))
    balances, report = m.LIST_GATEWAY_BUDGET_BALANCES, m.LIST_GATEWAY_SPEND
    run.read(balances, balances.request_type(budget_policy_id=policy))
    run.read(balances, balances.request_type(ended_since=0))
    run.read(report, report.request_type(endpoint_id=endpoint))
    run.read(
        report,
        report.request_type(
            group_by=["GATEWAY_SPEND_GROUPING_USER", "GATEWAY_SPEND_GROUPING_DAY"], since_ms=0, endpoint_id=endpoint, user=""
        ),
    )


def _errors(run: Lifecycle, policy: str) -> None:
    reserve, adjust = m.RESERVE_GATEWAY_SPEND, m.ADJUST_GATEWAY_SPEND
    run.error(reserve, _reserve("e-none", run.name, 1), Code.NOT_FOUND)
    for method in (m.COMMIT_GATEWAY_SPEND, m.RELEASE_GATEWAY_SPEND, m.EXTEND_GATEWAY_SPEND):
        run.error(method, method.request_type(), Code.INVALID_ARGUMENT)
    below = adjust.request_type(budget_policy_id=policy, amount_nanos=-(2**63), reason="r")
    run.error(adjust, below, Code.FAILED_PRECONDITION)
    run.error(m.LIST_GATEWAY_SPEND, m.LIST_GATEWAY_SPEND.request_type(group_by=[9]), Code.INVALID_ARGUMENT)


def _reserve(endpoint: str, request_id: str, nanos: int, user: str | None = None) -> Any:
    request: Any = m.RESERVE_GATEWAY_SPEND.request_type
    return request(endpoint_id=endpoint, user=user, amount_nanos=nanos, budget_unit="USD", request_id=request_id)
