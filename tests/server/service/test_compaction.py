"""Compaction deletes what has outlived its retention, and nothing that somebody may still need."""

from __future__ import annotations

from typing import Any

import pytest

from gateway_entities.errors import Code
from gateway_entities.server.service.writes.compaction import STEP_ROWS, Retention, compact
from gateway_entities.server.service.writes.idempotency import IDEMPOTENCY_WINDOW_MS as DAY_MS
from gateway_entities.server.store.repositories.change import Effect
from gatewayentities.v1 import budget_pb2, endpoint_pb2, secret_pb2, spend_pb2
from gatewayentities.v1.change_pb2 import ListGatewayChangesRequest
from tests.replay import stored

SHORT = Retention(0, 10**6)


def run(gateway: Any, retention: Retention) -> int:
    """Compact to the end; return the number of steps."""
    steps = 1
    while True:
        with gateway.store.write() as transaction:
            if compact(transaction, retention, transaction.now) < STEP_ROWS:
                return steps
        steps += 1
        assert steps < 1000


def revisions(gateway: Any) -> list[int]:
    return [change.revision for change in gateway.do(ListGatewayChangesRequest()).changes]


def test_changes_are_kept_by_age(gateway: Any, ticks: Any) -> None:
    for _ in range(3):
        gateway.secret()
        ticks.advance(2 * DAY_MS)
    run(gateway, Retention(5 * DAY_MS, 10**6))
    assert revisions(gateway) == [2, 3]


def test_changes_are_kept_by_number(gateway: Any, ticks: Any) -> None:
    for _ in range(5):
        gateway.secret()
    ticks.advance(2 * DAY_MS)
    run(gateway, Retention(90 * DAY_MS, 2))
    assert revisions(gateway) == [4, 5]


@pytest.mark.parametrize("retention", [Retention(0, 10**6), Retention(90 * DAY_MS, 0)], ids=["age", "number"])
def test_the_changes_of_a_day_and_the_last_change_are_always_kept(gateway: Any, ticks: Any, retention: Retention) -> None:
    for _ in range(3):
        gateway.secret()
    run(gateway, retention)
    assert revisions(gateway) == [1, 2, 3]
    ticks.advance(DAY_MS)
    run(gateway, retention)
    assert revisions(gateway) == [3]
    assert gateway.do(secret_pb2.ListGatewaySecretInfosRequest()).revision == 3
    gateway.secret()
    assert revisions(gateway) == [3, 4]


def test_a_list_of_changes_before_the_oldest_is_refused(gateway: Any, ticks: Any) -> None:
    for _ in range(5):
        gateway.secret()
    token = gateway.do(ListGatewayChangesRequest(page_size=2)).next_page_token
    ticks.advance(2 * DAY_MS)
    run(gateway, Retention(90 * DAY_MS, 2))
    for request in (
        ListGatewayChangesRequest(since_revision=0),
        ListGatewayChangesRequest(since_revision=2),
        ListGatewayChangesRequest(page_token=token),
    ):
        error = gateway.refused(request)
        assert (error.code, error.reason) == (Code.OUT_OF_RANGE, "REVISION_COMPACTED")
        assert "revision 4" in error.message
    assert [change.revision for change in gateway.do(ListGatewayChangesRequest(since_revision=3)).changes] == [4, 5]
    assert gateway.do(ListGatewayChangesRequest(since_revision=5)).changes == []
    assert gateway.do(ListGatewayChangesRequest(since_revision=9)).changes == []


def test_what_remains_is_unchanged(gateway: Any, ticks: Any) -> None:
    endpoint = gateway.endpoint()
    gateway.policy()
    for number in range(20):
        gateway.do(endpoint_pb2.SetGatewayEndpointTagRequest(endpoint_id=endpoint.endpoint_id, key="k", value=str(number)))
    etags = stored(gateway.do)
    ticks.advance(100 * DAY_MS)
    run(gateway, SHORT)
    assert len(revisions(gateway)) == 1
    assert stored(gateway.do) == etags


