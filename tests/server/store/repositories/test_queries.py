"""Number of queries of each read, and their use of indexes."""

from __future__ import annotations

import pytest

from gateway_entities.entities import GatewayEndpointTag
from gateway_entities.server.store.repositories.spending.spend import Counter
from tests.statements import record_statements


@pytest.fixture
def queries(store):
    """The recorded statements of readers."""
    return record_statements(store._database.reader)


def fill(store, make, count):
    with store.write() as transaction:
        transaction.secrets.add(make.secret(), {"k": "v"})
        for number in (1, 2):
            transaction.model_definitions.add(make.definition(number, secret_id="s-0001"))
        for number in range(count):
            mappings = [make.mapping(2 * number + each, endpoint=number, definition=each) for each in (1, 2)]
            tags = [GatewayEndpointTag("k", str(number))]
            transaction.endpoints.add(make.endpoint(number, model_mappings=mappings, tags=tags))


@pytest.mark.parametrize("count", [10, 1000])
def test_a_list_of_endpoints_takes_four_queries(store, make, queries, count):
    fill(store, make, count)
    with store.read() as transaction:
        endpoints = transaction.endpoints.list()
    assert len(endpoints) == count
    assert all(len(endpoint.model_mappings) == 2 and len(endpoint.tags) == 1 for endpoint in endpoints)
    assert endpoints[-1].model_mappings[0].model_definition.secret_name == "secret 1"
    assert len(queries) == 4


@pytest.mark.parametrize("count", [10, 1000])
def test_a_filtered_page_takes_four_queries(store, make, queries, count):
    fill(store, make, count)
    with store.read() as transaction:
        page = transaction.endpoints.list(provider="openai", secret_id="s-0001", after=(3001, "e-0001"), limit=5)
    assert [endpoint.endpoint_id for endpoint in page] == [f"e-{number:04}" for number in range(2, 7)]
    assert all(len(endpoint.model_mappings) == 2 for endpoint in page)
    assert len(queries) == 4


@pytest.mark.parametrize("count", [10, 1000])
def test_spending_takes_one_query(store, make, queries, count):
    with store.write() as transaction:
        for number in range(count):
            transaction.budget_policies.add(make.policy(number))
            transaction.budget_spend.open(f"bp-{number:04}", Counter(0, 0, 10, number))
    for read in (
        lambda transaction: transaction.budget_spend.list(5),
        lambda transaction: transaction.budget_spend.matching(5, endpoint_id="x", user="x", own_workspace=True),
    ):
        queries.clear()
        with store.read() as transaction:
            found = read(transaction)
        assert [spend.counter.nanos for spend in found] == list(range(count))
        assert len(queries) == 1


def test_get_takes_one_query_and_three_for_an_endpoint(store, make, queries):
    fill(store, make, 1)
    counts = []
    for read in (
        lambda transaction: transaction.secrets.get("s-0001"),
        lambda transaction: transaction.model_definitions.find("definition 1"),
        lambda transaction: transaction.endpoints.get("e-0000"),
        lambda transaction: transaction.endpoints.find("endpoint-0"),
    ):
        queries.clear()
        with store.read() as transaction:
            assert read(transaction) is not None
        counts.append(len(queries))
    assert counts == [1, 1, 3, 3]


READS = [
    lambda t: t.secrets.get("x"),
    lambda t: t.secrets.find("x"),
    lambda t: t.secrets.list(after=(1, "x"), limit=1),
    lambda t: t.secrets.list(provider="x", after=(1, "x"), limit=1),
    lambda t: t.model_definitions.get("x"),
    lambda t: t.model_definitions.find("x"),
    lambda t: t.model_definitions.of_ids(["x", "y"]),
    lambda t: t.model_definitions.list(after=(1, "x"), limit=1),
    lambda t: t.model_definitions.list(provider="x", after=(1, "x"), limit=1),
    lambda t: t.model_definitions.list(secret_id="x", after=(1, "x"), limit=1),
    lambda t: t.endpoints.get("e-0000"),
    lambda t: t.endpoints.find("endpoint-0"),
    lambda t: t.endpoints.list(after=(3000, "e-0000"), limit=1),
    lambda t: t.endpoints.list(provider="openai", after=(3000, "e-0000"), limit=1),
    lambda t: t.endpoints.list(secret_id="s-0001", after=(3000, "e-0000"), limit=1),
    lambda t: t.bindings.get("x", "x", "x"),
    lambda t: t.bindings.list(after=(1, "x", "x", "x"), limit=1),
    lambda t: t.bindings.list(endpoint_id="x", after=(1, "x", "x", "x"), limit=1),
    lambda t: t.bindings.list(resource_type="x", after=(1, "x", "x", "x"), limit=1),
    lambda t: t.bindings.list(resource_id="x", after=(1, "x", "x", "x"), limit=1),
    lambda t: t.budget_policies.get("x"),
    lambda t: t.budget_policies.list(after=(1, "x"), limit=1),
    lambda t: t.endpoints.exists("x"),
    lambda t: t.budget_spend.list(1, after=(1, "x"), limit=1),
    lambda t: t.budget_spend.matching(1, endpoint_id="x", user="x", own_workspace=True),
    lambda t: t.budget_spend.of_windows([1, 2]),
    lambda t: t.budget_charges.get("x"),
]


def test_every_read_uses_an_index_and_sorts_nothing_else(store, make, queries, place):
    fill(store, make, 3)
    with store.read() as transaction:
        for read in READS:
            read(transaction)
    assert len(queries) >= len(READS)
    with store._database.read() as connection:
        for statement, parameters in list(queries):
            plan = PLANS[place.kind](connection, statement, parameters)
            assert plan
            assert not [step for step in plan if "Seq Scan" in step or "Sort" in step], (statement, plan)
            assert not [step for step in plan if step.startswith("SCAN") and "CONSTANT" not in step], (statement, plan)
            assert not [step for step in plan if "TEMP B-TREE FOR ORDER BY" in step], (statement, plan)


def sqlite_plan(connection, statement, parameters):
    # The statement contains its parameters.
    return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")]


def postgresql_plan(connection, statement, parameters):
    # Its planner prefers a sequential scan of a small table; this makes it use an index if there is one.
    for way in ("seqscan", "sort", "hashjoin", "mergejoin", "bitmapscan"):
        connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
    return [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)]


PLANS = {"sqlite": sqlite_plan, "postgresql": postgresql_plan}
