"""A request that was sent twice acts once, and is answered as the first time, byte for byte."""

from __future__ import annotations

import pytest

from gateway_entities import Code, GatewayError
from gateway_entities.methods import METHODS
from tests.client.recording_transports import perform
from tests.mutations import NAMED, REQUESTS, create_policy, new_name, of_other_content
from tests.replay import log, newest, stored

every_named = pytest.mark.parametrize("method", NAMED, ids=lambda method: method.name)


def named(method, resources):
    request = REQUESTS[method](resources)
    request.request_id = new_name("request")
    return request


def test_every_rpc_with_a_name_is_tried_here(client, do):
    assert {method for method in METHODS if "request_id" in method.request_type.DESCRIPTOR.fields_by_name} == set(REQUESTS)
    newest(do)


@every_named
def test_a_repeat_gets_the_same_bytes_and_does_nothing(client, do, resources, method):
    request = named(method, resources)
    first = do(request)
    before = stored(do), newest(do), client.list_budget_windows()
    for _ in range(3):
        again = do(request)
        assert again.SerializeToString(deterministic=True) == first.SerializeToString(deterministic=True)
    assert (stored(do), newest(do), client.list_budget_windows()) == before


@every_named
def test_a_repeat_through_the_other_client_gets_the_same_result(client, other, do, resources, method):
    request = named(method, resources)
    first = perform(client, request)
    before = newest(do)
    assert perform(other, request) == first
    assert newest(do) == before


@every_named
def test_a_name_is_not_taken_for_another_content(client, do, resources, method):
    request = named(method, resources)
    perform(client, request)
    before = stored(do)
    with pytest.raises(GatewayError) as caught:
        perform(client, of_other_content(request))
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert [violation.field for violation in caught.value.field_violations] == ["request_id"]
    assert stored(do) == before


def test_calls_without_a_name_are_different_calls(client, do, resources):
    before = newest(do)
    made = [perform(client, create_policy(resources.endpoint_id)) for _ in range(2)]
    assert made[0].budget_policy_id != made[1].budget_policy_id
    assert newest(do) == before + 2


def test_what_failed_is_not_remembered(client, do, resources):
    request_id, secret = new_name("request"), new_name("secret")
    with pytest.raises(GatewayError) as caught:
        client.create_model_definition(
            new_name("model"), secret_id="s-none", provider="p", model_name="m", request_id=request_id
        )
    assert caught.value.code is Code.NOT_FOUND
    assert client.create_secret(secret, {"api_key": "v"}, request_id=request_id).secret_name == secret
    assert log(do, newest(do) - 1)[-1].rpc == "CreateGatewaySecret"
