"""Answers that the server knows already are those that it would find out now."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from gateway_entities import GatewayClient, GatewayEndpointModelConfig, GatewayError, GatewayModelLinkageType
from gateway_entities.methods import GET_GATEWAY_ENDPOINT, METHODS
from gateway_entities.server import known
from gateway_entities.server.access import Admitted, Credentials
from gateway_entities.server.known import KnownAnswers
from gateway_entities.server.service import GatewayService
from gateway_entities.server.store import open_store
from gateway_entities.testing import Gateway, gateway
from llm_gateway.v1.endpoint_pb2 import GetGatewayEndpointRequest, GetGatewayEndpointResponse

NOBODY = Credentials()
MODEL = GatewayModelLinkageType.PRIMARY


@pytest.fixture
def running() -> Iterator[Gateway]:
    with gateway() as running:
        yield running


@pytest.fixture(params=["grpc", "http"])
def client(request: Any, running: Gateway) -> Iterator[GatewayClient]:
    with GatewayClient(getattr(running, f"{request.param}_target")) as client:
        yield client


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the handlers that were called."""
    called: list[str] = []
    for name in [method.handler for method in METHODS]:
        original = getattr(GatewayService, name)

        def handler(self: Any, request: Any, original: Any = original, name: str = name) -> Any:
            called.append(name)
            return original(self, request)

        monkeypatch.setattr(GatewayService, name, handler)
    return called


def endpoint(client: GatewayClient) -> Any:
    secret = client.create_secret("k", {"api_key": "sk-0123456789"})
    model = client.create_model_definition("m", secret_id=secret.secret_id, provider="openai", model_name="gpt-4o")
    return client.create_endpoint("e", [GatewayEndpointModelConfig(model.model_definition_id, MODEL)])


def test_a_read_that_is_repeated_is_not_found_out_again(client: GatewayClient, count: list[str]) -> None:
    made = endpoint(client)
    assert client.get_endpoint(name="e") == client.get_endpoint(name="e") == made
    assert client.list_endpoints() == client.list_endpoints() == [made]
    assert count.count("get_gateway_endpoint") == count.count("list_gateway_endpoints") == 1


def test_every_change_is_seen_at_once(client: GatewayClient, running: Gateway) -> None:
    made = endpoint(client)
    with GatewayClient(running.http_target) as other:
        for number in range(20):
            other.set_endpoint_tag(made.endpoint_id, "n", str(number))
            assert client.get_endpoint(name="e").tags[0].value == str(number)
            assert client.list_endpoints()[0].tags[0].value == str(number)
        other.delete_endpoint(made.endpoint_id)
        with pytest.raises(GatewayError, match="not found"):
            client.get_endpoint(name="e")
        assert client.list_endpoints() == []


def test_a_change_by_another_process_is_seen_at_once(client: GatewayClient, running: Gateway) -> None:
    """Another server on the same file, as far as this one can tell: another store, with connections of its own."""
    made = endpoint(client)
    assert client.get_endpoint(name="e").tags == []
    other = open_store(f"sqlite:///{running.store_path}")
    try:
        from llm_gateway.v1.endpoint_pb2 import SetGatewayEndpointTagRequest

        GatewayService(other).set_gateway_endpoint_tag(
            SetGatewayEndpointTagRequest(endpoint_id=made.endpoint_id, key="k", value="v")
        )
    finally:
        other.close()
    assert client.get_endpoint(name="e").tags[0].value == "v"


def test_what_is_spent_is_never_known(client: GatewayClient, count: list[str]) -> None:
    client.list_budget_windows()
    client.list_budget_windows()
    assert count.count("list_gateway_budget_windows") == 2


def test_a_refused_read_is_refused_again(client: GatewayClient, count: list[str]) -> None:
    for _ in range(2):
        with pytest.raises(GatewayError, match="not found"):
            client.get_endpoint(name="nope")
    assert count.count("get_gateway_endpoint") == 2


def test_a_store_that_cannot_tell_its_revision_at_once_knows_nothing() -> None:
    answers = KnownAnswers(lambda: None, lambda *_: Admitted(None))
    keep(answers, "a", 1)
    assert find(answers, "a") is None


def test_a_caller_of_whom_nothing_is_known_at_once_is_not_answered() -> None:
    answers = KnownAnswers(lambda: 1, lambda *_: None)
    keep(answers, "a", 1)
    assert find(answers, "a") is None


def test_what_was_used_longest_ago_goes_first() -> None:
    answers = KnownAnswers(lambda: 1, lambda *_: Admitted("ann"), most_bytes=3 * 1600)
    for name in "abc":
        keep(answers, name, 1)
    assert find(answers, "a") == (Admitted("ann"), b"x" * 1000)
    keep(answers, "d", 1)
    assert [name for name in "abcd" if find(answers, name)] == ["a", "c", "d"]


def test_an_answer_larger_than_all_that_is_kept_is_not_kept() -> None:
    answers = KnownAnswers(lambda: 1, lambda *_: Admitted(None), most_bytes=999)
    keep(answers, "a", 1)
    assert find(answers, "a") is None


def test_the_reads_of_configuration_are_those_that_tell_a_revision() -> None:
    told = {name.rpartition("/")[2] for name in known._READS}
    assert told == {
        *("GetGatewaySecretInfo", "ListGatewaySecretInfos", "GetGatewayModelDefinition", "ListGatewayModelDefinitions"),
        *("GetGatewayEndpoint", "ListGatewayEndpoints", "ListGatewayEndpointBindings", "GetGatewayBudgetPolicy"),
        *("ListGatewayBudgetPolicies", "ListGatewayChanges"),
    }


def test_a_locked_file_is_no_reason_to_wait(running: Gateway, client: GatewayClient) -> None:
    made = endpoint(client)
    client.get_endpoint(name="e")
    locking = sqlite3.connect(running.store_path, isolation_level=None)
    locking.execute("BEGIN IMMEDIATE")
    try:
        assert client.get_endpoint(name="e") == made
    finally:
        locking.close()


def key(name: str) -> known.Key:
    return GET_GATEWAY_ENDPOINT.path, "proto", GetGatewayEndpointRequest(name=name).SerializeToString()


def keep(answers: KnownAnswers, name: str, revision: int) -> None:
    answers.keep(key(name), GetGatewayEndpointResponse(revision=revision), b"x" * 1000)


def find(answers: KnownAnswers, name: str) -> Any:
    return answers.find(key(name), GET_GATEWAY_ENDPOINT, NOBODY)
