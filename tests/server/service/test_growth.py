"""The store grows with what is sent, not with the size of what is changed."""

from __future__ import annotations

from typing import Any

import pytest

from gatewayentities.v1 import endpoint_pb2 as pb

TAGS = 90
VALUE = "x" * 5000
LOGGED = 1000
"""Characters of a value in the change log, which tells what was before and after."""


@pytest.fixture
def tagged(gateway: Any) -> str:
    """The id of the second of two endpoints, whose many long tags were set one by one."""
    gateway.endpoint()
    endpoint_id = gateway.endpoint().endpoint_id
    for number in range(TAGS):
        gateway.do(pb.SetGatewayEndpointTagRequest(endpoint_id=endpoint_id, key=f"k{number}", value=VALUE))
    return str(endpoint_id)


def former_bytes(gateway: Any) -> int:
    return int(gateway.place.execute("SELECT sum(length(before)) FROM changes")[0][0])


def test_setting_tags_one_by_one_stores_no_more_than_was_sent(gateway: Any, tagged: str) -> None:
    assert former_bytes(gateway) < TAGS * len(VALUE) / 10
    if gateway.place.path is not None:
        gateway.store.close()
        assert gateway.place.path.stat().st_size < 2 * TAGS * (len(VALUE) + LOGGED)


@pytest.mark.parametrize("names", ["", "r"], ids=["unnamed", "named"])
def test_small_changes_of_a_large_endpoint_stay_small(gateway: Any, tagged: str, names: str) -> None:
    stored = "SELECT coalesce(sum(length(response)), 0) FROM answers"
    before = former_bytes(gateway)
    for number in range(30):
        request = pb.UpdateGatewayEndpointRequest(endpoint_id=tagged, experiment_id=str(number))
        if names:
            request.request_id = f"{names}{number}"
        gateway.do(request)
    assert former_bytes(gateway) - before < 30 * 200
    assert gateway.place.execute(stored)[0][0] < 30 * 200


def test_a_repeated_request_gets_the_large_resource_of_its_first_response(gateway: Any, tagged: str) -> None:
    requests = [
        pb.UpdateGatewayEndpointRequest(endpoint_id=tagged, experiment_id=str(number), request_id=f"r{number}")
        for number in range(5)
    ]
    responses = [gateway.do(request) for request in requests]
    assert [gateway.do(request) for request in requests] == responses, "the last one's state is the current one"
    gateway.do(pb.SetGatewayEndpointTagRequest(endpoint_id=tagged, key="k7", value="new"))
    gateway.do(pb.DeleteGatewayEndpointTagRequest(endpoint_id=tagged, key="k8"))
    assert [gateway.do(request) for request in requests] == responses
    gateway.do(pb.DeleteGatewayEndpointRequest(endpoint_id=tagged))
    assert [gateway.do(request) for request in requests] == responses
    assert all(len(response.endpoint.tags) == TAGS for response in responses)


def test_a_removed_tag_is_stored_once(gateway: Any, tagged: str) -> None:
    before = former_bytes(gateway)
    for number in range(TAGS):
        gateway.do(pb.DeleteGatewayEndpointTagRequest(endpoint_id=tagged, key=f"k{number}"))
    assert former_bytes(gateway) - before < 1.1 * TAGS * len(VALUE)


def test_a_repeated_attachment_gets_its_large_mapping(gateway: Any, tagged: str) -> None:
    definition = gateway.definition(name="n" * 250, model_name="m" * 250)
    config = {"model_definition_id": definition.model_definition_id, "linkage_type": "FALLBACK"}
    request = pb.AttachModelToGatewayEndpointRequest(
        endpoint_id=tagged, model_config=config, created_by="c" * 250, request_id="r"
    )
    assert gateway.do(request) == gateway.do(request)


@pytest.mark.parametrize("deleted", [False, True], ids=["changed", "deleted"])
def test_a_list_from_before_many_small_changes_shows_the_old_tags(gateway: Any, tagged: str, *, deleted: bool) -> None:
    whole = gateway.do(pb.ListGatewayEndpointsRequest())
    first = gateway.do(pb.ListGatewayEndpointsRequest(page_size=1))
    for number in range(TAGS):
        gateway.do(pb.SetGatewayEndpointTagRequest(endpoint_id=tagged, key=f"k{number}", value="new"))
    if deleted:
        gateway.do(pb.DeleteGatewayEndpointRequest(endpoint_id=tagged))
    second = gateway.do(pb.ListGatewayEndpointsRequest(page_token=first.next_page_token))
    assert [*first.endpoints, *second.endpoints] == list(whole.endpoints)
    assert [tag.value for tag in second.endpoints[0].tags] == [VALUE] * TAGS
