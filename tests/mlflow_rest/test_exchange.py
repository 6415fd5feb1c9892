"""HTTP requests to an MLflow server, and its responses: paths, bodies, errors."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from gateway_entities import methods
from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import METHODS
from gateway_entities.mlflow_rest import exchange
from gateway_entities.mlflow_rest.routes import ROUTES
from gateway_entities.mlflow_rest.steps import Step
from gatewayentities.v1 import budget_pb2, endpoint_pb2, secret_pb2
from tests.mutations import REQUESTS, Resources

PAGE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "mlflow.md"
RESOURCES = Resources("s-1", "d-1", "d-2", "d-3", "e-1", "r-1", "bp-1", "gr-1", "gr-2")
GET = Step(methods.GET_GATEWAY_ENDPOINT, endpoint_pb2.GetGatewayEndpointRequest(endpoint_id="e-1"))
CREATE = Step(methods.CREATE_GATEWAY_SECRET, secret_pb2.CreateGatewaySecretRequest(secret_name="taken"))


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_each_rpc_goes_to_its_route(route):
    make = REQUESTS.get(route.method)
    request = make(RESOURCES) if make else route.method.request_type()
    sent = exchange.write(Step(route.method, request))
    split = urlsplit(sent.path)
    assert (sent.verb, split.path) == (route.verb, f"/api/3.0/mlflow/gateway{route.path}")
    if route.verb == "GET":
        assert (split.query, sent.body) == ("", b"")
    else:
        assert json.loads(sent.body).keys() == {field.name for field, _ in request.ListFields()}


def test_a_get_has_its_arguments_in_the_query():
    name = "a b&c=ü?#%"
    sent = exchange.write(Step(methods.GET_GATEWAY_ENDPOINT, endpoint_pb2.GetGatewayEndpointRequest(name=name)))
    assert sent.path.isascii()
    assert parse_qsl(urlsplit(sent.path).query) == [("name", name)]
    assert urlsplit(sent.path).fragment == ""


def test_an_rpc_that_mlflow_does_not_have():
    without = [method for method in METHODS if method not in {route.method for route in ROUTES}]
    assert without
    for method in without:
        with pytest.raises(GatewayError) as caught:
            exchange.write(Step(method, method.request_type()))
        assert (caught.value.code, caught.value.reason) == (Code.UNIMPLEMENTED, "MLFLOW_CANNOT")
        assert method.name in caught.value.message


def test_names_that_were_never_set_are_absent():
    actors = {"created_by": "", "last_updated_by": ""}
    body = {"endpoint": {"endpoint_id": "e-1", "name": "", **actors}}
    endpoint = exchange.read(GET, 200, json.dumps(body).encode()).endpoint
    assert {field.name for field, _ in endpoint.ListFields()} == {"endpoint_id", "name"}
    listed = {
        "endpoints": [{"endpoint_id": "e-1", "created_by": "ann", "last_updated_by": ""}, {"endpoint_id": "e-2", **actors}]
    }
    step = Step(methods.LIST_GATEWAY_ENDPOINTS, endpoint_pb2.ListGatewayEndpointsRequest())
    first, second = exchange.read(step, 200, json.dumps(listed).encode()).endpoints
    assert (first.created_by, first.HasField("last_updated_by")) == ("ann", False)
    assert {field.name for field, _ in second.ListFields()} == {"endpoint_id"}


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b'{"endpoint": 1}', b'{"endpoint": {"name": 2}}'])
def test_a_response_that_is_malformed_is_internal(body):
    with pytest.raises(GatewayError) as caught:
        exchange.read(GET, 200, body)
    assert caught.value.code is Code.INTERNAL
    assert "GetGatewayEndpoint is malformed, or of a newer release: " in caught.value.message


def test_a_scope_that_is_not_known_yet_is_named_with_those_that_are():
    body = {"budget_policies": [{"budget_policy_id": "bp-1"}, {"budget_policy_id": "bp-2", "target_scope": "ROLE"}]}
    step = Step(methods.LIST_GATEWAY_BUDGET_POLICIES, budget_pb2.ListGatewayBudgetPoliciesRequest())
    code, _, message = error_of(200, body, step)
    assert code is Code.INTERNAL
    assert message.endswith("budget_policies[1].target_scope must be one of GLOBAL, WORKSPACE, ENDPOINT, USER")


def error_of(status, body, step=GET):
    with pytest.raises(GatewayError) as caught:
        exchange.read(step, status, body if isinstance(body, bytes) else json.dumps(body).encode())
    return caught.value.code, caught.value.reason, caught.value.message


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        *((code.mlflow, code.http_status, code) for code in Code if Code.from_mlflow(code.mlflow) is code),
        ("BAD_REQUEST", 400, Code.INVALID_ARGUMENT),
        ("ENDPOINT_NOT_FOUND", 404, Code.UNIMPLEMENTED),
        ("FEATURE_DISABLED", 400, Code.UNIMPLEMENTED),
        ("REQUEST_LIMIT_EXCEEDED", 429, Code.RESOURCE_EXHAUSTED),
        ("A_NEW_ONE", 503, Code.UNAVAILABLE),
        ("A_NEW_ONE", 418, Code.UNKNOWN),
    ],
)
def test_mlflows_error_codes(name, status, code):
    assert error_of(status, {"error_code": name, "message": "why"}) == (code, "MLFLOW_ERROR", "why")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, Code.UNAUTHENTICATED),
        (403, Code.PERMISSION_DENIED),
        (404, Code.UNIMPLEMENTED),
        (405, Code.UNIMPLEMENTED),
        (429, Code.UNAVAILABLE),
        (500, Code.INTERNAL),
        (501, Code.UNIMPLEMENTED),
        (502, Code.UNAVAILABLE),
        (503, Code.UNAVAILABLE),
        (504, Code.UNAVAILABLE),
        (302, Code.UNKNOWN),
        (201, Code.UNKNOWN),
    ],
)
@pytest.mark.parametrize(
    "body", [b"<html>", b"[1]", b"[" * 100_000, {"error_code": 1, "message": "m"}, {"error_code": "INTERNAL_ERROR"}]
)
def test_an_error_that_is_not_mlflows(status, code, body):
    assert error_of(status, body) == (code, "NOT_MLFLOW", f"HTTP status {status} without an MLflow error")


@pytest.mark.parametrize(
    "text",
    [
        "(sqlite3.IntegrityError) UNIQUE constraint failed: x [SQL: INSERT]",
        'duplicate key value violates unique constraint "x"',
    ],
)
def test_a_duplicate_is_named_without_sql(text):
    body = {"error_code": "INTERNAL_ERROR", "message": text}
    named = Step(methods.CREATE_GATEWAY_ENDPOINT, endpoint_pb2.CreateGatewayEndpointRequest(name="n"))
    assert error_of(500, body, named) == (Code.ALREADY_EXISTS, "MLFLOW_ERROR", "the name 'n' is taken")
    assert error_of(500, body, CREATE)[2] == "the resource of the request already exists"


@pytest.mark.parametrize("text", ["failed [SQL: SELECT secret]", "sqlite3.OperationalError: x", "psycopg.errors.X"])
def test_other_sql_is_not_repeated(text):
    error = error_of(500, {"error_code": "INTERNAL_ERROR", "message": text})
    assert error == (Code.INTERNAL, "MLFLOW_ERROR", "MLflow's database rejected the request (INTERNAL_ERROR)")


def test_what_may_be_gone_may_be_gone():
    body = json.dumps({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "why"}).encode()
    assert error_of(404, body)[0] is Code.NOT_FOUND
    assert exchange.read(GET._replace(may_be_gone=True), 404, body) == endpoint_pb2.GetGatewayEndpointResponse()
    other = {"error_code": "PERMISSION_DENIED", "message": "why"}
    assert error_of(403, other, GET._replace(may_be_gone=True))[0] is Code.PERMISSION_DENIED


def test_what_mlflow_does_not_have_is_unimplemented_and_in_the_documentation():
    routed = {route.method for route in ROUTES}
    listed = PAGE.read_text(encoding="utf-8").partition("\nWhat MLflow cannot do ")[2].partition("\n## ")[0]
    services = {method.path.split("/")[1]: set() for method in METHODS}
    for method in METHODS:
        services[method.path.split("/")[1]].add(method)
    for name, methods_of_it in services.items():
        lacking = methods_of_it - routed
        for method in lacking:
            with pytest.raises(GatewayError) as caught:
                exchange.write(Step(method, method.request_type()))
            assert (caught.value.code, caught.value.reason) == (Code.UNIMPLEMENTED, "MLFLOW_CANNOT")
        wanted = {name.rpartition(".")[2]} if lacking == methods_of_it else {method.name for method in lacking}
        assert all(word in listed for word in wanted)
