"""Guardrails through every client."""

from __future__ import annotations

import pytest

from gateway_entities import Code, GatewayEndpointModelConfig, GatewayError, GatewayModelLinkageType
from gateway_entities.cli.config.importers import mlflow
from gateway_entities.cli.config.importers.fidelity import UNACCOUNTED


@pytest.fixture
def endpoint(client, define, unique):
    config = GatewayEndpointModelConfig(define().model_definition_id, GatewayModelLinkageType.PRIMARY)
    return client.create_endpoint(unique("endpoint"), [config])


@pytest.fixture
def guard(client, scorer, unique):
    """Makes guardrails."""

    def guard(stage="BEFORE", action="VALIDATION", **fields):
        return client.create_guardrail(unique("guardrail"), stage=stage, action=action, **scorer, **fields)

    return guard


def code(call, *args, **kwargs):
    with pytest.raises(GatewayError) as caught:
        call(*args, **kwargs)
    return caught.value.code


def test_lifecycle(client, other, endpoint, guard, scorer):
    made = guard("AFTER", "SANITIZATION", action_endpoint_id=endpoint.endpoint_id)
    assert made.guardrail_id.startswith("gr-")
    assert (made.stage.name, made.action.name) == ("AFTER", "SANITIZATION")
    assert (made.action_endpoint_id, made.last_updated_at) == (endpoint.endpoint_id, made.created_at)
    assert {"scorer_id": made.scorer.scorer_id, "scorer_version": made.scorer.scorer_version} == scorer
    assert other.get_guardrail(made.guardrail_id) == made
    assert made in other.list_guardrails()
    client.delete_guardrail(made.guardrail_id)
    assert code(other.get_guardrail, made.guardrail_id) is Code.NOT_FOUND
    assert code(client.delete_guardrail, made.guardrail_id) is Code.NOT_FOUND
    assert made not in other.list_guardrails()


def test_guardrails_of_an_endpoint_come_in_order_of_execution(client, other, endpoint, guard):
    """Those of both stages in one order: the lowest first, none last, equal ones by id."""
    orders = [None, 7, -(2**63), 7, None, 2**63 - 1]
    made = [guard(("BEFORE", "AFTER")[position % 2]) for position in range(len(orders))]
    for guardrail, order in zip(made, orders, strict=True):
        config = client.add_guardrail_to_endpoint(endpoint.endpoint_id, guardrail.guardrail_id, execution_order=order)
        assert (config.guardrail, config.execution_order) == (guardrail, order)
    listed = other.list_endpoint_guardrails(endpoint.endpoint_id)
    expected = sorted(zip(made, orders, strict=True), key=lambda pair: (pair[1] is None, pair[1] or 0, pair[0].guardrail_id))
    assert [(config.guardrail, config.execution_order) for config in listed] == expected
    assert list(client.iter_endpoint_guardrails(endpoint.endpoint_id, page_size=2)) == listed
    last = made[2].guardrail_id
    moved = client.update_endpoint_guardrail(endpoint.endpoint_id, last, execution_order=None)
    assert moved.execution_order is None
    assert last in [config.guardrail_id for config in other.list_endpoint_guardrails(endpoint.endpoint_id)][3:]
    client.remove_guardrail_from_endpoint(endpoint.endpoint_id, last)
    assert len(other.list_endpoint_guardrails(endpoint.endpoint_id)) == len(made) - 1
    client.delete_guardrail(made[0].guardrail_id)
    assert len(other.list_endpoint_guardrails(endpoint.endpoint_id)) == len(made) - 2


def test_a_deleted_endpoint_calls_and_is_called_no_more(client, other, define, endpoint, guard, unique):
    config = GatewayEndpointModelConfig(define().model_definition_id, GatewayModelLinkageType.PRIMARY)
    calling = client.create_endpoint(unique("endpoint"), [config])
    made = guard(action_endpoint_id=endpoint.endpoint_id)
    for each in (endpoint, calling):
        client.add_guardrail_to_endpoint(each.endpoint_id, made.guardrail_id)
    client.delete_endpoint(endpoint.endpoint_id)
    left = other.get_guardrail(made.guardrail_id)
    assert left.action_endpoint_id is None
    assert [config.guardrail for config in other.list_endpoint_guardrails(calling.endpoint_id)] == [left]


def test_what_is_missing_or_there_already(client, endpoint, guard, scorer, unique):
    made = guard()
    key = (endpoint.endpoint_id, made.guardrail_id)
    client.add_guardrail_to_endpoint(*key)
    assert code(client.add_guardrail_to_endpoint, *key) is Code.ALREADY_EXISTS
    client.remove_guardrail_from_endpoint(*key)
    assert code(client.remove_guardrail_from_endpoint, *key) is Code.NOT_FOUND
    assert code(client.update_endpoint_guardrail, *key, execution_order=1) is Code.NOT_FOUND
    assert code(client.add_guardrail_to_endpoint, "e-none", made.guardrail_id) is Code.NOT_FOUND
    assert code(client.add_guardrail_to_endpoint, endpoint.endpoint_id, "gr-none") is Code.NOT_FOUND
    assert code(client.list_endpoint_guardrails, "e-none") is Code.NOT_FOUND
    wrong = {"stage": 0, "action": 7, **scorer, "scorer_version": 0}
    with pytest.raises(GatewayError) as caught:
        client.create_guardrail(unique("guardrail"), **wrong)
    assert [violation.field for violation in caught.value.field_violations] == ["scorer_version", "stage", "action"]


def test_an_unknown_action_endpoint(client, guard):
    assert code(guard, action_endpoint_id="e-none") is Code.NOT_FOUND


def test_they_are_imported_as_a_configuration(client, endpoint, guard, scorer):
    made = guard("AFTER", "SANITIZATION", action_endpoint_id=endpoint.endpoint_id)
    client.add_guardrail_to_endpoint(endpoint.endpoint_id, made.guardrail_id, execution_order=3)
    result, fidelity = mlflow.convert(client)
    [found] = [each for each in result.to_dict()["guardrails"] if each["name"] == made.name]
    found.pop("scorer", None)
    assert found == {
        "name": made.name,
        **scorer,
        "stage": "AFTER",
        "action": "SANITIZATION",
        "action_endpoint": endpoint.name,
        "endpoints": [{"name": endpoint.name, "execution_order": 3}],
    }
    assert not [each for each in fidelity.outcomes() if each.outcome == UNACCOUNTED and "guardrail" in each.path]
