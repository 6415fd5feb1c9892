"""The JSON form: every entity survives it, and what does not fit is an error with a path."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import pytest
from google.protobuf import json_format, wrappers_pb2
from google.protobuf.descriptor import FieldDescriptor
from hypothesis import given

from gateway_entities import (
    BudgetDuration,
    FallbackConfig,
    FallbackStrategy,
    GatewayBudgetWindow,
    GatewayEndpoint,
    GatewayEndpointModelConfig,
    GatewayEndpointTag,
    GatewaySecretInfo,
    WireError,
)
from gateway_entities.entities import json_form
from tests.entities.entity_types import KINDS, PLAIN_KINDS, filled, message_type, valid
from tests.messages import REQUIRED, full, is_map

every_entity = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", PLAIN_KINDS, ids=lambda kind: kind.__name__)
def test_an_entity_survives_its_dict_and_its_json(kind: Any):
    @given(valid(kind))
    def law(entity: Any):
        plain = kind.from_proto(without_unknown(entity.to_proto()))
        assert kind.from_dict(entity.to_dict()) == plain
        assert kind.from_json(entity.to_json()) == plain
        assert kind.from_json(entity.to_json().encode()) == plain
        # Strict JSON, whose numbers every reader knows exactly.
        for number in numbers(json.loads(entity.to_json(), parse_constant=pytest.fail)):
            assert not isinstance(number, int) or abs(number) <= 2**53

    law()


@every_entity
def test_protobuf_s_json_is_read_too(kind: Any):
    @given(valid(kind))
    def law(entity: Any):
        plain = kind.from_proto(without_unknown(entity.to_proto()))
        for names in (True, False):
            text = json_format.MessageToJson(entity.to_proto(), preserving_proto_field_name=names)
            assert kind.from_json(text) == plain

    law()


def without_unknown(message: Any) -> Any:
    message.DiscardUnknownFields()
    return message


def numbers(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [number for item in value.values() for number in numbers(item)]
    if isinstance(value, list):
        return [number for item in value for number in numbers(item)]
    return [value] if isinstance(value, (int, float)) else []


def is_alternative(field: FieldDescriptor) -> bool:
    return field.containing_oneof is not None and len(field.containing_oneof.fields) > 1


@every_entity
def test_a_dict_has_the_fields_by_their_proto_names(kind: Any):
    shown = filled(kind).to_dict()
    fields = [field for field in message_type(kind).DESCRIPTOR.fields if field.name in shown or not is_alternative(field)]
    assert list(shown) == [field.name for field in sorted(fields, key=lambda f: f.number)]
    for field in fields:
        if field.enum_type is not None:
            assert shown[field.name] == field.enum_type.values_by_number[1].name
        elif field.type == FieldDescriptor.TYPE_INT64:
            assert type(shown[field.name]) is int


def test_the_form_of_each_type():
    entity = GatewayEndpoint(
        *("e-1", "", 2**53, 2**53 + 1),
        tags=[GatewayEndpointTag("k", None)],
        routing_strategy=7,
        fallback_config=FallbackConfig(FallbackStrategy.SEQUENTIAL),
        usage_tracking=False,
    )
    shown = entity.to_dict()
    assert shown == {
        "endpoint_id": "e-1",
        "name": "",
        "created_at": 2**53,
        "last_updated_at": 2**53 + 1,
        "tags": [{"key": "k"}],
        "routing_strategy": 7,
        "fallback_config": {"strategy": "SEQUENTIAL"},
        "usage_tracking": False,
    }
    assert json.loads(entity.to_json()) == {**shown, "last_updated_at": str(2**53 + 1)}
    assert GatewayEndpointModelConfig("d-1", 1, 0.1).to_dict()["weight"] == 0.1
    assert json.loads(GatewayBudgetWindow("bp-1", 0, 1, -math.inf).to_json())["current_spend"] == "-Infinity"
    assert math.isinf(GatewayBudgetWindow("bp-1", 0, 1, -math.inf).to_dict()["current_spend"])


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, 2.0**31, str(2**31)])
def test_a_number_out_of_range_is_called_so(value: Any):
    with pytest.raises(WireError, match=r"max_attempts: must be a 32-bit integer; it is out of range$"):
        FallbackConfig.from_dict({"max_attempts": value})


def test_bytes_are_base64():
    shown = json_form.to_dict(wrappers_pb2.BytesValue(value=b"\xfb\xff\x00"))
    assert shown == {"value": "+/8A"}

    class Holder:
        _message = wrappers_pb2.BytesValue

    for text in ("+/8A", "-_8A"):
        assert json_form.from_dict(Holder, {"value": text}).value == b"\xfb\xff\x00"
    with pytest.raises(WireError, match=r"Holder\.value: must be base64 text; it is a str"):
        json_form.from_dict(Holder, {"value": "?"})


def test_both_spellings_and_both_forms():
    window = GatewayBudgetWindow("bp-1", 5, 2**60, 1.5)
    for value in (
        {"budget_policy_id": "bp-1", "window_start_ms": 5, "window_end_ms": 2**60, "current_spend": 1.5},
        {"budgetPolicyId": "bp-1", "windowStartMs": "5", "windowEndMs": str(2**60), "currentSpend": "1.5"},
        {"budgetPolicyId": "bp-1", "window_start_ms": 5.0, "window_end_ms": float(2**60), "currentSpend": "15e-1"},
    ):
        assert GatewayBudgetWindow.from_dict(value) == window
        assert GatewayBudgetWindow.from_json(json.dumps(value)) == window
    assert BudgetDuration.from_dict({"unit": 3, "value": 1}) == BudgetDuration.from_dict({"unit": "DAYS", "value": "1"})
    assert FallbackConfig.from_dict({"strategy": None, "maxAttempts": None}) == FallbackConfig()
    assert GatewaySecretInfo.from_dict({**SECRET, "masked_values": None}) == GatewaySecretInfo("s-1", "n", {}, 1, 1)


SECRET: dict[str, Any] = {"secret_id": "s-1", "secret_name": "n", "created_at": 1, "last_updated_at": 1}
ENDPOINT: dict[str, Any] = {"endpoint_id": "e-1", "created_at": 1, "last_updated_at": 1}


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (
            {**ENDPOINT, "nmae": "x"},
            r"GatewayEndpoint\.nmae: is not a field of GatewayEndpoint; its fields are endpoint_id, na",
        ),
        ({**ENDPOINT, "tags": [{"key": "k"}, {"key": "k", "x": 1}]}, r"GatewayEndpoint\.tags\[1\]\.x: is not a field"),
        (
            {**ENDPOINT, "endpointId": "e-1"},
            r"GatewayEndpoint\.endpoint_id: is given twice, as endpoint_id and as endpointId",
        ),
        ({**ENDPOINT, "_unknown_fields": ""}, r"GatewayEndpoint\._unknown_fields: is not a field"),
        ({**ENDPOINT, 5: ""}, r"GatewayEndpoint\.\?: is not a field"),
        ({**ENDPOINT, "é" * 999: ""}, r"GatewayEndpoint\.(\\xe9){60}: is not a field"),
        ({"endpoint_id": "e-1"}, r"GatewayEndpoint\.created_at: is required"),
        ({**ENDPOINT, "tags": [{}]}, r"GatewayEndpoint\.tags\[0\]\.key: is required"),
        ({**ENDPOINT, "tags": [None]}, r"GatewayEndpoint\.tags\[0\]: must be an object, not null"),
        ({**ENDPOINT, "tags": {"key": "k"}}, r"GatewayEndpoint\.tags: must be a list, not a dict"),
        ({**ENDPOINT, "fallback_config": []}, r"GatewayEndpoint\.fallback_config: must be an object, not a list"),
        (
            {**ENDPOINT, "routing_strategy": "X"},
            r"GatewayEndpoint\.routing_strategy: must be one of REQUEST_BASED_TRAFFIC_SPL",
        ),
        ([], r"GatewayEndpoint: must be a.* object, not a list"),
        (None, r"GatewayEndpoint: must be a.* object, not null"),
    ],
)
def test_an_error_has_the_path(value: Any, error: str):
    for read in (GatewayEndpoint.from_dict, lambda value: GatewayEndpoint.from_json(json.dumps(value))):
        if isinstance(value, dict) and 5 in value and read is not GatewayEndpoint.from_dict:
            continue
        with pytest.raises(WireError, match=error) as caught:
            read(value)
        assert isinstance(caught.value, ValueError)
        assert caught.value.__cause__ is None


WRONG: dict[int, list[Any]] = {
    FieldDescriptor.TYPE_STRING: [1, True, b"x", ["x"], {}, "\ud800"],
    FieldDescriptor.TYPE_BOOL: [0, 1, "true", "", []],
    FieldDescriptor.TYPE_ENUM: ["CANARY", "", "1", True, 1.5, 2**31, []],
    FieldDescriptor.TYPE_INT32: ["", "x", "01", "1.0", "+1", " 1", True, 1.5, 2**31, str(2**31), "9" * 5000, []],
    FieldDescriptor.TYPE_INT64: ["", "x", "0x1", "1_0", "\u0661", True, 1.5, 2**63, str(2**63), math.inf, math.nan, {}],
    FieldDescriptor.TYPE_FLOAT: ["", "x", "inf", "1e39", 1e39, True, [], "1_0", Decimal("0.5")],
    FieldDescriptor.TYPE_DOUBLE: ["", "x", "nan", "1e400", 10**400, True, [], "0x1", "1" * 401, Decimal("0.5")],
    FieldDescriptor.TYPE_MESSAGE: [1, "x", [], True],
}


@pytest.mark.parametrize("kind", PLAIN_KINDS, ids=lambda kind: kind.__name__)
def test_a_value_that_does_not_fit_is_named_and_not_shown(kind: Any):
    shown = kind.from_proto(full(message_type(kind))).to_dict()
    for field in message_type(kind).DESCRIPTOR.fields:
        wrong: list[Any] = WRONG[field.type]
        if is_map(field):
            wrong = [1, "x", [], {"k": 1}, {"k": None}, {1: "v"}, {"k": "\ud800"}]
        elif field.is_repeated:
            wrong = [1, "x", {}, [1], ["CANARY"], [[]]]
        required = [None] if field.name in REQUIRED[kind.__name__] else []
        for value in [*wrong, *required]:
            with pytest.raises(WireError) as caught:
                kind.from_dict({**shown, field.name: value})
            assert caught.value.path.startswith(f"{kind.__name__}.{field.name}"), value
            assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", r"FallbackConfig: is not JSON: Expecting value at line 1, column 1"),
        ('{"max_attempts": 1', "is not JSON"),
        ('{"max_attempts": 1} x', "is not JSON: Extra data"),
        ("[]", "must be a JSON object, not a list"),
        ("null", "must be a JSON object, not null"),
        ('{"max_attempts": 1, "max_attempts": 2}', "has the key max_attempts twice"),
        ('{"max_attempts": NaN}', 'has a bare NaN; write it as text: "NaN"'),
        ('{"max_attempts": 1e999}', "out of the range"),
        ('{"max_attempts": %s}' % ("9" * 5000), "too many digits"),
        ("[" * 100_000, "nests too deeply"),
        ('{"a":' * 100_000, "nests too deeply"),
        (" " * (json_form.MAX_LENGTH + 1), "longer than"),
        (b"\xff\xfe{\0}\0", "is UTF-16 or binary"),
        (b"\xff", "is not UTF-8"),
        (7, "must be JSON text, not an int"),
    ],
)
def test_text_that_is_no_json_object(text: Any, error: str):
    with pytest.raises(WireError, match=error) as caught:
        FallbackConfig.from_json(text)
    assert caught.value.path == "FallbackConfig"


@pytest.mark.parametrize("text", ["\ufeff{}", b"\xef\xbb\xbf{}", bytearray(b"{}")])
def test_a_byte_order_mark_is_no_part_of_the_json(text: Any):
    assert FallbackConfig.from_json(text) == FallbackConfig()


def test_an_entity_that_cannot_be_encoded_has_no_json():
    for show in (GatewayEndpointTag.to_dict, GatewayEndpointTag.to_json):
        with pytest.raises(WireError, match=r"GatewayEndpointTag\.key: must be text"):
            show(GatewayEndpointTag(b"k", "v"))  # type: ignore[arg-type]


def test_unknown_fields_are_not_in_json():
    for kind in PLAIN_KINDS:
        entity = filled(kind)
        assert kind.from_json(entity.to_json()) == kind.from_proto(without_unknown(entity.to_proto()))
