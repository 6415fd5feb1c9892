"""Every route of the dialect is served, under both prefixes and by its own HTTP method only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway_entities.mlflow_rest.routes import PREFIXES, ROUTES, Route
from gateway_entities.testing import Gateway
from tests.mlflow_rest.rest import BUDGET, SECRET_VALUE, Rest, error_of
from tests.server.raw import request

every_route = pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.method.name)
both_prefixes = pytest.mark.parametrize("prefix", PREFIXES)


def test_every_rpc_of_mlflow_has_one_route() -> None:
    routed = [route.method for route in ROUTES]
    assert len(routed) == len(set(routed)) == len({route.path for route in ROUTES}) == 36


@both_prefixes
@every_route
def test_a_route_allows_its_own_verb_only(running: Gateway, prefix: str, route: Route) -> None:
    rest = Rest(running.http_target, prefix)
    empty = rest.send(route.verb, route.path, {})
    assert empty.status == 200 or error_of(empty)[:2] == (400, "INVALID_PARAMETER_VALUE")
    allowed = {"GET", "HEAD", "OPTIONS"} if route.verb == "GET" else {route.verb, "OPTIONS"}
    for verb in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - allowed:
        response = rest.send(verb, route.path, {})
        assert error_of(response)[:2] == (405, "INVALID_PARAMETER_VALUE")
        assert set(response.headers["allow"].split(", ")) == allowed


@both_prefixes
@every_route
def test_options_is_204_and_names_the_verbs(running: Gateway, prefix: str, route: Route) -> None:
    response = Rest(running.http_target, prefix).send("OPTIONS", route.path)
    assert (response.status, response.body) == (204, b"")
    assert set(response.headers["allow"].split(", ")) == {route.verb, "OPTIONS"} | (
        {"HEAD"} if route.verb == "GET" else set()
    )
    assert not response.headers.keys() & {"content-length", "content-type", "transfer-encoding"}


@both_prefixes
def test_every_route_works(running: Gateway, prefix: str, unique: Callable[[str], str]) -> None:
    rest = Rest(running.http_target, prefix)
    used: set[tuple[str, str]] = set()

    def call(verb: str, path: str, **fields: Any) -> Any:
        used.add((verb, path))
        return rest.ok(verb, path, **fields) if verb == "GET" else rest.ok(verb, path, fields)

    secret = call("POST", "/secrets/create", secret_name=unique("secret"), secret_value=SECRET_VALUE)["secret"]
    by_id = {"secret_id": secret["secret_id"]}
    assert call("GET", "/secrets/get", **by_id)["secret"] == secret
    assert secret in call("GET", "/secrets/list")["secrets"]
    changed = call("POST", "/secrets/update", **by_id, secret_value={"api_key": "sk-fedcba9876543210-9876543210"})["secret"]
    assert changed["masked_values"] == {"api_key": "sk-...3210"}

    models = [
        call(
            *("POST", "/model-definitions/create"),
            **{"name": unique("model"), **by_id, "provider": "openai", "model_name": "gpt-4o"},
        )["model_definition"]
        for _ in range(2)
    ]
    keys = [{"model_definition_id": model["model_definition_id"]} for model in models]
    assert call("GET", "/model-definitions/get", **keys[0])["model_definition"] == models[0]
    assert call("GET", "/model-definitions/list", **by_id)["model_definitions"] == models
    changed = call("POST", "/model-definitions/update", **keys[0], model_name="gpt-5")["model_definition"]
    assert changed["model_name"] == "gpt-5"

    configs = [{**keys[0], "linkage_type": "PRIMARY"}]
    endpoint = call("POST", "/endpoints/create", name=unique("endpoint"), model_configs=configs)["endpoint"]
    on = {"endpoint_id": endpoint["endpoint_id"]}
    assert call("GET", "/endpoints/get", **on)["endpoint"] == endpoint
    assert endpoint in call("GET", "/endpoints/list")["endpoints"]
    assert call("POST", "/endpoints/update", **on, usage_tracking=False)["endpoint"]["usage_tracking"] is False
    mapping = call("POST", "/endpoints/models/attach", **on, model_config={**keys[1], "linkage_type": 2})["mapping"]
    assert (mapping["model_definition_id"], mapping["linkage_type"]) == (keys[1]["model_definition_id"], "FALLBACK")
    assert call("POST", "/endpoints/models/detach", **on, **keys[1]) == {}
    assert call("POST", "/endpoints/set-tag", **on, key="team", value="search") == {}
    assert call("DELETE", "/endpoints/delete-tag", **on, key="team") == {}
    resource = {**on, "resource_type": "scorer", "resource_id": "7"}
    binding = call("POST", "/endpoints/bindings/create", **resource)["binding"]
    assert call("GET", "/endpoints/bindings/list", **on)["bindings"] == [binding]
    assert call("DELETE", "/endpoints/bindings/delete", **resource) == {}

    policy = call("POST", "/budgets/create", **BUDGET)["budget_policy"]
    by_policy = {"budget_policy_id": policy["budget_policy_id"]}
    assert call("GET", "/budgets/get", **by_policy)["budget_policy"] == policy
    assert policy in call("GET", "/budgets/list")["budget_policies"]
    assert call("POST", "/budgets/update", **by_policy, budget_amount=1)["budget_policy"]["budget_amount"] == 1.0
    (window,) = [w for w in call("GET", "/budgets/windows")["windows"] if w.items() >= by_policy.items()]
    assert window["window_end_ms"] - window["window_start_ms"] == 24 * 60 * 60 * 1000

    scorer = {"scorer_id": "scorer", "scorer_version": 3}
    sent = {"name": "safe", **scorer, "stage": "BEFORE", "action": "SANITIZATION", "action_endpoint_id": on["endpoint_id"]}
    guardrail = call("POST", "/guardrails/create", **sent)["guardrail"]
    assert guardrail.items() >= {name: value for name, value in sent.items() if name not in scorer}.items()
    assert guardrail["scorer"] == scorer
    by_guardrail = {"guardrail_id": guardrail["guardrail_id"]}
    assert call("GET", "/guardrails/get", **by_guardrail)["guardrail"] == guardrail
    assert guardrail in call("GET", "/guardrails/list")["guardrails"]
    config = call("POST", "/guardrails/add-to-endpoint", **on, **by_guardrail, execution_order="2")["config"]
    assert (config["execution_order"], config["guardrail"]) == (2, guardrail)
    assert call("GET", "/guardrails/list-for-endpoint", **on)["configs"] == [config]
    assert "execution_order" not in call("PATCH", "/guardrails/update-config", **on, **by_guardrail)["config"]
    assert rest.error("PATCH", "/guardrails/update-config", {**on, **by_guardrail, "execution_order": "x"})[0] == 400
    assert call("DELETE", "/guardrails/remove-from-endpoint", **on, **by_guardrail) == {}
    assert call("DELETE", "/guardrails/delete", **by_guardrail) == {}

    assert call("DELETE", "/budgets/delete", **by_policy) == {}
    assert call("DELETE", "/endpoints/delete", **on) == {}
    for key in keys:
        assert call("DELETE", "/model-definitions/delete", **key) == {}
    assert call("DELETE", "/secrets/delete", **by_id) == {}
    assert used == {(route.verb, route.path) for route in ROUTES}


@every_route
def test_head_is_get_without_the_body(rest: Rest, route: Route) -> None:
    if route.verb == "GET":
        got, head = (rest.send(verb, route.path, query={"budget_policy_id": "bp-none"}) for verb in ("GET", "HEAD"))
        assert (head.status, head.body) == (got.status, b"")
        assert (head.headers["content-length"], head.headers["content-type"]) == (str(len(got.body)), "application/json")
    else:
        head = rest.send("HEAD", route.path)
        assert (head.status, head.headers["allow"], head.body) == (405, f"{route.verb}, OPTIONS", b"")


@pytest.mark.parametrize("path", ["/health", "/version", PREFIXES[1] + "/secrets/config"])
def test_the_plain_paths(running: Gateway, path: str) -> None:
    response = request(running.http_target, "GET", path)
    assert response.status == 200
    assert request(running.http_target, "HEAD", path)[::2] == (200, b"")
    rejected = request(running.http_target, "POST", path, b"{}", {"content-type": "application/json"})
    assert error_of(rejected)[:2] == (405, "INVALID_PARAMETER_VALUE")
    assert rejected.headers["allow"] == "GET, HEAD, OPTIONS"
    if path.endswith("config"):
        assert response.headers["content-type"] == "application/json"
        assert response.json == {"secrets_available": True, "using_default_passphrase": False}
    else:
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
        assert response.body == b"OK" if path == "/health" else response.body


@pytest.mark.parametrize(
    "path",
    [
        *("/api", "/api/", "/ajax-api", "/ajax-api/3.0", "/api/2.0/mlflow/gateway/secrets/list"),
        *(PREFIXES[0] + end for end in ("", "/", "/secrets", "/secrets/list/", "/secrets/LIST", "//secrets/list")),
        *(PREFIXES[0] + "/secrets/config", PREFIXES[0] + "/guardrails/update", PREFIXES[0] + "/secrets/list%00"),
        *("/api/3.0/mlflow/experiments/get", "/api/3.0/../3.0/mlflow/gateway/secrets/list", "/api/%ff"),
    ],
)
@pytest.mark.parametrize("verb", ["GET", "POST", "DELETE", "PATCH", "OPTIONS"])
def test_any_other_path_is_404(running: Gateway, verb: str, path: str) -> None:
    response = request(running.http_target, verb, path, b"{}", {"content-type": "application/json"})
    assert error_of(response)[:2] == (404, "ENDPOINT_NOT_FOUND")
