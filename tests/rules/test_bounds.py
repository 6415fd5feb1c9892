"""The bounds of lists, maps, masks and texts, and of the violations that are reported."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.message import Message

from gateway_entities import rules
from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import METHODS
from gateway_entities.rules.bounds import MAX_ENTRIES, MAX_MAP_BYTES, MAX_MODELS, MAX_PATHS, MAX_TAGS
from gateway_entities.server.rpc.errors import truncate_error
from gatewayentities.v1 import binding_pb2, endpoint_pb2, secret_pb2

CreateSecret = secret_pb2.CreateGatewaySecretRequest
UpdateSecret = secret_pb2.UpdateGatewaySecretRequest
CreateEndpoint = endpoint_pb2.CreateGatewayEndpointRequest
UpdateEndpoint = endpoint_pb2.UpdateGatewayEndpointRequest


def models(number: int) -> list[dict[str, object]]:
    return [{"model_definition_id": f"d-{i}", "linkage_type": "PRIMARY"} for i in range(number)]


@pytest.mark.parametrize("request_type", [CreateEndpoint, UpdateEndpoint])
def test_the_number_of_models(check: Any, request_type: type[Message]) -> None:
    assert check(request_type, model_configs=models(MAX_MODELS)) == []
    expected = [("model_configs", "must have at most 100 models, has 101")]
    assert check(request_type, model_configs=models(MAX_MODELS + 1)) == expected
    # Whatever they are: the number is checked before the elements.
    assert check(request_type, model_configs=[{}] * 101) == expected


@pytest.mark.parametrize("request_type", [CreateSecret, UpdateSecret])
@pytest.mark.parametrize("field", ["secret_value", "auth_config"])
def test_the_size_of_a_map(check: Any, request_type: type[Message], field: str) -> None:
    assert check(request_type, **{field: {f"{i}": "x" for i in range(MAX_ENTRIES)}}) == []
    assert check(request_type, **{field: {f"{i}": "" for i in range(MAX_ENTRIES + 1)}}) == [
        (field, "must have at most 100 entries, has 101")
    ]
    # In bytes of UTF-8, with the keys.
    assert check(request_type, **{field: {"é": "🙂" * (MAX_MAP_BYTES // 4 - 1) + "xx"}}) == []
    assert check(request_type, **{field: {"é": "🙂" * (MAX_MAP_BYTES // 4 - 1) + "xxx"}}) == [
        (field, f"must have at most 65536 bytes of keys and values, has {MAX_MAP_BYTES + 1}")
    ]


def test_the_size_of_a_map_never_shows_its_content() -> None:
    request = CreateSecret(secret_name="n", secret_value={"api_key": "sk-canary" * 10_000})
    assert "canary" not in str(rules.check(request))


@pytest.mark.parametrize(
    "request_type", [m.request_type for m in METHODS if "update_mask" in m.request_type.DESCRIPTOR.fields_by_name]
)
def test_the_number_of_paths_of_a_mask(check: Any, request_type: type[Message]) -> None:
    path = request_type.DESCRIPTOR.fields[1].name
    faults = check(request_type, update_mask={"paths": [path] * MAX_PATHS}, request_id="")
    assert "request_id" in [field for field, _ in faults]
    # The mask decides which of the other fields are checked, so none is.
    assert check(request_type, update_mask={"paths": [path] * (MAX_PATHS + 1)}, request_id="") == [
        ("update_mask", "must have at most 100 paths, has 101")
    ]


def test_lookups_filters_and_page_tokens_have_a_length(check: Any) -> None:
    long = [("endpoint_id", "must be 1 to 255 characters, has 256")]
    assert check(endpoint_pb2.DeleteGatewayEndpointRequest, endpoint_id="x" * 255) == []
    assert check(endpoint_pb2.DeleteGatewayEndpointRequest, endpoint_id="x" * 256) == long
    long = [("name", "must be at most 255 characters, has 256")]
    assert check(endpoint_pb2.GetGatewayEndpointRequest, endpoint_id=None, name="x" * 256) == long
    for method in METHODS:
        for field in method.request_type.DESCRIPTOR.fields:
            if field.type == field.TYPE_STRING and not field.is_repeated:
                faults = check(method.request_type, **{field.name: "x" * 100_000})
                assert field.name in [name for name, _ in faults], (method.name, field.name)


def test_a_page_token_may_be_longer_than_a_name(check: Any) -> None:
    for method in METHODS:
        if "page_token" in method.request_type.DESCRIPTOR.fields_by_name:
            assert check(method.request_type, page_token="x" * 8192) == []
            faults = [("page_token", "must be at most 8192 characters, has 8193")]
            assert check(method.request_type, page_token="x" * 8193) == faults


def faults(resource: Message) -> list[tuple[str, str]]:
    return [tuple(violation) for violation in rules.check(resource)]


def test_resources_have_the_same_bounds() -> None:
    stamps = {"created_at": 0, "last_updated_at": 0}
    binding = {"endpoint_id": "e", "resource_type": "scorer", "resource_id": "r", **stamps}
    named = [("display_name", "must be at most 255 characters, has 256")]
    assert faults(binding_pb2.GatewayEndpointBinding(display_name="🙂" * 255, **binding)) == []
    assert faults(binding_pb2.GatewayEndpointBinding(display_name="🙂" * 256, **binding)) == named
    mapping = {"mapping_id": "m", "endpoint_id": "e", "model_definition_id": "d", "created_at": 0}
    endpoint = endpoint_pb2.GatewayEndpoint(endpoint_id="e", model_mappings=[mapping], **stamps)
    endpoint.tags.extend(endpoint_pb2.GatewayEndpointTag(key=f"{i}") for i in range(MAX_TAGS))
    assert faults(endpoint) == []
    endpoint.tags.add()
    assert faults(endpoint) == [("tags", "must have at most 100 tags, has 101")]
    secret = secret_pb2.GatewaySecretInfo(secret_id="s", secret_name="n", **stamps)
    secret.masked_values.update({f"{i}": "***" for i in range(MAX_ENTRIES + 1)})
    secret.auth_config["x"] = "x" * MAX_MAP_BYTES
    assert [field for field, _ in faults(secret)] == ["masked_values", "auth_config"]


def invalid(request: Message) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        rules.validate(request)
    assert (caught.value.code, caught.value.reason) == (Code.INVALID_ARGUMENT, "INVALID_REQUEST")
    return caught.value


def test_validation_stops_after_a_hundred_violations_and_says_that_there_are_more() -> None:
    fifty = invalid(CreateEndpoint(name="n", model_configs=[{}] * 50))
    assert len(fifty.field_violations) == 100
    assert fifty.message.startswith("model_configs[0].model_definition_id is required; ")
    more = invalid(CreateEndpoint(name="n", model_configs=[{}] * 51))
    assert more.field_violations == fifty.field_violations
    assert more.message == f"more than 100 violations: {fifty.message}"
    # Also in the size that a transport carries.
    sent = truncate_error(more).message
    assert sent.startswith("more than 100 violations: model_configs[0].model_definition_id is required; ")
    assert sent.endswith(" of 100 violations are left out)")


def test_a_text_of_one_length_has_no_range(check: Any) -> None:
    faults = check(endpoint_pb2.DeleteGatewayEndpointRequest, etag="0")
    assert faults == [("etag", "must be 32 characters, has 1")]
