"""JSON requests: an error names the field and contains no value."""

from __future__ import annotations

import json
import math

import pytest
from google.protobuf import json_format

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import METHODS
from gateway_entities.server.rpc.json_request import parse
from gatewayentities.v1 import endpoint_pb2, secret_pb2
from gatewayentities.v1.budget_pb2 import CreateGatewayBudgetPolicyRequest
from gatewayentities.v1.change_pb2 import ListGatewayChangesRequest

CANARY = "sk-canary-51c0ffee"


def read(value: object, message_type=secret_pb2.CreateGatewaySecretRequest):
    return parse(value if isinstance(value, bytes) else json.dumps(value).encode(), message_type)


def refused(value: object, message_type=secret_pb2.CreateGatewaySecretRequest) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        read(value, message_type)
    assert (caught.value.code, caught.value.reason) == (Code.INVALID_ARGUMENT, "WIRE_FORMAT")
    return caught.value


def fields(error: GatewayError) -> list[str]:
    return [violation.field for violation in error.field_violations]


def test_objects_and_arrays_nest_a_hundred_deep():
    body = b'{"zzz": ' + b"[" * 99 + b"]" * 99 + b', "secret_name": "n"}'
    assert read(body).secret_name == "n"
    assert read({"secret_name": '[{\\"' * 200}).secret_name


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_the_empty_object_is_the_empty_message(method):
    assert read({}, method.request_type) == method.request_type()


def test_both_names_of_a_field_are_read():
    camel = read({"secretName": "a", "secretValue": {"k": "v"}})
    assert camel == read({"secret_name": "a", "secret_value": {"k": "v"}})
    assert (camel.secret_name, dict(camel.secret_value)) == ("a", {"k": "v"})


def test_null_is_absent():
    assert not read({"secretName": None}).HasField("secret_name")


def test_unknown_fields_are_ignored_at_every_depth():
    value = {
        "zzz": {"a": [1]},
        "name": "e",
        "modelConfigs": [{"modelDefinitionId": "d-1", "zzz": 1, "weight": 0.5}],
        "fallbackConfig": {"[not.an.extension]": 1, "maxAttempts": 2},
    }
    assert read(value, endpoint_pb2.CreateGatewayEndpointRequest) == endpoint_pb2.CreateGatewayEndpointRequest(
        name="e", model_configs=[{"model_definition_id": "d-1", "weight": 0.5}], fallback_config={"max_attempts": 2}
    )


def test_every_invalid_field_is_named_in_one_error():
    value = {
        "name": 5,
        "modelConfigs": [
            {"modelDefinitionId": "d-1", "linkageType": "PRIMARY"},
            {"modelDefinitionId": [], "linkageType": "SECONDARY", "weight": "heavy", "fallbackOrder": 2**31},
            7,
        ],
        "fallbackConfig": [],
        "usageTracking": "yes",
    }
    error = refused(value, endpoint_pb2.CreateGatewayEndpointRequest)
    assert fields(error) == [
        "name",
        "model_configs[1].model_definition_id",
        "model_configs[1].linkage_type",
        "model_configs[1].weight",
        "model_configs[1].fallback_order",
        "model_configs[2]",
        "fallback_config",
        "usage_tracking",
    ]
    assert all(field in error.message for field in fields(error))


def test_an_unknown_enum_name_lists_the_known_ones():
    [violation] = refused({"duration": {"unit": "FORTNIGHTS"}}, CreateGatewayBudgetPolicyRequest).field_violations
    assert violation == ("duration.unit", "must be one of MINUTES, HOURS, DAYS, WEEKS, MONTHS")


def test_an_unknown_enum_number_is_left_to_the_rules():
    assert read({"duration": {"unit": 77}}, CreateGatewayBudgetPolicyRequest).duration.unit == 77


