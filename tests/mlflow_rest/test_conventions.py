"""JSON of the dialect, in both directions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.mlflow_rest.rest import BUDGET, JSON, SECRET_VALUE, Rest, error_of
from tests.server.raw import request

Unique = Callable[[str], str]


# Responses


def test_a_response_is_encoded_as_by_mlflow(rest: Rest, unique: Unique) -> None:
    name = unique("Schlüssel")
    response = rest.send("POST", "/secrets/create", {"secret_name": name, "secret_value": SECRET_VALUE, "created_by": "ann"})
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["x-frame-options"] == "SAMEORIGIN"
    secret = response.json["secret"]
    # Snake case, in the order of the field numbers, numbers as numbers, unset fields omitted.
    assert list(secret) == [
        *("secret_id", "secret_name", "masked_values", "created_at", "last_updated_at", "created_by", "last_updated_by")
    ]
    assert type(secret["created_at"]) is int
    assert secret["masked_values"] == {"api_key": "sk-...cdef"}
    assert response.body == json.dumps(response.json, indent=2, ensure_ascii=True).encode()


def test_enums_are_names_and_floats_are_short(rest: Rest, unique: Unique) -> None:
    model = {"model_definition_id": rest.definition(unique("m"))["model_definition_id"]}
    endpoint = rest.endpoint(
        unique("endpoint"),
        model_configs=[
            {**model, "linkage_type": "PRIMARY", "weight": 0.1},
            {**model, "linkage_type": "FALLBACK", "fallback_order": 0},
        ],
        routing_strategy="REQUEST_BASED_TRAFFIC_SPLIT",
        fallback_config={"max_attempts": 2},
        experiment_id="0042",
    )
    primary, fallback = endpoint["model_mappings"]
    assert (primary["weight"], primary["linkage_type"]) == (0.1, "PRIMARY")
    assert "fallback_order" not in primary
    assert (fallback["fallback_order"], fallback["linkage_type"]) == (0, "FALLBACK")
    assert type(fallback["weight"]) is float
    assert endpoint["routing_strategy"] == "REQUEST_BASED_TRAFFIC_SPLIT"
    assert endpoint["fallback_config"] == {"max_attempts": 2}
    assert (endpoint["experiment_id"], endpoint["usage_tracking"]) == ("0042", True)


def test_actors_that_were_never_set_are_empty_where_mlflow_sends_them(rest: Rest, unique: Unique) -> None:
    secret, endpoint, policy = rest.secret(unique("s")), rest.endpoint(unique("e")), rest.budget()
    on = {"endpoint_id": endpoint["endpoint_id"]}
    sent = {"name": "g", "scorer_id": "s", "scorer_version": 1, "stage": "AFTER", "action": "VALIDATION"}
    guardrail = rest.ok("POST", "/guardrails/create", sent)["guardrail"]
    config = rest.ok("POST", "/guardrails/add-to-endpoint", {**on, "guardrail_id": guardrail["guardrail_id"]})["config"]
    resource = {**on, "resource_type": "scorer", "resource_id": "1"}
    binding = rest.ok("POST", "/endpoints/bindings/create", resource)["binding"]
    for present in (endpoint, policy, guardrail, config["guardrail"]):
        assert (present["created_by"], present["last_updated_by"]) == ("", "")
    assert config["created_by"] == ""
    # In the order of the field numbers.
    assert list(config) == ["endpoint_id", "guardrail_id", "created_by", "created_at", "guardrail"]
    mapping = endpoint["model_mappings"][0]
    for absent in (secret, mapping, mapping["model_definition"], binding):
        assert not absent.keys() & {"created_by", "last_updated_by"}
    assert rest.ok("GET", "/endpoints/get", **on)["endpoint"]["created_by"] == ""


def test_an_empty_list_is_an_empty_object(rest: Rest) -> None:
    assert rest.send("GET", "/secrets/list", query={"provider": "nobody's"}).body == b"{}"


# Requests

SPELLINGS: list[tuple[str, Any]] = [
    ("snake case", {"budget_unit": "USD", "budget_amount": 12.5, "budget_action": "ALERT"}),
    ("camel case", {"budgetUnit": "USD", "budgetAmount": 12.5, "budgetAction": "ALERT"}),
    ("numbers of enums", {"budget_unit": 1, "budget_amount": 12.5, "budget_action": 1}),
    ("numbers in strings", {"budget_unit": "1", "budget_amount": "12.5", "budget_action": "1"}),
    ("an exponent", {"budget_unit": "USD", "budget_amount": "125e-1", "budget_action": "ALERT"}),
    ("unknown fields", {"budget_unit": "USD", "budget_amount": 12.5, "budget_action": "ALERT", "x": {"y": [1]}}),
    ("nulls", {"budget_unit": "USD", "budget_amount": 12.5, "budget_action": "ALERT", "created_by": None}),
    ("empty texts", {"budget_unit": "USD", "budget_amount": 12.5, "budget_action": "ALERT", "created_by": ""}),
]


@pytest.mark.parametrize("fields", [fields for _, fields in SPELLINGS], ids=[name for name, _ in SPELLINGS])
def test_a_request_has_several_spellings(rest: Rest, fields: Any) -> None:
    rest_of_it = {"duration": {"unit": "DAYS", "value": 1}, "target_scope": "GLOBAL"}
    policy = rest.ok("POST", "/budgets/create", {**fields, **rest_of_it})["budget_policy"]
    assert policy.items() >= {**BUDGET, "budget_amount": 12.5}.items()
    assert policy["created_by"] == ""


@pytest.mark.parametrize("value", [3, "3", 3.0, "3.0", "3e0"])
def test_integers_may_be_written_as_other_numbers(rest: Rest, value: Any) -> None:
    assert rest.budget(duration={"unit": "DAYS", "value": value})["duration"] == {"unit": "DAYS", "value": 3}


@pytest.mark.parametrize(
    "form",
    [
        dict,
        lambda pairs: [{"key": key, "value": value} for key, value in pairs],
        lambda pairs: [{"value": value, "key": key, "note": 1} for key, value in pairs],
    ],
    ids=["object", "array", "array with more in it"],
)
def test_a_map_may_be_an_object_or_an_array(rest: Rest, unique: Unique, form: Callable[[Any], Any]) -> None:
    values = [("aws_access_key_id", "AKIA0123456789"), ("aws_secret_access_key", "0123456789abcdef89abcdef")]
    settings = [("auth_mode", "access_keys"), ("aws_region_name", "")]
    secret = rest.secret(unique("map"), secret_value=form(values), auth_config=form(settings))
    assert secret["masked_values"] == {"aws_access_key_id": "***", "aws_secret_access_key": "012...cdef"}
    assert secret["auth_config"] == dict(settings)


def test_a_json_string_is_read_a_second_time(rest: Rest, unique: Unique) -> None:
    body = json.dumps({"secret_name": unique("twice"), "secret_value": SECRET_VALUE})
    assert rest.ok("POST", "/secrets/create", json.dumps(body).encode())


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_a_post_declares_json(rest: Rest, content_type: str) -> None:
    response = rest.send("POST", "/secrets/update", {}, headers={"content-type": content_type})
    assert response.status == 400


def test_a_byte_order_mark_is_ignored(rest: Rest) -> None:
    body = b"\xef\xbb\xbf" + json.dumps(BUDGET).encode()
    assert rest.ok("POST", "/budgets/create", body)


# Query and body of GET and DELETE


def test_get_reads_the_query_or_else_the_body(rest: Rest, unique: Unique) -> None:
    first, second = rest.secret(unique("a")), rest.secret(unique("b"))
    key, other = {"secret_id": first["secret_id"]}, {"secret_id": second["secret_id"]}
    assert rest.ok("GET", "/secrets/get", **key)["secret"] == first
    assert rest.ok("GET", "/secrets/get", secretId=first["secret_id"])["secret"] == first
    assert rest.ok("GET", "/secrets/get", key)["secret"] == first
    assert rest.ok("GET", "/secrets/get", other, **key)["secret"] == first
    assert rest.send("GET", "/secrets/get", key, headers={"content-type": "text/plain"}).json["secret"] == first
    assert rest.ok("GET", "/secrets/get", secret_name=first["secret_name"])["secret"] == first


def test_delete_reads_the_body_or_else_the_query(rest: Rest, unique: Unique) -> None:
    first, second, third = (rest.secret(unique("s"))["secret_id"] for _ in range(3))
    assert rest.ok("DELETE", "/secrets/delete", {"secret_id": first}, secret_id=second) == {}
    assert rest.error("DELETE", "/secrets/delete", {}, secret_id=second)[:2] == (400, "INVALID_PARAMETER_VALUE")
    assert rest.ok("DELETE", "/secrets/delete", secret_id=second) == {}
    assert rest.send("DELETE", "/secrets/delete", {"secret_id": third}, headers={}).json == {}


def test_a_query_is_decoded_as_a_form(rest: Rest, unique: Unique) -> None:
    secret = rest.secret(unique("né & co"), provider="a b+c=d")
    response = rest.send("GET", "/secrets/list", query="provider=a+b%2Bc%3Dd&other=%20&other=2&empty")
    assert response.json == {"secrets": [secret]}


def test_numbers_and_empty_values_in_a_query(rest: Rest) -> None:
    for _ in range(2):
        rest.budget()
    page = rest.ok("GET", "/budgets/list", max_results="1", page_token="")
    assert len(page["budget_policies"]) == 1
    following = rest.ok("GET", "/budgets/list", max_results=1, page_token=page["next_page_token"])
    assert following["budget_policies"] != page["budget_policies"]


def test_a_whole_list_has_no_page_tokens(rest: Rest, unique: Unique) -> None:
    for _ in range(2):
        rest.secret(unique("s"))
    whole = rest.ok("GET", "/secrets/list")
    path = "/gatewayentities.v1.SecretService/ListGatewaySecretInfos"
    page = request(rest.target, "POST", path, b'{"pageSize": 1}', JSON).json
    for page_token in (page["nextPageToken"], "x", ""):
        assert rest.ok("GET", "/secrets/list", page_size=1, page_token=page_token) == whole


@pytest.mark.parametrize("path", ["/secrets/get", "/endpoints/get"])
def test_a_repeated_parameter_is_an_error(rest: Rest, path: str) -> None:
    name = "secret_id" if "secrets" in path else "endpoint_id"
    camel = "secretId" if "secrets" in path else "endpointId"
    for query, fault in ((f"{name}=a&{name}=b", "given twice"), (f"{name}=a&{camel}=a", "given as both")):
        error = error_of(rest.send("GET", path, query=query))
        assert error[:2] == (400, "INVALID_PARAMETER_VALUE")
        assert error.message.startswith(f"{name} is {fault}")


# null and "" change nothing

EMPTY_UPDATES: list[tuple[str, dict[str, Any]]] = [
    ("secret", {"secret_value": None, "auth_config": None, "updated_by": None}),
    ("secret", {"secret_value": {}, "auth_config": {}, "updated_by": ""}),
    ("secret", {"secret_value": [], "auth_config": []}),
    ("definition", dict.fromkeys(("name", "secret_id", "model_name", "provider", "updated_by"))),
    ("definition", dict.fromkeys(("name", "secret_id", "model_name", "provider", "updated_by"), "")),
    (
        "endpoint",
        dict.fromkeys(
            ("name", "model_configs", "routing_strategy", "fallback_config", "experiment_id", "usage_tracking", "updated_by")
        ),
    ),
    ("endpoint", {**dict.fromkeys(("name", "routing_strategy", "experiment_id", "updated_by"), ""), "model_configs": []}),
    ("endpoint", {"routing_strategy": "ROUTING_STRATEGY_UNSPECIFIED"}),
    (
        "budget",
        dict.fromkeys(
            ("budget_unit", "budget_amount", "duration", "target_scope", "budget_action", "target_value", "updated_by")
        ),
    ),
    (
        "budget",
        dict.fromkeys(("budget_unit", "target_scope", "budget_action", "target_value", "updated_by"), ""),
    ),
]


@pytest.mark.parametrize(("noun", "fields"), EMPTY_UPDATES, ids=[noun for noun, _ in EMPTY_UPDATES])
def test_null_and_empty_leave_a_field_unchanged(rest: Rest, unique: Unique, noun: str, fields: dict[str, Any]) -> None:
    created: dict[str, Callable[[], Any]] = {
        "secret": lambda: rest.secret(unique("s"), auth_config={"auth_mode": "x"}, provider="p", created_by="ann"),
        "definition": lambda: rest.definition(unique("m"), created_by="ann"),
        "endpoint": lambda: rest.endpoint(
            unique("e"),
            routing_strategy="REQUEST_BASED_TRAFFIC_SPLIT",
            fallback_config={"strategy": "SEQUENTIAL", "max_attempts": 2},
            experiment_id="7",
            usage_tracking=False,
            created_by="ann",
        ),
        "budget": lambda: rest.budget(target_scope="USER", target_value="bob", created_by="ann"),
    }
    place, key, response = {
        "secret": ("/secrets", "secret_id", "secret"),
        "definition": ("/model-definitions", "model_definition_id", "model_definition"),
        "endpoint": ("/endpoints", "endpoint_id", "endpoint"),
        "budget": ("/budgets", "budget_policy_id", "budget_policy"),
    }[noun]
    before = created[noun]()
    after = rest.ok("POST", f"{place}/update", {key: before[key], **fields})[response]
    assert {**after, "last_updated_at": 0} == {**before, "last_updated_at": 0}
    assert rest.ok("GET", f"{place}/get", **{key: before[key]})[response] == after


def test_empty_texts_on_creation_are_absent(rest: Rest, unique: Unique) -> None:
    secret = rest.secret(unique("s"), provider="", created_by="", auth_config={})
    assert not secret.keys() & {"provider", "created_by", "last_updated_by", "auth_config"}
    endpoint = rest.endpoint(
        unique("e"), created_by="", experiment_id="", routing_strategy="", usage_tracking=None, fallback_config=None
    )
    assert (endpoint["created_by"], endpoint["last_updated_by"]) == ("", "")
    assert not endpoint.keys() & {"experiment_id", "routing_strategy", "fallback_config"}
    assert "target_value" not in rest.budget(target_value="", created_by=None)
    for empty in ("", None):
        error = rest.error("POST", "/budgets/create", {**BUDGET, "target_scope": "USER", "target_value": empty})
        assert error.message == "target_value is required when target_scope is USER"
        error = rest.error("POST", "/secrets/create", {"secret_name": empty, "secret_value": SECRET_VALUE})
        assert error.message == "secret_name is required"
        error = rest.error("POST", "/budgets/create", {**BUDGET, "budget_unit": empty})
        assert error.message == "budget_unit is required"


def test_the_empty_value_of_a_tag_is_a_value(rest: Rest, unique: Unique) -> None:
    endpoint = rest.endpoint(unique("tagged"))
    for key, value in (("absent", None), ("empty", ""), ("given", "x")):
        fields = {"endpoint_id": endpoint["endpoint_id"], "key": key, "value": value}
        assert rest.ok("POST", "/endpoints/set-tag", fields) == {}
    read = rest.ok("GET", "/endpoints/get", endpoint_id=endpoint["endpoint_id"])["endpoint"]
    assert read["tags"] == [{"key": "absent", "value": ""}, {"key": "empty", "value": ""}, {"key": "given", "value": "x"}]


def test_an_auth_config_that_normalizes_to_nothing_clears(rest: Rest, unique: Unique) -> None:
    secret = rest.secret(unique("s"), auth_config={"api_base": "https://api.example.com", "auth_mode": "x"})
    request = {"secret_id": secret["secret_id"], "auth_config": {"api_base": " "}}
    # A stored value stays bound to its address.
    assert error_of(rest.send("POST", "/secrets/update", json.dumps(request).encode(), headers=JSON))[:2] == (
        400,
        "INVALID_PARAMETER_VALUE",
    )
    cleared = rest.ok("POST", "/secrets/update", {**request, "secret_value": {"api_key": "sk-0123456789"}})
    assert "auth_config" not in cleared["secret"]


def test_a_post_without_a_body_is_an_empty_object(rest: Rest) -> None:
    for body in (b"", b" \n", b"{}"):
        error = error_of(rest.send("POST", "/secrets/update", body, headers=JSON))
        assert error == (400, "INVALID_PARAMETER_VALUE", "secret_id is required")
