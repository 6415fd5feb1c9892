"""Pages of the change log: no response is larger than a page, however many effects a change has."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from gateway_entities.entities import GatewayChange, GatewayChangeEffect
from gateway_entities.errors import Code
from gateway_entities.server.service.lists.paging import PAGE_BYTES
from gateway_entities.server.store.repositories.change import MAX_EFFECTS, Effect
from gatewayentities.v1.change_pb2 import ListGatewayChangesRequest, ListGatewayChangesResponse
from gatewayentities.v1.secret_pb2 import ListGatewaySecretInfosRequest
from tests import profiles

LARGE = profiles.whole(50_001, 20_001)


def record(gateway: Any, *counts: int) -> None:
    """Append mutations with so many effects each."""
    with gateway.store.write() as transaction:
        for count in counts:
            effects = [Effect("endpoint", f"e-{each:032}", "0" * 32, "1" * 32, None) for each in range(count)]
            transaction.changes.add("UpdateGatewayModelDefinition", "ann", 7, effects)


def pages(gateway: Any, **fields: Any) -> list[ListGatewayChangesResponse]:
    found, token = [], ""
    while not found or token:
        found.append(gateway.do(ListGatewayChangesRequest(page_token=token, **fields)))
        token = found[-1].next_page_token
        assert len(found) < 20
    return found


def joined(found: list[ListGatewayChangesResponse]) -> list[GatewayChange]:
    changes: list[GatewayChange] = []
    for change in (GatewayChange.from_proto(change) for page in found for change in page.changes):
        if changes and changes[-1].revision == change.revision:
            assert change.change == changes[-1].change
            changes[-1].effects += change.effects
        else:
            changes.append(change)
    return changes


def test_a_change_of_many_effects_comes_in_parts(gateway: Any) -> None:
    record(gateway, 2, LARGE, 3)
    found = pages(gateway)
    assert all(page.ByteSize() <= PAGE_BYTES and page.revision == 3 for page in found)
    assert len(found) < 6
    small, large, last = joined(found)
    ids = [f"e-{each:032}" for each in range(LARGE)]
    assert [effect.id for effect in (large.change, *large.effects)] == ids
    assert large.change == GatewayChangeEffect("endpoint", ids[0], "0" * 32, "1" * 32)
    assert (large.actor, large.rpc, large.changed_at) == ("ann", "UpdateGatewayModelDefinition", 7)
    assert (len(small.effects), len(last.effects)) == (1, 2)


def test_a_caller_without_tokens_gets_past_a_large_change(gateway: Any) -> None:
    record(gateway, LARGE, 1)
    first = gateway.do(ListGatewayChangesRequest(since_revision=0))
    assert [change.revision for change in first.changes] == [1]
    assert [change.revision for change in gateway.do(ListGatewayChangesRequest(since_revision=1)).changes] == [2]


@pytest.mark.parametrize("counts", [(MAX_EFFECTS,), (MAX_EFFECTS + 1,), (1, MAX_EFFECTS), (MAX_EFFECTS - 1, 1, 2)])
def test_no_effect_is_lost_at_the_limit_of_a_query(gateway: Any, counts: tuple[int, ...]) -> None:
    record(gateway, *counts)
    assert [1 + len(change.effects) for change in joined(pages(gateway))] == list(counts)


def test_pages_have_at_most_page_size_changes(gateway: Any) -> None:
    record(gateway, *[1] * 7)
    sizes = [[change.revision for change in page.changes] for page in pages(gateway, page_size=3, since_revision=1)]
    assert sizes == [[2, 3, 4], [5, 6, 7]]


def test_a_new_store_has_one_empty_page(gateway: Any) -> None:
    assert [len(page.changes) for page in pages(gateway)] == [0]
    assert gateway.do(ListGatewayChangesRequest(since_revision=5)).changes == []


@pytest.mark.parametrize("token", ["x", "2", "1-1", "0"])
def test_a_page_token_that_the_server_did_not_create_is_invalid(gateway: Any, token: str) -> None:
    record(gateway, 3, 1, 1)
    error = gateway.refused(ListGatewayChangesRequest(page_token=token))
    assert (error.code, [each.field for each in error.field_violations]) == (Code.INVALID_ARGUMENT, ["page_token"])


def test_a_forged_page_token_is_invalid(gateway: Any) -> None:
    record(gateway, *[1] * 4)
    token = gateway.do(ListGatewayChangesRequest(page_size=2)).next_page_token
    data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    assert data.endswith(b":changes:2:-1")
    for end in (b":changes:1:-1", b":changes:2:0", b":changes:3:-1"):
        forged = base64.urlsafe_b64encode(data.removesuffix(b":changes:2:-1") + end).decode().rstrip("=")
        error = gateway.refused(ListGatewayChangesRequest(page_token=forged))
        assert (error.code, [each.field for each in error.field_violations]) == (Code.INVALID_ARGUMENT, ["page_token"])
    assert [each.revision for each in gateway.do(ListGatewayChangesRequest(page_token=token)).changes] == [3, 4]


def test_a_page_token_of_another_list_is_invalid(gateway: Any) -> None:
    for _ in range(2):
        gateway.secret()
    token = gateway.do(ListGatewaySecretInfosRequest(page_size=1)).next_page_token
    assert gateway.refused(ListGatewayChangesRequest(page_token=token)).code is Code.INVALID_ARGUMENT
    token = gateway.do(ListGatewayChangesRequest(page_size=1)).next_page_token
    assert gateway.refused(ListGatewaySecretInfosRequest(page_token=token)).code is Code.INVALID_ARGUMENT


def test_a_page_token_of_another_or_an_older_store_is_out_of_range(gateway: Any) -> None:
    record(gateway, *[1] * 3)
    token = gateway.do(ListGatewayChangesRequest(page_size=2)).next_page_token
    for change in ("last_revision = 1", "store_id = 'another'"):
        gateway.place.execute(f"UPDATE store_state SET {change}")
        error = gateway.refused(ListGatewayChangesRequest(page_token=token))
        assert (error.code, error.reason) == (Code.OUT_OF_RANGE, "STORE_CHANGED")
