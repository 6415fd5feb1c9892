"""Errors: the table of codes, what they carry between processes and over a wire."""

from __future__ import annotations

import pickle

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo

import gateway_entities
from gateway_entities.errors import DOMAIN, Code, FieldViolation, GatewayError, WireError

# By gRPC's names: Connect's status and name, MLflow's name and status. Connect's protocol defines the first two.
TABLE = {
    "CANCELLED": (499, "canceled", "CANCELLED", 499),
    "UNKNOWN": (500, "unknown", "INTERNAL_ERROR", 500),
    "INVALID_ARGUMENT": (400, "invalid_argument", "INVALID_PARAMETER_VALUE", 400),
    "DEADLINE_EXCEEDED": (504, "deadline_exceeded", "DEADLINE_EXCEEDED", 504),
    "NOT_FOUND": (404, "not_found", "RESOURCE_DOES_NOT_EXIST", 404),
    "ALREADY_EXISTS": (409, "already_exists", "RESOURCE_ALREADY_EXISTS", 400),
    "PERMISSION_DENIED": (403, "permission_denied", "PERMISSION_DENIED", 403),
    "RESOURCE_EXHAUSTED": (429, "resource_exhausted", "RESOURCE_LIMIT_EXCEEDED", 400),
    "FAILED_PRECONDITION": (400, "failed_precondition", "INVALID_STATE", 409),
    "ABORTED": (409, "aborted", "ABORTED", 409),
    "OUT_OF_RANGE": (400, "out_of_range", "OUT_OF_RANGE", 400),
    "UNIMPLEMENTED": (501, "unimplemented", "NOT_IMPLEMENTED", 501),
    "INTERNAL": (500, "internal", "INTERNAL_ERROR", 500),
    "UNAVAILABLE": (503, "unavailable", "TEMPORARILY_UNAVAILABLE", 503),
    "DATA_LOSS": (500, "data_loss", "DATA_LOSS", 500),
    "UNAUTHENTICATED": (401, "unauthenticated", "UNAUTHENTICATED", 401),
}
VIOLATIONS = (FieldViolation("name", "is required"), FieldViolation("tags[1].key", "is too long"))


def test_the_codes_are_those_of_grpc_and_connect() -> None:
    assert {code.name: (code.http_status, code.connect, code.mlflow, code.mlflow_http_status) for code in Code} == TABLE
    assert {code.name: code.number for code in Code} == {
        code.name: code.value[0] for code in grpc.StatusCode if code is not grpc.StatusCode.OK
    }


@pytest.mark.parametrize("code", Code, ids=lambda code: code.name)
def test_a_code_is_found_by_each_of_its_names(code: Code) -> None:
    assert Code.from_number(code.number) is Code.from_connect(code.connect) is code
    # MLflow has one name for both.
    assert Code.from_mlflow(code.mlflow) is (Code.INTERNAL if code is Code.UNKNOWN else code)


def test_an_unknown_code() -> None:
    assert Code.from_number(0) is Code.from_number(17) is Code.UNKNOWN
    assert Code.from_connect("CANCELED") is Code.from_mlflow("canceled") is None


def test_an_error_keeps_all_between_processes() -> None:
    error = GatewayError(Code.ABORTED, "why", reason="ETAG", field_violations=list(VIOLATIONS))
    wire = WireError("GatewayEndpoint.name", "is required")
    for each in (error, wire):
        copy = pickle.loads(pickle.dumps(each))
        assert type(copy) is type(each)
        assert (vars(copy), str(copy), copy.args) == (vars(each), str(each), each.args)
    assert str(error) == "ABORTED: why"
    assert error.args == ("why",)


def test_details_are_the_reason_and_the_violations() -> None:
    error = GatewayError(Code.ABORTED, "why", reason="ETAG", field_violations=VIOLATIONS)
    info, request = ErrorInfo(), BadRequest()
    first, second = error.details()
    assert (first.Unpack(info), second.Unpack(request)) == (True, True)
    assert info == ErrorInfo(reason="ETAG", domain=DOMAIN)
    assert [(each.field, each.description) for each in request.field_violations] == list(VIOLATIONS)
    assert GatewayError(Code.ABORTED, "why").details() == []
    again = GatewayError.from_details(Code.ABORTED, "why", error.details())
    assert (again.reason, again.field_violations, again.code, again.message) == ("ETAG", VIOLATIONS, Code.ABORTED, "why")
    assert again.details() == error.details()


def test_malformed_and_unknown_details_are_kept_beside_the_known_ones() -> None:
    info = AnyMessage()
    info.Pack(ErrorInfo(reason="R"))
    malformed = AnyMessage(type_url=info.type_url, value=b"\xff")
    other = AnyMessage(type_url="type.googleapis.com/x.Y", value=b"1")
    error = GatewayError.from_details(Code.INTERNAL, "m", [malformed, other, info])
    assert (error.reason, error.field_violations) == ("R", ())
    assert error.received_details == tuple(error.details()) == (malformed, other, info)


def test_an_invalid_request_names_every_field() -> None:
    error = GatewayError.invalid(iter(VIOLATIONS))
    assert (error.code, error.reason, error.field_violations) == (Code.INVALID_ARGUMENT, "INVALID_REQUEST", VIOLATIONS)
    assert error.message == "name is required; tags[1].key is too long"
    assert GatewayError.invalid(VIOLATIONS, more=True).message == f"more than 2 violations: {error.message}"


def test_a_wire_error_has_its_path() -> None:
    error = WireError("GatewayEndpoint.name", "is required")
    assert (error.code, error.reason, error.path) == (Code.INVALID_ARGUMENT, "WIRE_FORMAT", "GatewayEndpoint.name")
    assert error.message == "GatewayEndpoint.name: is required"
    assert error.field_violations == (FieldViolation("GatewayEndpoint.name", "is required"),)


def test_the_package_has_its_names_and_no_others() -> None:
    for name in gateway_entities.__all__:
        assert getattr(gateway_entities, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = gateway_entities.Nothing
