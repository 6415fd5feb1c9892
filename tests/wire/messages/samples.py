"""Samples for the tests of wire validation: valid messages, and for each rule messages that break only that rule."""

from __future__ import annotations

import functools
from typing import NamedTuple

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

from gateway_entities.wire import message_type_named
from gatewayentities.v1 import budget_pb2, endpoint_pb2, guardrail_pb2, secret_pb2
from tests.messages import varint

CANARY = "sk-canary-5fb0c2d9e6a14b7c"


def tag(number: int, wire: int) -> bytes:
    return varint(number << 3 | wire)


def text(number: int, value: str | bytes) -> bytes:
    content = value.encode() if isinstance(value, str) else value
    return tag(number, 2) + varint(len(content)) + content


def number(field: int, value: int) -> bytes:
    return tag(field, 0) + varint(value % 2**64)


def mapping(position: int = 0, **changes: object) -> endpoint_pb2.GatewayEndpointModelMapping:
    made = endpoint_pb2.GatewayEndpointModelMapping(
        mapping_id=f"m-{position}",
        endpoint_id="e-1",
        model_definition_id=f"d-{position}",
        weight=0.5,
        created_at=1_700_000_000_000,
        linkage_type="PRIMARY",
    )
    made.model_definition.model_definition_id = f"d-{position}"
    made.model_definition.name = "chat"
    made.model_definition.provider = "openai"
    made.model_definition.model_name = "gpt-4o"
    made.model_definition.created_at = made.model_definition.last_updated_at = 1_700_000_000_000
    made.MergeFrom(endpoint_pb2.GatewayEndpointModelMapping(**changes))
    return made


def endpoint(*mappings: endpoint_pb2.GatewayEndpointModelMapping, **changes: object) -> endpoint_pb2.GatewayEndpoint:
    made = endpoint_pb2.GatewayEndpoint(
        endpoint_id="e-1", name="chat", created_at=1_700_000_000_000, last_updated_at=1_700_000_000_001
    )
    made.model_mappings.extend(mappings or [mapping()])
    made.MergeFrom(endpoint_pb2.GatewayEndpoint(**changes))
    return made


def guardrail_request(**fields: object) -> guardrail_pb2.CreateGatewayGuardrailRequest:
    given = {"name": "n", "scorer_id": "a", "scorer_version": 1, "stage": 1, "action": 1, **fields}
    return guardrail_pb2.CreateGatewayGuardrailRequest(**given)


def policy(**changes: object) -> budget_pb2.GatewayBudgetPolicy:
    fields: dict[str, object] = {"budget_policy_id": "bp-1", "budget_unit": "USD", "budget_amount": 1.0, "created_at": 1}
    fields |= {"duration": {"unit": "DAYS", "value": 1}, "target_scope": "GLOBAL", "budget_action": "ALERT"}
    return budget_pb2.GatewayBudgetPolicy(**{**fields, "last_updated_at": 1, **changes})


def secret(**changes: object) -> secret_pb2.CreateGatewaySecretRequest:
    fields: dict[str, object] = {"secret_name": "n", "secret_value": {"api_key": CANARY}, **changes}
    return secret_pb2.CreateGatewaySecretRequest(**fields)


def entry(*parts: bytes) -> bytes:
    return text(2, b"".join(parts))


@functools.cache
def numbers_type() -> type[Message]:
    """Return a recursive type of another contract, with repeated numbers and an enum without rules."""
    file = descriptor_pb2.FileDescriptorProto(name="tests/wire/numbers.proto", package="tests.wire", syntax="proto3")
    message = file.message_type.add(name="Numbers")
    message.field.add(name="values", number=1, type="TYPE_INT32", label="LABEL_REPEATED")
    message.field.add(name="color", number=2, type="TYPE_ENUM", type_name=".tests.wire.Color", label="LABEL_OPTIONAL")
    message.field.add(name="level", number=3, type="TYPE_SINT32", label="LABEL_OPTIONAL")
    message.field.add(name="inner", number=4, type="TYPE_MESSAGE", type_name=".tests.wire.Numbers", label="LABEL_OPTIONAL")
    color = file.enum_type.add(name="Color")
    color.value.add(name="NONE", number=0)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tests.wire.Numbers"))