def test_a_mask_is_a_string_of_camel_case_names():
    request = read({"updateMask": "secretValue,authConfig"}, secret_pb2.UpdateGatewaySecretRequest)
    assert list(request.update_mask.paths) == ["secret_value", "auth_config"]
    assert fields(refused({"updateMask": ["secretValue"]}, secret_pb2.UpdateGatewaySecretRequest)) == ["update_mask"]


@pytest.mark.parametrize("more", [{}, {"zzz": 1}], ids=["alone", "beside an unknown field"])
def test_a_scalar_given_under_both_names_is_refused(more):
    assert fields(refused({"secretName": "a", "secret_name": "a"} | more)) == ["secret_name"]


WRONG_VALUES = [
    {"secret_value": CANARY},
    {"secret_value": [CANARY]},
    {"secret_value": [{"key": "api_key", "value": CANARY}]},
    {"secret_value": True},
    {"secret_value": 5136},
    {"secret_value": {"api_key": [CANARY]}},
    {"secret_value": {"api_key": {"nested": CANARY}}},
    {"secret_value": {"api_key": {CANARY: 1}}},
    {"secret_value": {"api_key": 5136}},
    {"secret_value": {"api_key": 51.36}},
    {"secret_value": {"api_key": True}},
    {"secret_value": {"api_key": None}},
    {"secret_value": {"api_key": CANARY + "\ud800"}},
    {"secret_value": {"good": CANARY, "bad": 1}},
    {"secret_value": {"\ud800": CANARY}},
    {"secretValue": {"api_key": [CANARY]}, "zzz": CANARY},
    {"secret_name": [CANARY]},
    {"auth_config": {"region": [CANARY]}},
]


@pytest.mark.parametrize("value", WRONG_VALUES, ids=range(len(WRONG_VALUES)))
@pytest.mark.parametrize(
    "message_type", [secret_pb2.CreateGatewaySecretRequest, secret_pb2.UpdateGatewaySecretRequest], ids=["create", "update"]
)
def test_an_error_never_shows_a_value(value, message_type):
    if "secret_name" in value and "secret_name" not in message_type.DESCRIPTOR.fields_by_name:
        value = {"updated_by": value["secret_name"]}
    # What protobuf says itself is why its text is not passed on.
    with pytest.raises((json_format.ParseError, TypeError)):
        json_format.ParseDict(value, message_type())
    error = refused(value, message_type)
    assert error.field_violations
    shown = f"{error} {error!r} {error.field_violations} {error.__cause__} {error.details()}"
    assert CANARY not in shown
    assert "5136" not in shown
    assert "51.36" not in shown


def test_the_key_of_a_wrong_value_is_in_its_path():
    assert fields(refused({"secret_value": {"api key": 1, 'a"b': 2, "é": 3}})) == [
        'secret_value["api key"]',
        'secret_value["a\\"b"]',
        'secret_value["é"]',
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"{",
        b"[]",
        b"5",
        b'"' + CANARY.encode() + b'"',
        b'{"secret_value": {"api_key": ' + CANARY.encode() + b"}}",
        b'{"secret_value": {"api_key": "' + CANARY.encode() + b'\n"}}',
        b'{"secret_value": {"api_key": "' + CANARY.encode() + b'\xff"}}',
        b'{"secret_value": {"api_key": "' + CANARY.encode() + b'", "api_key": ""}}',
        b'{"zzz": ' + b"[" * 100 + b"]" * 100 + b"}",
        b'{"zzz": ' + b"9" * 5000 + b"}",
        json.dumps({"secret_value": {"api_key": CANARY}}).encode("utf-16"),
    ],
    ids=range(13),
)
def test_a_body_that_is_no_json_object_is_refused_without_quoting_it(body):
    error = refused(body)
    assert not error.field_violations
    assert error.message.startswith("the body ")
    assert "sk-" not in error.message
    assert error.__cause__ is None


