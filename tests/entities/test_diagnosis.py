"""Encoding and decoding errors, and their paths."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor

from gateway_entities import (
    BudgetDuration,
    Code,
    FallbackConfig,
    GatewayBudgetPolicy,
    GatewayEndpoint,
    GatewayEndpointTag,
    GatewayModelDefinition,
    GatewaySecretInfo,
    WireError,
)
from gatewayentities.v1 import endpoint_pb2
from tests.entities.entity_types import KINDS, message_type, public
from tests.messages import REQUIRED, full, is_map

BEYOND_INT32 = 2**31
BEYOND_INT64 = 2**63
WRONG: dict[int, list[Any]] = {
    FieldDescriptor.TYPE_STRING: [b"bytes", 1, "\ud800", ["x"], object()],
    FieldDescriptor.TYPE_BOOL: [2, 1, "true", 1.0, []],
    FieldDescriptor.TYPE_ENUM: ["PRIMARY", "USD", 1.0, BEYOND_INT32, -BEYOND_INT32 - 1, object()],
    FieldDescriptor.TYPE_INT32: ["1", 1.0, BEYOND_INT32, -BEYOND_INT32 - 1, 10**400],
    FieldDescriptor.TYPE_INT64: ["1", 1.0, BEYOND_INT64, -BEYOND_INT64 - 1, 10**400],
    FieldDescriptor.TYPE_FLOAT: ["1", b"1", 3.5e38, -3.5e38, 10**400, [1], Decimal("0.5")],
    FieldDescriptor.TYPE_DOUBLE: ["1", b"1", 10**400, [1], Decimal("0.5")],
    FieldDescriptor.TYPE_MESSAGE: ["x", 1, {}, [], GatewayEndpointTag("k", "v")],
}
WRONG_LISTS: list[Any] = [None, 1, "text", [None], ["x"], [{}], {"a": "b"}]
WRONG_MAPS: list[Any] = [None, 1, [("a", "b")], {"a": 1}, {1: "a"}, {"a": b"b"}, {b"a": "b"}, {"a": "\ud800"}, {"a": None}]


def wrong_values(field: FieldDescriptor) -> list[Any]:
    if is_map(field):
        return WRONG_MAPS
    if field.is_repeated:
        return WRONG_LISTS
    return WRONG[field.type]


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in KINDS for name in public(kind)])
def test_a_value_that_cannot_be_encoded_is_named(kind: Any, name: str):
    field = message_type(kind).DESCRIPTOR.fields_by_name[name]
    required = [None] if name in REQUIRED[kind.__name__] else []
    for value in [*wrong_values(field), *required]:
        entity = kind.from_proto(full(message_type(kind)))
        setattr(entity, name, value)
        for encode in (entity.to_proto, entity.to_bytes, entity.etag):
            with pytest.raises(WireError) as caught:
                encode()
            assert caught.value.path.startswith(f"{kind.__name__}.{name}"), value
            assert caught.value.code is Code.INVALID_ARGUMENT


def endpoint() -> GatewayEndpoint:
    return GatewayEndpoint.from_proto(full(message_type(GatewayEndpoint)))


@pytest.mark.parametrize("value", [BEYOND_INT32, -BEYOND_INT32 - 1])
def test_a_number_out_of_range_is_called_so(value: int):
    with pytest.raises(WireError, match=r"max_attempts: must be a 32-bit integer; it is out of range$"):
        FallbackConfig(max_attempts=value).to_proto()


def test_a_path_goes_through_lists_and_messages():
    entity = endpoint()
    entity.model_mappings[2].weight = 1e39
    assert path_of(entity) == "GatewayEndpoint.model_mappings[2].weight"
    entity = endpoint()
    definition = entity.model_mappings[1].model_definition
    assert definition is not None
    definition.created_at = BEYOND_INT64
    assert path_of(entity) == "GatewayEndpoint.model_mappings[1].model_definition.created_at"
    entity = endpoint()
    entity.tags[0] = FallbackConfig()  # type: ignore[call-overload]
    assert path_of(entity) == "GatewayEndpoint.tags[0]"


def test_a_path_names_the_key_of_a_map_and_no_value():
    entity = GatewaySecretInfo("s-1", "name", {'api"key': "CANARY\ud800"}, 1, 1)
    with pytest.raises(WireError) as caught:
        entity.to_proto()
    assert caught.value.path == 'GatewaySecretInfo.masked_values["api\\"key"]'
    assert "CANARY" not in str(caught.value)


def test_a_map_that_changes_while_it_is_looked_at_is_diagnosed():
    class Growing(str):
        __slots__ = ()

        def __add__(self, other: str) -> str:
            mapping[f"new-{len(mapping)}"] = "x"
            return str.__add__(self, other)

    mapping: Any = {Growing("a"): "x", "b": 7}
    entity = GatewaySecretInfo("s-1", "name", mapping, 1, 1)
    for encode in (entity.to_bytes, entity.to_proto):
        with pytest.raises(WireError) as caught:
            encode()
        assert caught.value.path == 'GatewaySecretInfo.masked_values["b"]'


def test_a_mapping_that_fails_is_named():
    class Broken(dict[str, str]):
        def items(self) -> Any:
            raise RuntimeError("CANARY")

        __iter__ = keys = __getitem__ = items

    entity = GatewaySecretInfo("s-1", "name", Broken(a="b"), 1, 1)
    with pytest.raises(WireError, match="cannot be read as a dict; it is of type Broken") as caught:
        entity.to_bytes()
    assert caught.value.path == "GatewaySecretInfo.masked_values"


def test_an_attribute_that_was_deleted_is_named():
    for name in ("key", "value"):
        tag = GatewayEndpointTag("k", "v")
        delattr(tag, name)
        assert path_of(tag) == f"GatewayEndpointTag.{name}"


def test_a_required_message_may_not_be_another():
    policy = GatewayBudgetPolicy.from_proto(full(message_type(GatewayBudgetPolicy)))
    policy.duration = FallbackConfig()  # type: ignore[assignment]
    assert path_of(policy) == "GatewayBudgetPolicy.duration"
    policy.duration = BudgetDuration(1, None)  # type: ignore[arg-type]
    assert path_of(policy) == "GatewayBudgetPolicy.duration.value"


def test_unknown_fields_that_are_not_in_the_wire_format():
    tag = GatewayEndpointTag("k", "v")
    tag._unknown_fields = b"\x07"
    assert path_of(tag) == "GatewayEndpointTag"


def path_of(entity: Any) -> str:
    with pytest.raises(WireError) as caught:
        entity.to_proto()
    return caught.value.path


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in KINDS for name in REQUIRED[kind.__name__]])
def test_a_missing_required_field_is_named(kind: Any, name: str):
    message = full(message_type(kind))
    message.ClearField(name)
    with pytest.raises(WireError) as caught:
        kind.from_proto(message)
    assert caught.value.path == f"{kind.__name__}.{name}"
    assert str(caught.value) == f"INVALID_ARGUMENT: {kind.__name__}.{name}: is required"


def test_a_missing_required_field_is_named_at_every_depth():
    message: Any = full(message_type(GatewayEndpoint))
    message.model_mappings[2].ClearField("mapping_id")
    message.tags[1].ClearField("key")
    with pytest.raises(WireError, match=r"GatewayEndpoint\.model_mappings\[2\]\.mapping_id: is required"):
        GatewayEndpoint.from_proto(message)
    message.model_mappings[0].model_definition.ClearField("provider")
    with pytest.raises(WireError, match=r"GatewayEndpoint\.model_mappings\[0\]\.model_definition\.provider: is required"):
        GatewayEndpoint.from_bytes(message.SerializeToString())


@pytest.mark.parametrize("data", [b"\xff", b"\x0a", b"\x0b", b"\x0c", b"\x00", b"\x0a\xff\xff\xff\xff\x0f"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_malformed_bytes(kind: Any, data: bytes):
    with pytest.raises(WireError) as caught:
        kind.from_bytes(data)
    assert caught.value.path.startswith(kind.__name__)


@pytest.mark.parametrize("data", [None, "text", 5, [b"x"]])
def test_an_argument_that_is_not_bytes(data: Any):
    with pytest.raises(WireError):
        GatewayEndpoint.from_bytes(data)


@pytest.mark.parametrize("proto", [None, b"bytes", 5, full(message_type(GatewayEndpointTag))])
def test_an_argument_of_another_type(proto: Any):
    with pytest.raises(WireError, match=r"must be a gatewayentities\.v1\.GatewayModelDefinition message"):
        GatewayModelDefinition.from_proto(proto)


def test_a_message_with_the_same_fields_is_not_the_message():
    request = endpoint_pb2.SetGatewayEndpointTagRequest(endpoint_id="e-1", key="k", value="v")
    with pytest.raises(WireError, match=r"must be a gatewayentities\.v1\.GatewayEndpointTag message"):
        GatewayEndpointTag.from_proto(request)  # type: ignore[arg-type]
