from __future__ import annotations

import itertools
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from gateway_entities.entities import (
    BudgetTargetScope,
    FallbackConfig,
    FallbackStrategy,
    GatewayEndpointTag,
    GatewayModelLinkageType,
    RoutingStrategy,
)
from gateway_entities.errors import Code, GatewayError

PRIMARY, FALLBACK = GatewayModelLinkageType.PRIMARY, GatewayModelLinkageType.FALLBACK


@pytest.fixture
def models(store, make):
    """A store with definitions 1 to 3, the first with a secret."""
    with store.write() as transaction:
        transaction.secrets.add(make.secret(1), {"k": "v"})
        transaction.model_definitions.add(make.definition(1, secret_id="s-0001", provider="a"))
        transaction.model_definitions.add(make.definition(2, provider="b"))
        transaction.model_definitions.add(make.definition(3, provider="a"))
    return store


def test_round_trip_with_definitions_in_order_of_attachment(models, make):
    mappings = [
        make.mapping(9, definition=2, weight=0.1, created_by="ana"),
        make.mapping(1, definition=1, weight=None, linkage_type=FALLBACK, fallback_order=0),
        make.mapping(5, definition=1, weight=0.0, fallback_order=2**31 - 1),
    ]
    tags = [GatewayEndpointTag("zeta", ""), GatewayEndpointTag("alpha", None), GatewayEndpointTag("m", "v")]
    endpoint = make.endpoint(
        model_mappings=mappings,
        tags=tags,
        created_by="ana",
        last_updated_by="bo",
        routing_strategy=RoutingStrategy.REQUEST_BASED_TRAFFIC_SPLIT,
        fallback_config=FallbackConfig(FallbackStrategy.SEQUENTIAL, 3),
        experiment_id="12",
        usage_tracking=True,
    )
    with models.write() as transaction:
        transaction.endpoints.add(endpoint)
    with models.read() as transaction:
        definitions = {each.model_definition_id: each for each in transaction.model_definitions.list()}
        filled = [replace(each, model_definition=definitions[each.model_definition_id]) for each in mappings]
        expected = replace(endpoint, model_mappings=filled)
        assert transaction.endpoints.get("e-0001") == expected
        assert transaction.endpoints.find("endpoint-1") == expected
        assert transaction.endpoints.list() == [expected]
        assert expected.model_mappings[1].model_definition.secret_name == "secret 1"
        assert transaction.endpoints.get("e-0002") is None
        assert transaction.endpoints.find("Endpoint-1") is None


FALLBACKS = [
    None,
    FallbackConfig(),
    FallbackConfig(FallbackStrategy.SEQUENTIAL),
    FallbackConfig(None, 0),
    FallbackConfig(7, 1),
]
STRATEGIES = [None, RoutingStrategy.ROUTING_STRATEGY_UNSPECIFIED, RoutingStrategy.REQUEST_BASED_TRAFFIC_SPLIT, 77]


def test_absent_empty_and_unknown_values_survive(store, make):
    combinations = itertools.product(FALLBACKS, STRATEGIES, [None, "", "5"], [None, False, True])
    endpoints = [
        make.endpoint(
            number, fallback_config=fallback, routing_strategy=strategy, experiment_id=experiment, usage_tracking=track
        )
        for number, (fallback, strategy, experiment, track) in enumerate(combinations)
    ]
    with store.write() as transaction:
        for endpoint in endpoints:
            transaction.endpoints.add(replace(endpoint, fallback_config=FallbackConfig(None, 99)))
            transaction.endpoints.update(endpoint)
    with store.read() as transaction:
        assert transaction.endpoints.list() == endpoints
        for endpoint in endpoints:
            found = transaction.endpoints.get(endpoint.endpoint_id)
            assert found == endpoint
            assert type(found.routing_strategy) is type(endpoint.routing_strategy)
            assert type(found.usage_tracking) is type(endpoint.usage_tracking)


def test_unknown_linkage_types_survive(models, make):
    with models.write() as transaction:
        transaction.endpoints.add(make.endpoint(model_mappings=[make.mapping(linkage_type=99)]))
    with models.read() as transaction:
        assert transaction.endpoints.get("e-0001").model_mappings[0].linkage_type == 99


def test_names_are_unique(store, make):
    with store.write() as transaction:
        transaction.endpoints.add(make.endpoint(1))
        transaction.endpoints.add(make.endpoint(2))
    for attempt in (
        lambda transaction: transaction.endpoints.add(make.endpoint(3, name="endpoint-1")),
        lambda transaction: transaction.endpoints.update(make.endpoint(2, name="endpoint-1")),
    ):
        with pytest.raises(GatewayError) as caught, store.write() as transaction:
            attempt(transaction)
        assert caught.value.code is Code.ALREADY_EXISTS
        assert caught.value.message == "Endpoint with name 'endpoint-1' already exists"
        assert caught.value.reason == "NAME_TAKEN"


