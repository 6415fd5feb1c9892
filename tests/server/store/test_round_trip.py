"""Property test: every value that a client can send survives a round trip through the disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_entities.entities import (
    BudgetDuration,
    FallbackConfig,
    GatewayBudgetPolicy,
    GatewayEndpoint,
    GatewayEndpointBinding,
    GatewayEndpointModelMapping,
    GatewayEndpointTag,
    GatewayModelDefinition,
    GatewaySecretInfo,
)
from tests import profiles
from tests.stores import KINDS, Place, one_place

# Text of protobuf has no surrogates; U+0000 is rejected by the service.
text = st.text(st.characters(min_codepoint=1, exclude_categories=["Cs"]), max_size=12)
optional = st.none() | text
number = st.integers(-(2**31), 2**31 - 1)
time = st.integers(-(2**63), 2**63 - 1)
finite = st.floats(allow_nan=False, allow_infinity=False)
maps = st.dictionaries(text, text, max_size=4)

secrets = st.builds(
    GatewaySecretInfo, text, text, maps, time, time, optional, maps, created_by=optional, last_updated_by=optional
)
definitions = st.builds(GatewayModelDefinition, text, text, st.none(), st.none(), text, text, time, time, optional, optional)
tags = st.lists(st.builds(GatewayEndpointTag, text, optional), max_size=4, unique_by=lambda tag: tag.key)
fallbacks = st.none() | st.builds(FallbackConfig, st.none() | number, st.none() | number)
endpoints = st.builds(
    GatewayEndpoint,
    text,
    text,
    time,
    time,
    st.just([]),
    tags,
    optional,
    optional,
    st.none() | number,
    fallbacks,
    optional,
    st.none() | st.booleans(),
)
mapping_fields = st.tuples(st.none() | finite, number, st.none() | number, time, optional)
binding_fields = st.tuples(text, text, time, time, optional, optional, optional)
policies = st.builds(
    GatewayBudgetPolicy,
    text,
    number,
    finite,
    st.builds(BudgetDuration, number, number),
    # Scope 3, ENDPOINT, needs its endpoint; test_budget covers it.
    number.filter(lambda scope: scope != 3),
    number,
    time,
    time,
    optional,
    optional,
    target_value=optional,
)


@pytest.fixture(scope="module", params=KINDS)
def place_of_all(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One store for all examples of a test."""
    with one_place(request, tmp_path_factory) as place:
        yield place


# Each example opens the store twice, which is slow.
@settings(max_examples=profiles.whole(max(50, settings().max_examples // 5), 15))
@given(secrets, maps, definitions, endpoints, mapping_fields, binding_fields, policies, st.booleans())
def test_round_trip_through_the_disk(
    place_of_all, secret, value, definition, endpoint, mapping_fields, binding_fields, policy, has_secret
):
    if has_secret:
        definition.secret_id, definition.secret_name = secret.secret_id, secret.secret_name
    weight, linkage, order, at, by = mapping_fields
    endpoint.model_mappings = [
        GatewayEndpointModelMapping(
            "m", endpoint.endpoint_id, definition.model_definition_id, definition, weight, linkage, order, at, by
        )
    ]
    binding = GatewayEndpointBinding(endpoint.endpoint_id, *binding_fields)
    with opened(place_of_all) as store, store.write() as transaction:
        clear(transaction)
        transaction.secrets.add(secret, value)
        transaction.model_definitions.add(definition)
        transaction.endpoints.add(endpoint)
        transaction.bindings.add(binding)
        transaction.budget_policies.add(policy)
    with opened(place_of_all) as store, store.read() as transaction:
        assert transaction.secrets.list() == [secret]
        assert list(transaction.secrets.get(secret.secret_id).auth_config) == list(secret.auth_config)
        assert transaction.secrets.find(secret.secret_name) == secret
        revealed = transaction.secrets.reveal(secret.secret_id)
        assert revealed == value
        assert list(revealed) == list(value)
        assert transaction.model_definitions.list(provider=definition.provider) == [definition]
        assert transaction.endpoints.list() == [endpoint]
        assert transaction.endpoints.find(endpoint.name) == endpoint
        assert transaction.bindings.list() == [binding]
        assert transaction.budget_policies.list() == [policy]


@contextmanager
def opened(place):
    store = place.open()
    try:
        yield store
    finally:
        store.close()


def clear(transaction):
    """Delete the data of the previous example."""
    for endpoint in transaction.endpoints.list():
        assert transaction.endpoints.remove(endpoint.endpoint_id)
    for definition in transaction.model_definitions.list():
        assert transaction.model_definitions.remove(definition.model_definition_id)
    for secret in transaction.secrets.list():
        assert transaction.secrets.remove(secret.secret_id)
    for policy in transaction.budget_policies.list():
        assert transaction.budget_policies.remove(policy.budget_policy_id)
