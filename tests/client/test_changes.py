"""The change log through every client."""

from __future__ import annotations

import pytest

from gateway_entities import Code, GatewayError
from gateway_entities.client import _async, _sync
from tests.client.recording_transports import perform
from tests.mutations import CANARY, LOGGED, REQUESTS, prepare
from tests.replay import consistent, newest


@pytest.mark.parametrize("method", LOGGED, ids=lambda method: method.name)
def test_each_change_is_listed_once(client, other, do, resources, method):
    last = newest(do)
    perform(client, REQUESTS[method](resources))
    found = other.list_changes(since_revision=last)
    assert [(line.revision, line.rpc) for line in found] == [(last + 1, method.name)]
    assert CANARY.encode() not in found[0].to_bytes()


def test_each_kind_of_change_is_in_a_log_that_tells_of_all_there_is(client, do):
    for method in LOGGED:
        perform(client, REQUESTS[method](prepare(do)))
    assert client.list_changes() == consistent(do)


def test_a_list_fetches_every_page(client, resources, monkeypatch):
    whole = client.list_changes()
    for package in (_async, _sync):
        monkeypatch.setattr(package.change, "PAGE_SIZE", 7)
    since = len(whole) - 30 if len(whole) > 30 else 0
    assert client.list_changes(since_revision=since) == whole[since:]
    assert client.list_changes(since_revision=len(whole)) == []
    assert client.list_changes(since_revision=len(whole) + 5) == []


def test_a_list_from_the_start_has_every_change_of_the_log(client, resources):
    assert client.list_changes() == client.list_changes(since_revision=0)


def test_a_change_shows_its_actor(client, do, resources):
    last = newest(do)
    client.update_endpoint(resources.endpoint_id, experiment_id="3", updated_by="ann")
    client.update_endpoint(resources.endpoint_id, experiment_id="4")
    assert [line.actor for line in client.list_changes(since_revision=last)] == ["ann", None]


def test_a_revision_below_0_is_invalid(client):
    with pytest.raises(GatewayError) as caught:
        client.list_changes(since_revision=-1)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert [violation.field for violation in caught.value.field_violations] == ["since_revision"]
