"""MLFlowClient.jl works with our server: its requests, byte for byte, and its decoding of each response."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from gateway_entities.mlflow_rest.routes import ROUTES
from gateway_entities.server.store import open_store
from gateway_entities.testing import Gateway
from tests.mlflow_rest.julia import FUNCTIONS, SHAPES, Function, JuliaError, call, exchange, request_bytes, unreadable

Unique = Callable[[str], str]
VALUE = {"api_key": "sk-0123456789abcdef", "région": 'eu-west-1\n"quoted" é 🔑'}


@pytest.fixture
def julia(running: Gateway) -> Callable[..., Any]:
    """Calls a function of the package. Its structs must be able to decode every response."""

    def checked(name: str, /, **arguments: Any) -> Any:
        response = call(running.http_target, name, **arguments)
        for key, value in response.items():
            assert unreadable(value, SHAPES[key], key) == []
        return response

    return checked


def test_every_function_has_a_route_of_ours() -> None:
    assert {(f.verb, f"/{f.path}") for f in FUNCTIONS.values()} == {(route.verb, route.path) for route in ROUTES}


def test_the_bytes() -> None:
    """One request of each form in full, to verify the emulation."""
    create = FUNCTIONS["creategatewaysecret"]
    assert (
        request_bytes(create, "localhost:5000", {"secret_name": "é", "secret_value": {"k": "v"}})
        == (
            "POST /api/3.0/mlflow/gateway/secrets/create HTTP/1.1\r\nContent-Type: application/json\r\nConnection: close\r\n"
            "Host: localhost:5000\r\nAccept: */*\r\nUser-Agent: HTTP.jl/1.10.2\r\nContent-Length: 61\r\n\r\n"
            '{"secret_name":"é","secret_value":[{"key":"k","value":"v"}]}'
        ).encode()
    )
    listed = request_bytes(FUNCTIONS["listgatewayendpoints"], "localhost:5000", {"endpoint_type": "llm/v1/chat"})
    assert listed.startswith(b"GET /api/3.0/mlflow/gateway/endpoints/list?endpoint_type=llm%2Fv1%2Fchat HTTP/1.1\r\n")
    assert listed.endswith(b"HTTP.jl/1.10.2\r\n\r\n")
    deleted = request_bytes(FUNCTIONS["deletegatewaysecret"], "localhost:5000", {"secret_id": "s-1"})
    assert deleted.startswith(b"DELETE /api/3.0/mlflow/gateway/secrets/delete?secret_id=s-1 HTTP/1.1\r\n")
    assert deleted.endswith(b'Content-Length: 19\r\n\r\n{"secret_id":"s-1"}')
    bound = request_bytes(FUNCTIONS["creategatewayendpointbinding"], "x", {"endpoint_id": "e-1"})
    assert bound.endswith(b'\r\n\r\n{"created_by":null,"endpoint_id":"e-1"}')


def test_a_secret_is_stored_completely(running: Gateway, julia: Any, unique: Unique) -> None:
    """MLflow's own server responds with 200 to this form, and stores an empty secret."""
    settings = {"auth_mode": "keys", "aws_region_name": "é"}
    sent = {"secret_name": unique("julia"), "secret_value": VALUE, "auth_config": settings, "provider": "openai"}
    secret = julia("creategatewaysecret", **sent, created_by="ann")["secret"]
    assert secret["masked_values"].keys() == VALUE.keys()
    assert secret["auth_config"] == settings
    rotated = {"api_key": "sk-fedcba9876543210", "other": "x"}
    store = open_store(f"sqlite:///{running.store_path}")
    try:
        with store.read() as transaction:
            assert transaction.secrets.reveal(secret["secret_id"]) == VALUE
        julia("updategatewaysecret", secret_id=secret["secret_id"], secret_value=rotated, updated_by="bob")
        with store.read() as transaction:
            assert transaction.secrets.reveal(secret["secret_id"]) == rotated
    finally:
        store.close()
    read = julia("getgatewaysecretinfo", secret_id=secret["secret_id"])["secret"]
    assert (read["auth_config"], read["last_updated_by"]) == (settings, "bob")
    assert julia("getgatewaysecretinfo", secret_name=sent["secret_name"])["secret"] == read
    assert read in julia("listgatewaysecretinfos")["secrets"]
    assert julia("listgatewaysecretinfos", provider="none's") == {}