def test_a_list_that_was_begun_before_the_oldest_change_ends(gateway: Any, ticks: Any) -> None:
    for _ in range(3):
        gateway.secret()
    token = gateway.do(secret_pb2.ListGatewaySecretInfosRequest(page_size=1)).next_page_token
    for _ in range(3):
        gateway.secret()
    request = secret_pb2.ListGatewaySecretInfosRequest(page_size=1, page_token=token)
    run(gateway, SHORT)
    assert len(gateway.do(request).secrets) == 1
    ticks.advance(DAY_MS)
    run(gateway, SHORT)
    error = gateway.refused(request)
    assert (error.code, error.reason) == (Code.ABORTED, "PAGE_TOKEN_EXPIRED")


def test_a_request_id_works_for_a_day_and_its_response_is_then_deleted(gateway: Any, ticks: Any) -> None:
    request = secret_pb2.CreateGatewaySecretRequest(secret_name="a", secret_value={"api_key": "v"}, request_id="r")
    first = gateway.do(request)
    ticks.advance(DAY_MS - 1000)
    run(gateway, SHORT)
    assert gateway.do(request) == first
    ticks.advance(1000)
    run(gateway, SHORT)
    assert gateway.place.execute("SELECT count(*) FROM answers")[0][0] == 0


def test_charges_are_deleted_after_a_day_and_ended_windows_after_90(gateway: Any, ticks: Any) -> None:
    endpoint = gateway.endpoint()
    gateway.policy(duration={"unit": "MINUTES", "value": 1})
    gateway.do(
        budget_pb2.RecordGatewaySpendRequest(
            endpoint_id=endpoint.endpoint_id, amount_nanos=1, budget_unit="USD", request_id="r"
        )
    )
    reserve = {"endpoint_id": endpoint.endpoint_id, "amount_nanos": 100 * 10**9, "budget_unit": "USD"}
    held = [gateway.do(spend_pb2.ReserveGatewaySpendRequest(**reserve, request_id=name)).reservation for name in "ab"]
    gateway.do(spend_pb2.CommitGatewaySpendRequest(reservation_id=held[0].reservation_id, amount_nanos=100 * 10**9))
    tables = ("budget_charges", "budget_reservations", "budget_windows", "spend_alerts", "spend_days")
    counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in tables)

    def rows() -> tuple[int, ...]:
        run(gateway, SHORT)
        return tuple(gateway.place.execute(f"SELECT {counts}")[0])

    assert rows() == (1, 2, 1, 3, 1)
    ticks.advance(DAY_MS + 60_000)
    # An open reservation stays until it has been settled.
    assert rows() == (0, 1, 1, 3, 1)
    gateway.service.expire_reservations()
    ticks.advance(DAY_MS + 60_000)
    assert rows() == (0, 0, 1, 3, 1)
    ticks.advance(90 * DAY_MS)
    assert rows() == (0, 0, 0, 0, 0)


def test_a_step_is_small_and_a_change_that_is_deleted_in_part_is_not_listed(gateway: Any, ticks: Any) -> None:
    effects = [Effect("endpoint", f"e-{each}", "0" * 32, "1" * 32, b"before") for each in range(3 * STEP_ROWS)]
    with gateway.store.write() as transaction:
        transaction.changes.add("UpdateGatewayModelDefinition", None, transaction.now, effects)
    gateway.secret()
    ticks.advance(2 * DAY_MS)
    with gateway.store.write() as transaction:
        assert compact(transaction, SHORT, transaction.now) == STEP_ROWS
    left = "SELECT count(*), count(before) FROM changes WHERE revision = 1"
    assert tuple(gateway.place.execute(left)[0]) == (2 * STEP_ROWS, 2 * STEP_ROWS), "states stay as long as their changes"
    assert revisions(gateway) == [2]
    assert gateway.refused(ListGatewayChangesRequest(since_revision=0)).reason == "REVISION_COMPACTED"
    assert run(gateway, SHORT) == 3
    assert gateway.place.execute(left)[0][0] == 0
