"""A list is a page, at most 1,000 entries and 2 MiB, over gRPC and Connect; MLflow's dialect gets it whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.message import Message

from gateway_entities import GatewayClient, GatewayEndpoint, GatewayEndpointBinding, GatewayEndpointTag
from gateway_entities.methods import Method
from gateway_entities.server.http import mlflow_rest
from gateway_entities.server.server import Server
from gateway_entities.server.service.lists.paging import PAGE_BYTES, PAGE_ITEMS
from gateway_entities.server.store.repositories.change import Effect
from gatewayentities.v1.binding_pb2 import ListGatewayEndpointBindingsRequest
from gatewayentities.v1.change_pb2 import ListGatewayChangesRequest
from gatewayentities.v1.endpoint_pb2 import ListGatewayEndpointsRequest
from tests.mutations import METHOD_OF
from tests.server.raw import call, channel, post_json, post_proto, request
from tests.stores import KINDS, postgresql_place, serving, sqlite_place

BINDINGS = PAGE_ITEMS + 1
ENDPOINTS = 30
"""Of about 100 kB each, so that 20 of them fill a page."""
CHANGES = 30
"""Likewise, but for the last one."""
LARGE = 40_000
"""Number of effects of the last change, of more than 4 MiB."""

List = Callable[[Message], Any]


@pytest.fixture(params=KINDS, scope="module")
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("lists")
    if request.param == "postgresql":
        with (
            postgresql_place(request.getfixturevalue("postgresql"), folder / "key", with_tables=True) as place,
            serving(place) as server,
        ):
            fill(place)
            yield server
    else:
        place = sqlite_place(folder / "store.sqlite")
        with serving(place) as server:
            fill(place)
            yield server


def fill(place: Any) -> None:
    """Write past the service: one transaction is much faster than a call for each."""
    store = place.open()
    with store.write() as transaction:
        for number in range(ENDPOINTS):
            tags = [GatewayEndpointTag(f"t{tag}", "x" * 5000) for tag in range(20)]
            transaction.endpoints.add(GatewayEndpoint(f"e-{number:04}", f"ep-{number}", number, number, tags=tags))
        for number in range(BINDINGS):
            transaction.bindings.add(GatewayEndpointBinding("e-0000", "scorer", f"r-{number}", number, number))
        for number in range(CHANGES):
            count = LARGE if number == CHANGES - 1 else 1000
            effects = [Effect("endpoint", f"e-{each:032}", "0" * 32, "1" * 32, None) for each in range(count)]
            transaction.changes.add("UpdateGatewayModelDefinition", None, number, effects)
    store.close()


@pytest.fixture(params=["grpc", "proto", "json"])
def ask(request: pytest.FixtureRequest, served: Server) -> Iterator[List]:
    """Sends a list request as it is, without this project's client."""
    if request.param == "grpc":
        with channel(served.grpc_target) as opened:
            yield lambda message: call(opened, METHOD_OF[type(message)], message)
    elif request.param == "proto":
        yield lambda message: _read(METHOD_OF[type(message)], message, served)
    else:
        yield lambda message: _read_json(METHOD_OF[type(message)], message, served)


def _read(method: Method[Any, Any], message: Message, served: Server) -> Any:
    return method.response_type.FromString(post_proto(served.http_target, method, message).body)


def _read_json(method: Method[Any, Any], message: Message, served: Server) -> Any:
    answer = post_json(served.http_target, method, json_format.MessageToDict(message))
    return json_format.Parse(answer.body, method.response_type())


@pytest.mark.parametrize("size", [None, 0, PAGE_ITEMS])
def test_a_list_without_a_size_is_a_page(ask: List, size: int | None) -> None:
    first = ask(ListGatewayEndpointBindingsRequest(page_size=size))
    assert len(first.bindings) == PAGE_ITEMS
    second = ask(ListGatewayEndpointBindingsRequest(page_size=size, page_token=first.next_page_token))
    assert [binding.resource_id for binding in second.bindings] == [f"r-{PAGE_ITEMS}"]
    assert not second.HasField("next_page_token")


def test_a_page_ends_before_two_mebibytes(ask: List) -> None:
    names: list[str] = []
    token, pages = "", 0
    while token or not pages:
        page = ask(ListGatewayEndpointsRequest(page_token=token))
        assert page.ByteSize() <= PAGE_BYTES
        names += [endpoint.name for endpoint in page.endpoints]
        token = page.next_page_token
        pages += 1
        assert pages <= ENDPOINTS
    assert names == [f"ep-{number}" for number in range(ENDPOINTS)]
    assert pages == 2


def test_mlflows_dialect_gets_the_whole_list(served: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(path: str) -> Any:
        return request(served.http_target, "GET", f"/api/3.0/mlflow/gateway/{path}/list")

    assert len(ask("endpoints").json["endpoints"]) == ENDPOINTS
    assert len(ask("endpoints/bindings").json["bindings"]) == BINDINGS
    monkeypatch.setattr(mlflow_rest, "MAX_LIST_BYTES", PAGE_BYTES)
    refused = ask("endpoints")
    assert (refused.status, refused.json["error_code"]) == (400, "RESOURCE_LIMIT_EXCEEDED")
    assert len(ask("endpoints/bindings").json["bindings"]) == BINDINGS


@pytest.mark.parametrize("transport", ["grpc_target", "http_target"])
def test_the_client_reads_every_page(served: Server, transport: str) -> None:
    with GatewayClient(getattr(served, transport)) as client:
        assert len(client.list_endpoints()) == ENDPOINTS
        assert len(client.list_bindings()) == BINDINGS


def test_the_change_log_ends_a_page_at_the_same_size(ask: List) -> None:
    page = ask(ListGatewayChangesRequest())
    assert page.ByteSize() <= PAGE_BYTES
    assert 10 < len(page.changes) < CHANGES


@pytest.mark.parametrize("transport", ["grpc_target", "http_target"])
def test_the_client_reads_a_change_that_is_larger_than_a_message(served: Server, transport: str) -> None:
    with GatewayClient(getattr(served, transport)) as client:
        changes = client.list_changes()
    assert [1 + len(change.effects) for change in changes] == [1000] * (CHANGES - 1) + [LARGE]