def test_update_leaves_mappings_and_tags_unchanged(models, make):
    tag = GatewayEndpointTag("k", "v")
    with models.write() as transaction:
        transaction.endpoints.add(make.endpoint(created_by="ana", model_mappings=[make.mapping()], tags=[tag]))
        before = transaction.endpoints.get("e-0001")
        transaction.endpoints.update(make.endpoint(name="new", last_updated_at=9000, last_updated_by="bo", created_by="eve"))
        assert transaction.endpoints.get("e-0001") == replace(
            before, name="new", last_updated_at=9000, last_updated_by="bo", created_by="ana"
        )
        with pytest.raises(GatewayError) as caught:
            transaction.endpoints.update(make.endpoint(8))
    assert caught.value.message == "GatewayEndpoint not found (endpoint_id='e-0008')"


def test_linkages_are_unique(models, make):
    with models.write() as transaction:
        transaction.endpoints.add(make.endpoint(1, model_mappings=[make.mapping(1)]))
        transaction.endpoints.add_mapping(make.mapping(2, linkage_type=FALLBACK))
    twice = [make.mapping(4, definition=2), make.mapping(5, definition=2)]
    for refused, attempt in [
        ("d-0001", lambda transaction: transaction.endpoints.add_mapping(make.mapping(3))),
        ("d-0002", lambda transaction: transaction.endpoints.replace_mappings("e-0001", [make.mapping(6), *twice])),
        (
            "d-0002",
            lambda transaction: transaction.endpoints.add(make.endpoint(1, name="b", endpoint_id="e", model_mappings=twice)),
        ),
    ]:
        with pytest.raises(GatewayError) as caught, models.write() as transaction:
            attempt(transaction)
        assert (caught.value.code, caught.value.reason) == (Code.ALREADY_EXISTS, "ALREADY_ATTACHED")
        assert caught.value.message.startswith(f"Model definition '{refused}' is already attached to endpoint 'e")
    with models.read() as transaction:
        assert mapping_ids(transaction) == ["m-0001", "m-0002"], "a failed statement changes nothing"


@pytest.mark.parametrize("mapping", [{"definition": 9}, {"endpoint": 9}])
def test_definition_not_found(models, make, mapping):
    with models.write() as transaction:
        transaction.endpoints.add(make.endpoint(1))
        with pytest.raises(GatewayError) as caught:
            transaction.endpoints.add_mapping(make.mapping(1, **mapping))
    assert caught.value.code is Code.NOT_FOUND


def test_add_replace_and_remove_mappings(models, make):
    with models.write() as transaction:
        transaction.endpoints.add(
            make.endpoint(model_mappings=[make.mapping(1, definition=3), make.mapping(2, definition=1)])
        )
        transaction.endpoints.add_mapping(make.mapping(3, definition=3, linkage_type=FALLBACK))
        assert mapping_ids(transaction) == ["m-0001", "m-0002", "m-0003"]
        assert transaction.endpoints.remove_mappings("e-0001", "d-0003") == 2
        assert transaction.endpoints.remove_mappings("e-0001", "d-0003") == 0
        assert mapping_ids(transaction) == ["m-0002"]
        transaction.endpoints.add_mapping(make.mapping(4, definition=3))
        assert mapping_ids(transaction) == ["m-0002", "m-0004"]
        transaction.endpoints.replace_mappings("e-0001", [make.mapping(6, definition=3), make.mapping(5, definition=1)])
        assert mapping_ids(transaction) == ["m-0006", "m-0005"]
        transaction.endpoints.replace_mappings("e-0001", [])
        assert mapping_ids(transaction) == []


def test_a_tag_keeps_its_position(store, make):
    with store.write() as transaction:
        transaction.endpoints.add(make.endpoint(1, tags=[GatewayEndpointTag("z", "1")]))
        transaction.endpoints.add(make.endpoint(2))
        for key, value in [("b", "1"), ("a", None), ("b", "2"), ("z", "")]:
            transaction.endpoints.set_tag("e-0001", GatewayEndpointTag(key, value))
        assert tags(transaction) == [("z", ""), ("b", "2"), ("a", None)]
        assert transaction.endpoints.remove_tag("e-0001", "z")
        assert not transaction.endpoints.remove_tag("e-0001", "z")
        assert not transaction.endpoints.remove_tag("e-0002", "b")
        transaction.endpoints.set_tag("e-0001", GatewayEndpointTag("z", "3"))
        assert tags(transaction) == [("b", "2"), ("a", None), ("z", "3")]
        with pytest.raises(GatewayError) as caught:
            transaction.endpoints.set_tag("e-0009", GatewayEndpointTag("k", "v"))
    assert caught.value.code is Code.NOT_FOUND


