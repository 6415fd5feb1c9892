"""Errors of the dialect: status and error code, no effect, and no secret in the response."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from gateway_entities.mlflow_rest.routes import PREFIXES
from gateway_entities.testing import Gateway, gateway
from tests.mlflow_rest.rest import BUDGET, JSON, SECRET_VALUE, Rest, content, error_of
from tests.server.raw import request, write_lock

LIMIT = 4 * 1024 * 1024
Unique = Callable[[str], str]

ENDPOINT_CREATE, SECRET_CREATE, BUDGET_CREATE = "/endpoints/create", "/secrets/create", "/budgets/create"

TYPE_ERRORS: list[tuple[str, Any, list[str]]] = [
    (SECRET_CREATE, {"secret_name": 5}, ["secret_name must be a string, not a number"]),
    (SECRET_CREATE, {"secret_name": ["x"]}, ["secret_name must be a string, not an array"]),
    (SECRET_CREATE, {"secretName": True}, ["secret_name must be a string, not a boolean"]),
    (SECRET_CREATE, {"secret_name": "\ud800"}, ["secret_name must be Unicode text, has half of a surrogate pair"]),
    (
        SECRET_CREATE,
        {"secret_name": "a", "secretName": "a"},
        ["secret_name is given as both 'secret_name' and 'secretName'"],
    ),
    (SECRET_CREATE, b'{"secret_name": "a", "secret_name": "b"}', ["secret_name is given twice"]),
    (SECRET_CREATE, {"secret_value": "x"}, ["secret_value must be an object, not a string"]),
    (SECRET_CREATE, {"secret_value": 1, "auth_config": 2}, ["secret_value must be", "auth_config must be an object"]),
    (
        SECRET_CREATE,
        {"secret_value": {"a": 1, "b": None}},
        ['secret_value["a"] must be', 'secret_value["b"] must be a string'],
    ),
    (SECRET_CREATE, {"secret_value": {"\ud800": 1}}, ['secret_value["\\ud800"] must be']),
    (SECRET_CREATE, b'{"secret_value": {"a": "1", "a": "2"}}', ['secret_value["a"] is given twice']),
    (SECRET_CREATE, {"secret_value": [{"key": "a"}]}, ['secret_value[0] must be an object with "key" and "value"']),
    (SECRET_CREATE, {"secret_value": [["a", "b"], None]}, ["secret_value[0] must be", "secret_value[1] must be"]),
    (SECRET_CREATE, {"secret_value": [{"key": 1, "value": "x"}]}, ["secret_value[0] must be a string, not a number"]),
    (SECRET_CREATE, {"secret_value": [{"key": "a", "value": "x"}] * 2}, ["secret_value[1] repeats a key"]),
    (SECRET_CREATE, b'{"secret_value": [{"key": "a", "value": "x", "key": "b"}]}', ['secret_value[0] gives "key"']),
    (ENDPOINT_CREATE, {"model_configs": {}}, ["model_configs must be an array, not an object"]),
    (ENDPOINT_CREATE, {"model_configs": [None, 1]}, ["model_configs[0] must be an object", "model_configs[1] must be"]),
    (
        ENDPOINT_CREATE,
        {
            "model_configs": [
                {},
                {"model_definition_id": 5, "linkage_type": "SECONDARY", "weight": [], "fallback_order": 1.5},
            ]
        },
        [
            "model_configs[1].model_definition_id must be a string",
            "model_configs[1].linkage_type must be one of PRIMARY, FALLBACK",
            "model_configs[1].weight must be a number, not an array",
            "model_configs[1].fallback_order must be a whole number",
        ],
    ),
    (ENDPOINT_CREATE, {"model_configs": [{"weight": 1e39}]}, ["model_configs[0].weight must be within the range"]),
    (
        ENDPOINT_CREATE,
        {"model_configs": [{"fallback_order": 2**31}]},
        ["model_configs[0].fallback_order must be -2147483648"],
    ),
    (ENDPOINT_CREATE, {"model_configs": [{"fallback_order": "1" * 5000}]}, ["model_configs[0].fallback_order must be"]),
    (
        ENDPOINT_CREATE,
        {"fallback_config": "x", "usage_tracking": "true"},
        ["fallback_config must", "usage_tracking must be true"],
    ),
    (ENDPOINT_CREATE, {"usage_tracking": 1, "experiment_id": 3}, ["usage_tracking must", "experiment_id must be a string"]),
    (ENDPOINT_CREATE, {"routing_strategy": 99}, ["routing_strategy must be one of REQUEST_BASED_TRAFFIC_SPLIT"]),
    (ENDPOINT_CREATE, {"routing_strategy": True}, ["routing_strategy must be one of"]),
    (ENDPOINT_CREATE, {"routing_strategy": 1.0}, ["routing_strategy must be one of"]),
    (ENDPOINT_CREATE, {"fallback_config": {"max_attempts": "two"}}, ["fallback_config.max_attempts must be a number"]),
    (
        BUDGET_CREATE,
        {"budget_amount": True, "duration": 5},
        ["budget_amount must be a number", "duration must be an object"],
    ),
    (BUDGET_CREATE, {"budget_amount": "12 "}, ["budget_amount must be a number, not other text"]),
    (BUDGET_CREATE, {"budget_amount": 10**400}, ["budget_amount must be within the range of a double"]),
    (
        BUDGET_CREATE,
        {"duration": {"unit": "days", "value": {}}},
        ["duration.unit must be one of MINUTES", "duration.value must"],
    ),
    *(
        (BUDGET_CREATE, {"budget_amount": text}, ["budget_amount must be a number, not other text"])
        for text in ("1_0", "\uff11", " 1", "1\n", "+1", "01", ".5", "inf", "0x1", "")
    ),
    (BUDGET_CREATE, {"duration": {"value": "1_000"}}, ["duration.value must be a number, not other text"]),
    (BUDGET_CREATE, {"budget_unit": "\uff11"}, ["budget_unit must be one of USD"]),
    *(
        ("/budgets/update", {"target_scope": newer}, ["target_scope must be one of GLOBAL, WORKSPACE, ENDPOINT, USER"])
        for newer in ("ROLE", 5)
    ),
    ("/budgets/update", {"update_mask": "a," * 100}, ["update_mask must have at most 100 paths"]),
    ("/budgets/update", {"update_mask": 5}, ["update_mask must be a string"]),
    ("/budgets/update", {"update_mask": "\ud800"}, ["update_mask must be Unicode text"]),
]


@pytest.mark.parametrize(("path", "body", "faults"), TYPE_ERRORS)
def test_every_type_error_has_its_path(rest: Rest, path: str, body: Any, faults: list[str]) -> None:
    status, error_code, message = rest.error("POST", path, body)
    assert (status, error_code) == (400, "INVALID_PARAMETER_VALUE")
    parts = message.split("; ")
    # A text may itself contain "; ", as in "is given twice; provide it once".
    starts = [text for text in parts if not text.startswith("provide ")]
    assert len(starts) == len(faults)
    for text, fault in zip(starts, faults, strict=True):
        assert text.startswith(fault)


@pytest.mark.parametrize(
    "body",
    [
        *(b"{", b"{'a': 1}", b"nul", b"[]", b"[{}]", b"null", b"5", b"true", b'"', b'"x"', b'""', b'"[]"', b'"\\"{}\\""'),
        *(b"\xff", b'{"secret_name": "\xff"}', b'{"secret_name": "\xed\xa0\x80"}', "{}".encode("utf-16"), b"{}{}", b"{} x"),
        *(b"[" * 100_000, b'{"a":' * 100_000, b'{"a": ' + b"1" * 5000 + b"}", b"secret_name=x"),
    ],
)
def test_a_body_that_is_no_json_object_is_an_error(rest: Rest, body: bytes) -> None:
    assert rest.error("POST", SECRET_CREATE, body)[:2] == (400, "INVALID_PARAMETER_VALUE")


def test_the_check_stops_after_a_hundred_violations_and_says_that_there_are_more(rest: Rest) -> None:
    for number in 100, 101:
        body = {"secret_value": {f"k{i}": i for i in range(number)}}
        status, _, message = rest.error("POST", SECRET_CREATE, body)
        assert status == 400
        assert message.startswith("more than 100 violations: " if number > 100 else 'secret_value["k0"] must be')
        assert message.endswith(" of 100 violations are left out)")


@pytest.mark.parametrize("encodings", [1, 2])
def test_a_body_with_too_many_values_is_an_error(rest: Rest, encodings: int) -> None:
    body = '{"model_configs": [' + "{}," * 10_000 + "{}]}"
    if encodings == 2:
        body = json.dumps(body)
    _, error_code, message = rest.error("POST", ENDPOINT_CREATE, body.encode())
    assert (error_code, message) == ("INVALID_PARAMETER_VALUE", "the request has more than 10000 values")


@pytest.mark.parametrize("query", ["secret_id=%ff", "secret_id=%ed%a0%80", "secret_id=%00"])
def test_a_query_that_is_no_text_is_an_error(rest: Rest, query: str) -> None:
    assert error_of(rest.send("GET", "/secrets/get", query=query))[:2] == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize(
    "query", ["max_results=x", "max_results=1.5", "max_results=-1", "max_results=50001", "page_token=x"]
)
def test_a_query_is_checked_as_a_body_is(rest: Rest, query: str) -> None:
    error = error_of(rest.send("GET", "/budgets/list", query=query))
    assert error[:2] == (400, "INVALID_PARAMETER_VALUE")
    assert error.message.startswith(query.partition("=")[0] + " ")


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonl", None])
def test_a_post_of_something_else_is_400_with_mlflows_words(rest: Rest, content_type: str | None) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    status, error_code, message = error_of(rest.send("POST", SECRET_CREATE, {}, headers=headers))
    assert (status, error_code) == (400, "INVALID_PARAMETER_VALUE")
    fault = "header is missing." if content_type is None else "must be one of ['application/json']."
    assert message == f"Bad Request. Content-Type {fault}"


def test_texts_that_clients_look_for(rest: Rest, unique: Unique) -> None:
    for path, first, second in (
        ("/secrets/get", "secret_id", "secret_name"),
        ("/model-definitions/get", "model_definition_id", "name"),
        ("/endpoints/get", "endpoint_id", "name"),
    ):
        text = f"Exactly one of {first} or {second} must be provided"
        for query in ({}, {first: "x", second: "y"}, {first: "", second: ""}):
            assert rest.error("GET", path, **query) == (400, "INVALID_PARAMETER_VALUE", text)
    endpoint, secret = rest.endpoint(unique("e")), rest.secret(unique("s"))
    # MLflow's web page shows its own sentence for each of these.
    error = rest.error("POST", ENDPOINT_CREATE, {"name": endpoint["name"], "model_configs": [config_of(endpoint)]})
    assert "already exists" in error.message
    assert "endpoint_name" in error.message
    error = rest.error("POST", SECRET_CREATE, {"secret_name": secret["secret_name"], "secret_value": SECRET_VALUE})
    assert error.message == f"Secret with name '{secret['secret_name']}' already exists"


def config_of(endpoint: Any) -> dict[str, str]:
    return {"model_definition_id": endpoint["model_mappings"][0]["model_definition_id"], "linkage_type": "PRIMARY"}


@pytest.mark.parametrize("verb", ["POST", "DELETE"])
def test_a_compressed_body_is_415(rest: Rest, verb: str) -> None:
    path = SECRET_CREATE if verb == "POST" else "/secrets/delete"
    response = rest.send(verb, path, gzip.compress(b"{}"), headers={**JSON, "content-encoding": "gzip"})
    assert error_of(response)[:2] == (415, "INVALID_PARAMETER_VALUE")
    assert response.headers["accept-encoding"] == "identity"


def test_a_body_over_the_limit_is_413(rest: Rest, unique: Unique) -> None:
    body = json.dumps({"secret_name": unique("large"), "secret_value": SECRET_VALUE}).encode()
    assert error_of(rest.send("POST", SECRET_CREATE, body.ljust(LIMIT + 1)))[:2] == (413, "RESOURCE_LIMIT_EXCEEDED")
    assert rest.send("POST", SECRET_CREATE, body.ljust(LIMIT)).status == 200


def test_what_does_not_exist_is_404(rest: Rest) -> None:
    error = rest.error("GET", "/secrets/get", secret_id="nope")
    assert error == (404, "RESOURCE_DOES_NOT_EXIST", "GatewaySecret not found (secret_id='nope')")
    for path, key in (
        ("/endpoints/delete", {"endpoint_id": "nope"}),
        ("/model-definitions/delete", {"model_definition_id": "nope"}),
        ("/budgets/delete", {"budget_policy_id": "nope"}),
        ("/endpoints/bindings/delete", {"endpoint_id": "nope", "resource_type": "scorer", "resource_id": "1"}),
    ):
        assert rest.error("DELETE", path, key)[:2] == (404, "RESOURCE_DOES_NOT_EXIST")


def test_every_duplicate_is_400_and_shows_no_sql(rest: Rest, unique: Unique) -> None:
    secret, model, endpoint = rest.secret(unique("s")), rest.definition(unique("m")), rest.endpoint(unique("e"))
    config = {"model_definition_id": model["model_definition_id"], "linkage_type": "PRIMARY"}
    on = {"endpoint_id": endpoint["endpoint_id"]}
    binding = {**on, "resource_type": "scorer", "resource_id": "1"}
    fields = {"secret_id": secret["secret_id"], "provider": "openai", "model_name": "x"}
    rest.ok("POST", "/endpoints/models/attach", {**on, "model_config": config})
    rest.ok("POST", "/endpoints/bindings/create", binding)
    for path, body in (
        ("/secrets/create", {"secret_name": secret["secret_name"], "secret_value": SECRET_VALUE}),
        ("/model-definitions/create", {"name": model["name"], **fields}),
        ("/endpoints/create", {"name": endpoint["name"], "model_configs": [config]}),
        ("/endpoints/create", {"name": unique("e"), "model_configs": [config, config]}),
        ("/endpoints/models/attach", {**on, "model_config": config}),
        ("/endpoints/bindings/create", binding),
    ):
        status, error_code, message = rest.error("POST", path, body)
        assert (status, error_code) == (400, "RESOURCE_ALREADY_EXISTS")
        assert not any(word in message for word in ("SQL", "UNIQUE", "constraint", "INSERT"))


def test_what_the_state_forbids_is_409(rest: Rest, unique: Unique) -> None:
    endpoint = rest.endpoint(unique("e"))
    key = {"model_definition_id": endpoint["model_mappings"][0]["model_definition_id"]}
    assert rest.error("DELETE", "/model-definitions/delete", key)[:2] == (409, "INVALID_STATE")
    last = {**key, "endpoint_id": endpoint["endpoint_id"]}
    assert rest.error("POST", "/endpoints/models/detach", last)[:2] == (409, "INVALID_STATE")


def test_a_locked_store_is_503_and_a_damaged_one_500() -> None:
    with gateway() as running:
        rest = Rest(running.http_target)
        with write_lock(running.store_path):
            assert rest.error("POST", BUDGET_CREATE, BUDGET)[:2] == (503, "TEMPORARILY_UNAVAILABLE")
        rest.secret("s")
        with closing(sqlite3.connect(running.store_path)) as connection:
            connection.execute("UPDATE secrets SET masked_values = 'no JSON'")
            connection.commit()
        status, error_code, message = rest.error("GET", "/secrets/list")
        assert (status, error_code) == (500, "INTERNAL_ERROR")
        assert message.startswith("internal error, id ")


def test_a_failed_request_changes_nothing(running: Gateway, rest: Rest, unique: Unique) -> None:
    endpoint, policy = rest.endpoint(unique("e")), rest.budget()
    on = {"endpoint_id": endpoint["endpoint_id"]}
    config = {"model_definition_id": endpoint["model_mappings"][0]["model_definition_id"], "linkage_type": "PRIMARY"}
    before = content(running.store_path)
    for path, body in (
        ("/endpoints/update", {**on, "name": unique("new"), "usage_tracking": "no"}),
        ("/endpoints/update", {**on, "name": unique("new"), "model_configs": [config, {**config, "weight": "x"}]}),
        ("/endpoints/update", {**on, "name": unique("new"), "model_configs": [config, {**config, "weight": -1}]}),
        ("/endpoints/update", {**on, "name": unique("new"), "model_configs": [config, config]}),
        ("/endpoints/create", {"name": unique("new"), "model_configs": [config, {**config, "model_definition_id": "d-0"}]}),
        ("/budgets/update", {"budget_policy_id": policy["budget_policy_id"], "budget_amount": 1, "duration": {"unit": "X"}}),
        ("/budgets/update", {"budget_policy_id": policy["budget_policy_id"], "budget_amount": 1, "target_scope": "USER"}),
        ("/budgets/update", {"budget_policy_id": policy["budget_policy_id"], "budget_amount": 1, "budget_unit": 0}),
    ):
        assert rest.error("POST", path, body).status in {400, 404}
        assert content(running.store_path) == before


CANARY = "sk-canary-0badf00d"


@pytest.mark.parametrize(
    "value",
    [
        CANARY,
        [CANARY],
        {"api_key": [CANARY]},
        {"api_key": {CANARY: CANARY}},
        {"": CANARY},
        {"api_base": CANARY},
        {"api_key": CANARY + "\0"},
        {"api_key": CANARY + "\ud800"},
        [{"key": "api_key", "value": [CANARY]}],
        [{"key": "api_key", "value": CANARY}, {"key": "api_key", "value": CANARY}],
        [{"key": "api_key", "val": CANARY}],
        [{"key": 5, "value": CANARY}],
    ],
)
def test_no_response_shows_a_secret_value(rest: Rest, unique: Unique, value: Any) -> None:
    response = rest.send("POST", SECRET_CREATE, {"secret_name": unique("canary"), "secret_value": value})
    assert error_of(response).status == 400
    assert b"canary-0badf00d" not in response.body


def test_malformed_json_is_reported_by_place_only(rest: Rest) -> None:
    response = rest.send("POST", SECRET_CREATE, f'{{"secret_value": {{"api_key": "{CANARY}",}}}}'.encode())
    assert error_of(response).message.startswith("the body is not JSON: ")
    assert CANARY.encode() not in response.body


# Hosts

LIST = PREFIXES[0] + "/secrets/list"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.9.9.9:65535", "[::1]", "[::1]:80"])
def test_every_loopback_host_name_is_allowed(running: Gateway, host: str) -> None:
    assert request(running.http_target, "GET", LIST, headers={"host": host}).status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example:80", "127.0.0.1.evil.example", "10.0.0.1:80", "", "[::2]", "0.0.0.0", "é"],
)
def test_another_host_is_an_error_of_the_dialect(running: Gateway, host: str) -> None:
    # Against DNS rebinding: a web page could otherwise read everything through a browser.
    headers = {"host": host, "content-type": "application/json"}
    for path in (LIST, PREFIXES[1] + "/secrets/config"):
        assert error_of(request(running.http_target, "GET", path, headers=headers))[:2] == (403, "PERMISSION_DENIED")
    for path in ("/gatewayentities.v1.SecretService/ListGatewaySecretInfos", "/"):
        response = request(running.http_target, "POST", path, b"{}", headers)
        assert (response.status, response.error[0]) == (403, "permission_denied")