def test_every_function_works(julia: Any, unique: Unique) -> None:
    called: set[str] = set()

    def do(name: str, /, **arguments: Any) -> Any:
        called.add(name)
        return julia(name, **arguments)

    by_secret = {"secret_id": do("creategatewaysecret", secret_name=unique("s"), secret_value=VALUE)["secret"]["secret_id"]}
    do("getgatewaysecretinfo", **by_secret)
    do("updategatewaysecret", **by_secret)
    do("listgatewaysecretinfos")
    model = {**by_secret, "provider": "openai", "model_name": "gpt-4o"}
    first, second = (do("creategatewaymodeldefinition", name=unique("m"), **model)["model_definition"] for _ in range(2))
    assert "created_by" not in first
    key = {"model_definition_id": first["model_definition_id"]}
    updated = do("updategatewaymodeldefinition", **key, model_name="gpt-5")["model_definition"]
    # It sends null for every missing argument.
    assert {**updated, "last_updated_at": 0} == {**first, "model_name": "gpt-5", "last_updated_at": 0}
    assert do("getgatewaymodeldefinition", **key)["model_definition"] == updated
    assert updated in do("listgatewaymodeldefinitions", provider="openai")["model_definitions"]

    configs = [{**key, "linkage_type": "PRIMARY", "weight": 0.1}]
    endpoint = do("creategatewayendpoint", name=unique("e"), model_configs=configs, experiment_id="3")["endpoint"]
    assert endpoint["usage_tracking"] is True
    on = {"endpoint_id": endpoint["endpoint_id"]}
    config = {"model_definition_id": second["model_definition_id"], "linkage_type": "FALLBACK", "fallback_order": 1}
    mapping = do("attachmodeltogatewayendpoint", **on, model_config=config)["mapping"]
    assert (mapping["fallback_order"], mapping["model_definition"]) == (1, second)
    do("setgatewayendpointtag", **on, key="team", value="")
    changed = do("updategatewayendpoint", **on, routing_strategy="REQUEST_BASED_TRAFFIC_SPLIT", usage_tracking=False)
    assert do("getgatewayendpoint", **on) == changed
    assert changed["endpoint"]["tags"] == [{"key": "team", "value": ""}]
    assert changed["endpoint"] in do("listgatewayendpoints", endpoint_type="llm/v1/chat")["endpoints"]
    binding = do("creategatewayendpointbinding", **on, resource_type="scorer", resource_id="5")["binding"]
    assert do("listgatewayendpointbindings", **on)["bindings"] == [binding]
    assert do("deletegatewayendpointbinding", **on, resource_type="scorer", resource_id="5") == {}
    assert do("deletegatewayendpointtag", **on, key="team") == {}
    assert do("detachmodelfromgatewayendpoint", **on, model_definition_id=second["model_definition_id"]) == {}

    duration = {"unit": "MONTHS", "value": 1}
    budget = {"budget_unit": "USD", "budget_amount": 10, "duration": duration, "target_scope": "GLOBAL"}
    policy = do("creategatewaybudget", **budget, budget_action="ALERT")["budget_policy"]
    by_policy = {"budget_policy_id": policy["budget_policy_id"]}
    changed = do("updategatewaybudget", **by_policy, budget_amount=2.5, budget_action="REJECT")
    assert do("getgatewaybudget", **by_policy) == changed
    assert changed["budget_policy"] in do("listgatewaybudgets")["budget_policies"]
    assert by_policy.items() <= do("listgatewaybudgetwindows")["windows"][-1].items()

    assert do("deletegatewaybudget", **by_policy) == {}

    guard = {"name": "safe", "scorer_id": "scorer", "scorer_version": 1, "stage": "BEFORE", "action": "VALIDATION"}
    guardrail = do("creategatewayguardrail", **guard)["guardrail"]
    by_guardrail = {"guardrail_id": guardrail["guardrail_id"]}
    assert do("getgatewayguardrail", **by_guardrail)["guardrail"] == guardrail
    assert guardrail in do("listgatewayguardrails")["guardrails"]
    used = {**on, **by_guardrail}
    config = do("addguardrailtoendpoint", **used, execution_order=2)["config"]
    assert do("listendpointguardrailconfigs", **on)["configs"] == [config]
    assert do("updateendpointguardrailconfig", **used, execution_order=1)["config"] == {**config, "execution_order": 1}
    assert do("removeguardrailfromendpoint", **used) == {}
    assert do("deletegatewayguardrail", **by_guardrail) == {}
    assert do("deletegatewayendpoint", **on) == {}
    assert do("deletegatewaymodeldefinition", **key) == {}
    assert do("deletegatewaysecret", **by_secret) == {}
    assert called == FUNCTIONS.keys()


