from __future__ import annotations

import pytest

from gateway_entities.entities import GatewayResourceType
from gateway_entities.errors import Code, GatewayError


@pytest.fixture
def bound(store, make):
    with store.write() as transaction:
        for number in (1, 2):
            transaction.endpoints.add(make.endpoint(number))
    return store


@pytest.mark.parametrize("name", [None, "", "a name"])
@pytest.mark.parametrize("resource_type", [GatewayResourceType.SCORER_JOB, "another_kind"])
def test_round_trip(bound, make, name, resource_type):
    binding = make.binding(resource_type=resource_type, created_by=name, last_updated_by=name, display_name=name)
    with bound.write() as transaction:
        transaction.bindings.add(binding)
    with bound.read() as transaction:
        found = transaction.bindings.get("e-0001", resource_type, "resource 1")
        assert found == binding
        assert type(found.resource_type) is type(resource_type)
        assert transaction.bindings.list() == [binding]
        assert transaction.bindings.get("e-0001", resource_type, "resource 2") is None


def test_keys_are_unique(bound, make):
    with bound.write() as transaction:
        transaction.bindings.add(make.binding())
        transaction.bindings.add(make.binding(endpoint=2))
        with pytest.raises(GatewayError) as caught:
            transaction.bindings.add(make.binding(created_at=1))
    assert caught.value.code is Code.ALREADY_EXISTS
    assert caught.value.reason == "ALREADY_BOUND"
    assert caught.value.message == "Endpoint 'e-0001' is already bound to scorer 'resource 1'"


def test_endpoint_not_found(bound, make):
    with pytest.raises(GatewayError) as caught, bound.write() as transaction:
        transaction.bindings.add(make.binding(endpoint=3))
    assert caught.value.code is Code.NOT_FOUND
    assert caught.value.message == "GatewayEndpoint not found (endpoint_id='e-0003')"


def test_remove_compares_all_keys(bound, make):
    with bound.write() as transaction:
        transaction.bindings.add(make.binding())
        assert not transaction.bindings.remove("e-0002", "scorer", "resource 1")
        assert not transaction.bindings.remove("e-0001", "scorer_job", "resource 1")
        assert not transaction.bindings.remove("e-0001", "scorer", "resource 2")
        assert transaction.bindings.remove("e-0001", GatewayResourceType.SCORER, "resource 1")
        assert transaction.bindings.list() == []


def test_list(bound, make):
    with bound.write() as transaction:
        for endpoint, kind, number, created_at in [
            (2, "scorer", 1, 50),
            (1, "scorer", 2, 50),
            (1, "job", 2, 50),
            (1, "scorer", 1, 60),
        ]:
            transaction.bindings.add(make.binding(number, endpoint, resource_type=kind, created_at=created_at))
    with bound.read() as transaction:
        listing = transaction.bindings.list
        assert keys(listing()) == ["1 job 2", "1 scorer 2", "2 scorer 1", "1 scorer 1"]
        assert keys(listing(endpoint_id="e-0001")) == ["1 job 2", "1 scorer 2", "1 scorer 1"]
        assert keys(listing(resource_type=GatewayResourceType.SCORER)) == ["1 scorer 2", "2 scorer 1", "1 scorer 1"]
        assert keys(listing(resource_id="resource 1")) == ["2 scorer 1", "1 scorer 1"]
        assert keys(listing(endpoint_id="e-0001", resource_type="scorer", resource_id="resource 1")) == ["1 scorer 1"]
        assert keys(listing(limit=2)) == ["1 job 2", "1 scorer 2"]
        after = (50, "e-0001", GatewayResourceType.SCORER, "resource 2")
        assert keys(listing(after=after)) == ["2 scorer 1", "1 scorer 1"]
        assert keys(listing(after=after, endpoint_id="e-0001", limit=9)) == ["1 scorer 1"]


def keys(bindings):
    return [f"{binding.endpoint_id[-1]} {binding.resource_type} {binding.resource_id[-1]}" for binding in bindings]