@pytest.mark.parametrize(
    "text",
    [
        "1_0",
        "1_000",
        "\uff11\uff10",
        "\u0661",
        " 10",
        "10 ",
        "\t10",
        "10\n",
        "+1",
        "01",
        "-",
        "",
        "0x1",
        "1.0",
        "1e2",
        "--1",
    ],
)
def test_an_integer_as_text_has_the_form_of_json(text):
    [violation] = refused({"sinceRevision": text}, ListGatewayChangesRequest).field_violations
    assert violation == ("since_revision", "must be a whole number from -2^63 to 2^63-1")
    assert fields(refused({"pageSize": text, "zzz": 1}, ListGatewayChangesRequest)) == ["page_size"]
    nested = {"modelConfigs": [{}, {"fallbackOrder": text}]}
    assert fields(refused(nested, endpoint_pb2.CreateGatewayEndpointRequest)) == ["model_configs[1].fallback_order"]


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("-0", 0), ("10", 10), ("-1", -1), (str(2**63 - 1), 2**63 - 1)])
def test_an_integer_may_be_text(text, number):
    assert read({"sinceRevision": text}, ListGatewayChangesRequest).since_revision == number


@pytest.mark.parametrize("text", ["1_0", "\uff11", " 1", "+1", "01", ".5", "1.", "inf", "nan", "infinity", "0x1", ""])
def test_a_float_as_text_has_the_form_of_json(text):
    assert fields(refused({"budgetAmount": text}, CreateGatewayBudgetPolicyRequest)) == ["budget_amount"]
    weight = {"modelConfigs": [{"weight": text}]}
    assert fields(refused(weight, endpoint_pb2.CreateGatewayEndpointRequest)) == ["model_configs[0].weight"]


@pytest.mark.parametrize(("text", "number"), [("0.5", 0.5), ("-1E+2", -100.0), ("2e-1", 0.2), ("Infinity", math.inf)])
def test_a_float_may_be_text(text, number):
    assert read({"budgetAmount": text}, CreateGatewayBudgetPolicyRequest).budget_amount == number
    assert math.isnan(read({"budgetAmount": "NaN"}, CreateGatewayBudgetPolicyRequest).budget_amount)


@pytest.mark.parametrize("text", ["\uff11", " 1", "1_0", "+1", "USD "])
def test_an_enum_as_text_is_a_name_or_an_integer(text):
    assert fields(refused({"budgetUnit": text}, CreateGatewayBudgetPolicyRequest)) == ["budget_unit"]
    assert read({"budgetUnit": "1"}, CreateGatewayBudgetPolicyRequest).budget_unit == 1


def test_the_check_stops_after_a_hundred_violations_and_says_that_there_are_more():
    values = {"secret_value": {f"k{number}": number for number in range(100)}}
    hundred = refused(values)
    assert len(hundred.field_violations) == 100
    assert hundred.message.startswith('invalid JSON request: secret_value["k0"] must be')
    more = refused({"secret_value": {**values["secret_value"], "k100": 100}})
    assert more.field_violations == hundred.field_violations
    assert more.message.startswith('invalid JSON request: more than 100 violations: secret_value["k0"] must be')


def test_a_mask_has_at_most_a_hundred_names():
    update = secret_pb2.UpdateGatewaySecretRequest
    assert len(read({"updateMask": ",".join(["secretValue"] * 100)}, update).update_mask.paths) == 100
    for mask in ",".join(["secretValue"] * 101), "a" * 10_001:
        [violation] = refused({"updateMask": mask}, update).field_violations
        assert violation.field == "update_mask"
        assert violation.description.startswith("must be a string: at most 100 names")


def test_a_long_key_is_shortened_in_its_path():
    [violation] = refused({"secret_value": {"k" * 100_000: 1}}).field_violations
    assert len(violation.field) < 100
    assert violation.field.startswith('secret_value["kkk')


def test_too_many_values_are_refused_before_they_are_parsed():
    with pytest.raises(GatewayError) as caught:
        read(b'{"modelConfigs": [' + b"{}," * 10_000 + b"nonsense", endpoint_pb2.CreateGatewayEndpointRequest)
    assert (caught.value.code, caught.value.reason) == (Code.INVALID_ARGUMENT, "TOO_MANY_VALUES")