def test_errors_can_be_read(running: Gateway, julia: Any, unique: Unique) -> None:
    with pytest.raises(JuliaError, match=r"^RESOURCE_DOES_NOT_EXIST - GatewaySecret not found"):
        julia("getgatewaysecretinfo", secret_id="s-none")
    name = unique("s")
    julia("creategatewaysecret", secret_name=name, secret_value=VALUE)
    with pytest.raises(JuliaError, match=rf"^RESOURCE_ALREADY_EXISTS - .*'{name}'"):
        julia("creategatewaysecret", secret_name=name, secret_value=VALUE)
    with pytest.raises(JuliaError, match=r"^INVALID_PARAMETER_VALUE - secret_value is required"):
        julia("creategatewaysecret", secret_name=unique("s"), secret_value={})
    send = partial(exchange, running.http_target)
    for function, status in ((Function("GET", "nothing"), 404), (Function("PATCH", "secrets/update"), 405)):
        response = send(request_bytes(function, "localhost", {}))
        assert response.status == status
        assert b'"error_code"' in response.body
        assert b'"message"' in response.body


WITHOUT_ARGUMENTS = {
    *("listgatewaysecretinfos", "listgatewaymodeldefinitions", "listgatewayendpoints", "listgatewayendpointbindings"),
    *("listgatewaybudgets", "listgatewaybudgetwindows", "listgatewayguardrails"),
}
"""Functions that require no arguments. The package requires an endpoint for bindings, the server does not."""


def test_the_errors_of_every_function_can_be_read(julia: Any) -> None:
    names = {f"/{function.path}": name for name, function in FUNCTIONS.items()}
    for route in ROUTES:
        name = names[route.path]
        if name in WITHOUT_ARGUMENTS:
            julia(name)
            continue
        with pytest.raises(JuliaError, match=r"^INVALID_PARAMETER_VALUE - "):
            julia(name)
        if route.verb != "POST":
            # The package gets endpoints and definitions by id alone.
            fields = [field.name for field in route.method.request_type.DESCRIPTOR.fields if field.number < 1000]
            missing = {field: "x" for field in fields if field.endswith("_id") or field in {"key", "resource_type"}}
            with pytest.raises(JuliaError, match=r"^RESOURCE_DOES_NOT_EXIST - .* not found"):
                julia(name, **missing)


def test_basic_auth_is_accepted(running: Gateway) -> None:
    sent = request_bytes(FUNCTIONS["listgatewaysecretinfos"], "localhost", {})
    authorized = sent.replace(
        b"Connection: close\r\n", b"Connection: close\r\nAuthorization: Basic YWRtaW46cGFzc3dvcmQxMjM0\r\n"
    )
    assert exchange(running.http_target, authorized).status == 200