def test_remove_cascades(models, make):
    endpoint_scope = {"target_scope": BudgetTargetScope.ENDPOINT}
    with models.write() as transaction:
        for number in (1, 2):
            mappings = [make.mapping(number, endpoint=number)]
            transaction.endpoints.add(make.endpoint(number, model_mappings=mappings, tags=[GatewayEndpointTag("k", "v")]))
            transaction.bindings.add(make.binding(endpoint=number))
            transaction.budget_policies.add(make.policy(number, target_value=f"e-000{number}", **endpoint_scope))
        # A user's name may equal an endpoint's id.
        transaction.budget_policies.add(make.policy(3, target_scope=BudgetTargetScope.USER, target_value="e-0001"))
        transaction.budget_policies.add(make.policy(4))
        assert transaction.endpoints.remove("e-0001")
        assert not transaction.endpoints.remove("e-0001")
    with models.read() as transaction:
        assert [endpoint.endpoint_id for endpoint in transaction.endpoints.list()] == ["e-0002"]
        assert [binding.endpoint_id for binding in transaction.bindings.list()] == ["e-0002"]
        assert [policy.budget_policy_id for policy in transaction.budget_policies.list()] == [
            "bp-0002",
            "bp-0003",
            "bp-0004",
        ]
        assert len(transaction.endpoints.get("e-0002").model_mappings) == 1
    with models.write() as transaction:
        transaction.endpoints.add(make.endpoint(1))
        assert transaction.endpoints.get("e-0001") == make.endpoint(1)


def test_list(models, make):
    with models.write() as transaction:
        for number, created_at, definitions in [(3, 50, [1, 2]), (1, 60, [2]), (2, 50, [2, 3]), (4, 50, [])]:
            mappings = [make.mapping(10 * number + each, endpoint=number, definition=each) for each in definitions]
            transaction.endpoints.add(make.endpoint(number, created_at=created_at, model_mappings=mappings))
    with models.read() as transaction:
        listing = transaction.endpoints.list
        assert ids(listing()) == ["e-0002", "e-0003", "e-0004", "e-0001"]
        assert ids(listing(provider="a")) == ["e-0002", "e-0003"]
        assert ids(listing(secret_id="s-0001")) == ["e-0003"]
        assert ids(listing(provider="b", secret_id="s-0001")) == [], "a single model must match both filters"
        assert ids(listing(provider="a", secret_id="s-0001")) == ["e-0003"]
        assert ids(listing(limit=2)) == ["e-0002", "e-0003"]
        assert ids(listing(limit=2, after=(50, "e-0003"))) == ["e-0004", "e-0001"]
        assert ids(listing(provider="a", limit=1, after=(50, "e-0002"))) == ["e-0003"]
        page = listing(provider="a", limit=1, after=(50, "e-0002"))
        assert page == [transaction.endpoints.get("e-0003")], "endpoints of a filtered page have all mappings"


def ids(endpoints):
    return [endpoint.endpoint_id for endpoint in endpoints]


def mapping_ids(transaction):
    return [mapping.mapping_id for mapping in transaction.endpoints.get("e-0001").model_mappings]


def tags(transaction):
    return [(tag.key, tag.value) for tag in transaction.endpoints.get("e-0001").tags]


def test_dangling_rows_are_not_listed(sqlite_store, path, make):
    with sqlite_store.write() as transaction:
        for number in (1, 2):
            transaction.model_definitions.add(make.definition(number))
            mappings = [make.mapping(2 * number + each, endpoint=number, definition=each + 1) for each in range(number)]
            tags = [GatewayEndpointTag("k", "v")]
            transaction.endpoints.add(make.endpoint(number, model_mappings=mappings, tags=tags))
    with closing(sqlite3.connect(path)) as other, other:
        # Without enforcement of foreign keys.
        other.execute("DELETE FROM endpoints WHERE endpoint_id = 'e-0001'")
        other.execute("DELETE FROM model_definitions WHERE model_definition_id = 'd-0002'")
    with sqlite_store.read() as transaction:
        listed = transaction.endpoints.list()
        assert listed == transaction.endpoints.list(limit=5) == [transaction.endpoints.get("e-0002")]
    assert [mapping.model_definition_id for mapping in listed[0].model_mappings] == ["d-0001"]