@functools.cache
def old_type() -> type[Message]:
    """Return a proto2 type of another contract, with a oneof, a required field, an extension, a group and an Any."""
    file = descriptor_pb2.FileDescriptorProto(name="tests/wire/old.proto", package="tests.wire", syntax="proto2")
    file.dependency.append("google/protobuf/any.proto")
    message = file.message_type.add(name="Old")
    message.extension_range.add(start=100, end=200)
    message.field.add(name="text", number=1, type="TYPE_STRING", label="LABEL_OPTIONAL")
    message.field.add(name="inner", number=2, type="TYPE_MESSAGE", type_name=".tests.wire.Inner", label="LABEL_OPTIONAL")
    message.field.add(name="any", number=3, type="TYPE_MESSAGE", type_name=".google.protobuf.Any", label="LABEL_OPTIONAL")
    message.oneof_decl.add(name="choice")
    for number, name in enumerate(("left", "right"), 4):
        message.field.add(name=name, number=number, type="TYPE_STRING", label="LABEL_OPTIONAL", oneof_index=0)
    message.nested_type.add(name="Pair").field.add(name="a", number=1, type="TYPE_INT32", label="LABEL_OPTIONAL")
    message.field.add(name="pair", number=6, type="TYPE_GROUP", type_name=".tests.wire.Old.Pair", label="LABEL_REPEATED")
    inner = file.message_type.add(name="Inner")
    inner.field.add(name="id", number=1, type="TYPE_STRING", label="LABEL_REQUIRED")
    inner.field.add(name="note", number=2, type="TYPE_STRING", label="LABEL_OPTIONAL")
    file.extension.add(name="more", number=100, type="TYPE_STRING", label="LABEL_OPTIONAL", extendee=".tests.wire.Old")
    file.extension.add(
        name="group",
        number=101,
        type="TYPE_GROUP",
        type_name=".tests.wire.Old.Pair",
        label="LABEL_OPTIONAL",
        extendee=".tests.wire.Old",
    )
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(any_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tests.wire.Old"))


@functools.cache
def recursive_type() -> type[Message]:
    """Return a proto2 type with a required field, which contains itself, in a list and in a map as well."""
    file = descriptor_pb2.FileDescriptorProto(name="tests/wire/recursive.proto", package="tests.wire", syntax="proto2")
    message = file.message_type.add(name="Recursive")
    own = ".tests.wire.Recursive"
    message.field.add(name="id", number=1, type="TYPE_STRING", label="LABEL_REQUIRED")
    message.field.add(name="inner", number=2, type="TYPE_MESSAGE", type_name=own, label="LABEL_OPTIONAL")
    message.field.add(name="many", number=3, type="TYPE_MESSAGE", type_name=own, label="LABEL_REPEATED")
    message.field.add(name="named", number=4, type="TYPE_MESSAGE", type_name=f"{own}.NamedEntry", label="LABEL_REPEATED")
    entry = message.nested_type.add(name="NamedEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type="TYPE_STRING", label="LABEL_OPTIONAL")
    entry.field.add(name="value", number=2, type="TYPE_MESSAGE", type_name=own, label="LABEL_OPTIONAL")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tests.wire.Recursive"))


class Bad(NamedTuple):
    """A message that breaks one rule."""

    rule: str
    message_type: type[Message] | str
    data: bytes
    path: str
    offset: int


ENDPOINT = endpoint().SerializeToString(deterministic=True)
SECRET = secret().SerializeToString(deterministic=True)
_NAME = text(1, "n")
_PAIR = text(1, "a") + text(2, "v")
_LONG = ENDPOINT + text(11, "1")
_CREATE = "CreateGatewayEndpointRequest"
_CONFIG = text(1, "d-1") + number(2, 1)
_ID = text(1, "e-1")
_DELETE = "DeleteGatewayEndpointRequest"


_URL = "a.example/tests.wire.Inner"


def _sent(message: Message) -> bytes:
    return message.SerializeToString(deterministic=True)


def _nested(depth: int) -> bytes:
    data = b""
    for _ in range(depth):
        data = text(4, data)
    return data


BAD: list[Bad] = [
    Bad("wire/truncated", "GatewayEndpoint", ENDPOINT + b"\x5a\x05ab", "", len(ENDPOINT)),
    Bad("wire/truncated", "GatewayEndpoint", ENDPOINT + b"\x18", "", len(ENDPOINT)),
    Bad("wire/truncated", "GatewayEndpoint", ENDPOINT + b"\x18\x80", "", len(ENDPOINT)),
    Bad("wire/truncated", "GatewayEndpoint", ENDPOINT + b"\x79\x01\x02", "", len(ENDPOINT)),
    Bad("wire/field-number", "GatewayEndpoint", ENDPOINT + b"\x02\x01a", "", len(ENDPOINT)),
    Bad("wire/field-number", "GatewayEndpoint", ENDPOINT + varint(2**29 << 3) + b"\1", "", len(ENDPOINT)),
    Bad("wire/trailing-bytes", "GatewayEndpoint", ENDPOINT + b"\0\0\0", "", len(ENDPOINT)),
    Bad("wire/wire-type", "GatewayEndpoint", ENDPOINT + b"\x0e", "", len(ENDPOINT)),
    Bad("wire/unmatched-group", "GatewayEndpoint", ENDPOINT + b"\x7c", "", len(ENDPOINT)),
    Bad("wire/depth", numbers_type(), _nested(101), ".".join(["inner"] * 100), -2),
    Bad("wire/varint-too-long", "GatewayEndpoint", ENDPOINT + b"\x60" + b"\x81" * 10 + b"\1", "", len(ENDPOINT)),
    Bad("wire/varint-too-long", "GatewayEndpoint", ENDPOINT + b"\x80" * 5 + b"\1", "", len(ENDPOINT)),
    Bad("wire/utf8", _DELETE, text(1, b"\xff"), "endpoint_id", 0),
    Bad(
        "wire/utf8",
        "CreateGatewaySecretRequest",
        _NAME + entry(text(1, b"\xc0\x80"), text(2, "v")),
        "secret_value[0].key",
        5,
    ),
    Bad(
        "wire/varint-overflow",
        "GatewayEndpoint",
        ENDPOINT + b"\x60\x81" + b"\x80" * 8 + b"\x02",
        "usage_tracking",
        len(ENDPOINT),
    ),
    Bad("wire/overlong-varint", _DELETE, b"\x8a\x00\x03e-1", "endpoint_id", 0),
    Bad("wire/overlong-varint", _DELETE, b"\x0a\x83\x80\x00e-1", "endpoint_id", 0),
    Bad("wire/repeated-field", _DELETE, _ID + _ID, "endpoint_id", 5),
    Bad("wire/repeated-field", "CreateGatewaySecretRequest", _NAME + entry(_PAIR, text(2, "v")), 'secret_value["a"]', 3),
    Bad("wire/merged-message", old_type(), text(2, text(1, "a")) + text(2, text(2, "b")), "inner", 5),
    Bad("wire/oneof", old_type(), text(4, "a") + text(5, "b"), "right", 3),
    Bad("schema/utf8", old_type(), text(1, b"\xff"), "text", 0),
    Bad("schema/utf8", old_type(), text(100, b"\xff"), "[tests.wire.more]", 0),
    Bad("schema/required", old_type(), text(2, text(2, "b")), "inner.id", 0),
    Bad("schema/required", old_type(), text(3, text(1, _URL) + text(2, text(2, "b"))), "any.value.id", len(_URL) + 4),
    Bad("any/payload", old_type(), text(3, text(1, _URL) + text(2, b"\x0e")), "any.value", len(_URL) + 6),
    Bad("any/type-url", old_type(), text(3, text(2, b"\x0e")), "any.value", 2),
    Bad("any/unknown-type", old_type(), text(3, text(1, "a.example/no.Type") + text(2, b"\x0e")), "any.value", 21),
    Bad("wire/unknown-field", old_type(), tag(9, 3) + tag(9, 4), "#9", 0),
    Bad("wire/unknown-field", _DELETE, _ID + number(999, 1), "#999", 5),
    Bad("wire/group", _DELETE, _ID + tag(9, 3) + tag(9, 4), "#9", 5),
    Bad("wire/order", "DeleteGatewayEndpointTagRequest", text(2, "k") + _ID, "endpoint_id", 3),
    Bad(
        "wire/map-order",
        "CreateGatewaySecretRequest",
        _NAME + entry(text(1, "b"), text(2, "v")) + entry(_PAIR),
        'secret_value["a"]',
        11,
    ),
    Bad("schema/wire-type", "SetGatewayEndpointTagRequest", _ID + text(2, "k") + number(3, 1), "value", 8),
    Bad("schema/number-range", "FallbackConfig", number(2, 2**32 + 1), "max_attempts", 0),
    Bad("schema/number-range", "GatewayEndpoint", ENDPOINT + number(12, 2), "usage_tracking", len(ENDPOINT)),
    Bad("schema/required", "GatewayEndpointTag", text(2, "v"), "key", 0),
    Bad("schema/required", "GatewayEndpoint", ENDPOINT + text(8, text(2, "v")), "tags[0].key", len(ENDPOINT)),
    Bad("schema/enum", "GatewayEndpoint", _sent(endpoint(routing_strategy=7)), "routing_strategy", len(ENDPOINT)),
    Bad("schema/enum", numbers_type(), number(2, 5), "color", 0),
    Bad("schema/retired-field", "CreateGatewaySecretRequest", SECRET + text(4, "x"), "#4", len(SECRET)),
    Bad("schema/map-duplicate", "CreateGatewaySecretRequest", _NAME + entry(_PAIR) * 2, 'secret_value["a"]', 11),
    Bad(
        "schema/map-entry",
        "CreateGatewaySecretRequest",
        SECRET + entry(_PAIR, number(3, 1)),
        'secret_value["a"]',
        len(SECRET),
    ),
    Bad(
        "schema/wire-type",
        "CreateGatewaySecretRequest",
        SECRET + entry(text(1, "b"), number(2, 1)),
        'secret_value["b"]',
        len(SECRET),
    ),
    Bad(
        "schema/map-default",
        "CreateGatewaySecretRequest",
        SECRET + text(5, text(1, "region")),
        'auth_config["region"]',
        len(SECRET),
    ),
    Bad("schema/packing", numbers_type(), number(1, 5), "values[0]", 0),
    Bad("rules/length", "GatewayEndpointTag", text(1, "k" * 251), "key", 0),
    Bad("rules/length", _DELETE, text(1, ""), "endpoint_id", 0),
    Bad("rules/nul", "GatewayEndpointTag", text(1, "k") + text(2, "a\0"), "value", 3),
    Bad("rules/form", "GatewayEndpoint", _sent(endpoint(experiment_id="x")), "experiment_id", len(ENDPOINT)),
    Bad("rules/number", "FallbackConfig", number(2, 0), "max_attempts", 0),
    Bad("rules/number", "BudgetDuration", number(1, 3) + number(2, 36526), "value", 2),
    Bad("rules/enum", "BudgetDuration", number(1, 0) + number(2, 1), "unit", 0),
    Bad("rules/enum", _CREATE, text(1, "n") + text(2, _CONFIG) + number(4, 9), "routing_strategy", 12),
    Bad("rules/mask", "UpdateGatewaySecretRequest", text(1, "s-1") + text(1002, text(1, "nope")), "update_mask", 5),
    Bad(
        "rules/count",
        "UpdateGatewaySecretRequest",
        text(1, "s-1") + text(1002, text(1, "auth_config") * 101),
        "update_mask",
        5,
    ),
    Bad("rules/empty-entry", "CreateGatewaySecretRequest", _NAME + entry(text(1, "a"), text(2, "")), 'secret_value["a"]', 3),
    Bad("rules/duplicate", "ResolveGatewayEndpointRequest", text(2, "a") * 2, "names[1]", 3),
    Bad(
        "rules/reserved-key",
        "CreateGatewaySecretRequest",
        _sent(secret(auth_config={"base_url": "x"})),
        'auth_config["base_url"]',
        len(SECRET),
    ),
    Bad(
        "rules/address",
        "CreateGatewaySecretRequest",
        _sent(secret(auth_config={"api_base": "http://x"})),
        'auth_config["api_base"]',
        len(SECRET),
    ),
    Bad("across/exactly-one", "GetGatewayEndpointRequest", _ID + text(2, "n"), "endpoint_id", 0),
    Bad("across/primary-model", "GatewayEndpoint", _sent(endpoint(mapping(linkage_type=2))), "model_mappings", 25),
    Bad("across/primary-model", _CREATE, text(1, "n") + text(2, text(1, "d-1") + number(2, 2)), "model_configs", 3),
    Bad("across/weight-sum", "GatewayEndpoint", _sent(endpoint(mapping(weight=0))), "model_mappings", 25),
    Bad("across/linkage", _CREATE, text(1, "n") + text(2, _CONFIG) * 2, "model_configs[1]", 12),
    Bad(
        "across/fallback-order",
        "GatewayEndpoint",
        _sent(endpoint(mapping(), *(mapping(i, linkage_type=2, fallback_order=0) for i in (1, 2)))),
        "model_mappings[2].fallback_order",
        -2,
    ),
    Bad(
        "across/reference",
        "GatewayEndpoint",
        _sent(endpoint(mapping(endpoint_id="e-2"))),
        "model_mappings[0].endpoint_id",
        32,
    ),
    Bad(
        "across/reference", "GatewayEndpointModelMapping", _sent(mapping(model_definition_id="d-9")), "model_definition", 15
    ),
    Bad("across/tag-key", "GatewayEndpoint", ENDPOINT + text(8, text(1, "k")) * 2, "tags[1].key", len(ENDPOINT) + 7),
    Bad(
        "across/scorer",
        "CreateGatewayGuardrailRequest",
        _sent(guardrail_request(scorer={"scorer_id": "b"})),
        "scorer.scorer_id",
        -3,
    ),
    Bad("across/target", "GatewayBudgetPolicy", _sent(policy(target_value="x")), "target_value", -3),
    Bad("across/name", "GatewayConfiguration", text(2, text(1, "s")) * 2, "secrets[1].name", 7),
    Bad("across/owner", "ApplyGatewayConfigurationRequest", text(1, b"") + number(2, 1), "prune", 2),
    Bad(
        "across/window",
        "GatewayBudgetWindow",
        text(1, "bp-1") + number(2, 5) + number(3, 5) + tag(4, 1) + bytes(8),
        "window_end_ms",
        8,
    ),
]


def class_of(message_type: type[Message] | str) -> type[Message]:
    return message_type_named(message_type) if isinstance(message_type, str) else message_type
