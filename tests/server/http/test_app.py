"""The HTTP server with a plain HTTP client: the Connect protocol."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import socket
import time
from contextlib import closing

import pytest

from gateway_entities import methods
from gateway_entities.methods import METHODS
from gateway_entities.testing import Gateway, gateway
from gatewayentities.v1 import endpoint_pb2, secret_pb2
from tests.server.raw import http_failure, post_json, post_proto, request, stream_failure, write_lock

LIMIT = 4 * 1024 * 1024
CREATE, GET, LIST = methods.CREATE_GATEWAY_SECRET, methods.GET_GATEWAY_SECRET_INFO, methods.LIST_GATEWAY_SECRET_INFOS


@pytest.fixture(scope="module")
def running():
    with gateway() as running:
        yield running


@pytest.fixture
def target(running: Gateway):
    return running.http_target


def secret(name: str) -> dict[str, object]:
    return {"secretName": name, "secretValue": {"api_key": "sk-0123456789abcdef"}}


def test_json_in_json_out(target):
    response = post_json(target, CREATE, secret("json é"))
    assert (response.status, response.headers["content-type"]) == (200, "application/json")
    stored = response.json["secret"]
    # proto3 JSON: camel case, 64-bit integers as strings, only what is present.
    assert set(stored) == {"secretId", "secretName", "maskedValues", "createdAt", "lastUpdatedAt"}
    assert stored["secretName"] == "json é"
    assert abs(int(stored["createdAt"]) / 1000 - time.time()) < 60
    assert isinstance(stored["createdAt"], str)
    assert post_json(target, GET, {"secret_id": stored["secretId"]}).json == response.json


def test_proto_in_proto_out(target):
    message = secret_pb2.CreateGatewaySecretRequest(secret_name="proto", secret_value={"api_key": "sk-0123456789abcdef"})
    response = post_proto(target, CREATE, message)
    assert (response.status, response.headers["content-type"]) == (200, "application/proto")
    stored = secret_pb2.CreateGatewaySecretResponse.FromString(response.body).secret
    read = post_json(target, GET, {"secretId": stored.secret_id}).json["secret"]
    assert (read["secretName"], read["createdAt"]) == ("proto", str(stored.created_at))


def test_an_empty_proto_body_is_the_empty_message(target):
    assert post_proto(target, LIST, b"").status == 200


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_every_rpc_is_served(target, method):
    if method.server_streaming:
        assert stream_failure(target, method, json_codec=True) is None
        return
    response = post_json(target, method, {})
    # Some are not for a caller without a token.
    assert response.status == 200 or http_failure(response).code in {"invalid_argument", "failed_precondition"}


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=utf-8", "Application/JSON;charset=UTF-8", 'application/json; charset="utf-8"'],
)
def test_the_content_type_may_name_utf_8(target, content_type):
    response = post_json(target, LIST, {}, content_type=content_type)
    assert (response.status, response.headers["content-type"]) == (200, "application/json")


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", "application/connect+json"],
)
def test_other_content_types_are_415(target, content_type):
    response = request(target, "POST", CREATE.path, b"{}", {"content-type": content_type} if content_type else {})
    assert response.status == 415
    assert response.headers["accept-post"] == "application/proto, application/json"
    assert response.error[0] == "unknown"


@pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_other_verbs_are_405(target, verb):
    response = request(target, verb, CREATE.path)
    assert (response.status, response.headers["allow"]) == (405, "POST")
    assert response.error[0] == "unknown"


def test_head_has_no_body(target):
    response = request(target, "HEAD", CREATE.path)
    assert (response.status, response.body) == (405, b"")


@pytest.mark.parametrize(
    "path",
    ["/", "/x", "/gatewayentities.v1.SecretService/Reveal", CREATE.path + "/", CREATE.path.lower(), "/a/b/c", "/healthz/"],
)
def test_an_unknown_path_is_404_and_unimplemented(target, path):
    response = request(target, "POST", path, b"{}", {"content-type": "application/json"})
    assert response.status == 404
    assert response.error[0] == "unimplemented"


def test_the_protocol_version_must_be_1_if_it_is_sent(target):
    assert post_json(target, LIST, {}, connect_protocol_version="1").status == 200
    response = post_json(target, LIST, {}, connect_protocol_version="2")
    assert (response.status, response.error[0]) == (400, "invalid_argument")


@pytest.mark.parametrize("timeout", ["12345678901", "-1", "1.5", "1s", "", "٣"])
def test_a_timeout_is_a_whole_number_of_at_most_10_digits(target, timeout):
    response = post_json(target, LIST, {}, connect_timeout_ms=timeout.encode().decode("latin-1"))
    assert (response.status, response.error[0]) == (400, "invalid_argument")
    assert post_json(target, LIST, {}, connect_timeout_ms="9999999999").status == 200


def test_a_timeout_of_nothing_has_passed(target):
    response = post_json(target, LIST, {}, connect_timeout_ms="0")
    assert (response.status, response.error[0]) == (504, "deadline_exceeded")


def test_a_deadline_ends_a_slow_call(running, target):
    began = time.monotonic()
    with write_lock(running.store_path):
        response = post_json(target, CREATE, secret("late"), connect_timeout_ms="300")
        assert 0.3 <= time.monotonic() - began < 3
    assert (response.status, response.error[0]) == (504, "deadline_exceeded")


def test_a_deadline_counts_while_the_body_arrives(target):
    host, port = target.removeprefix("http://").split(":")
    head = f"POST {CREATE.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with closing(socket.create_connection((host, int(port)), timeout=10)) as connection:
        connection.sendall(f"{head}Connect-Timeout-Ms: 200\r\nContent-Length: 100\r\n\r\n{{".encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 504 ")


def test_an_error_has_code_message_and_details(target):
    response = post_json(target, CREATE, {"provider": "p" * 65})
    assert response.status == 400
    assert response.headers["content-type"] == "application/json"
    assert set(response.json) == {"code", "message", "details"}
    assert [set(detail) for detail in response.json["details"]] == [{"type", "value"}] * 2
    assert [detail["type"] for detail in response.json["details"]] == ["google.rpc.ErrorInfo", "google.rpc.BadRequest"]
    failure = http_failure(response)
    assert failure.code == "invalid_argument"
    assert {field for field, _ in failure.violations} == {"secret_name", "secret_value", "provider"}


def test_the_status_is_that_of_the_code(target):
    assert post_json(target, GET, {"secretId": "s-none"}).status == 404
    assert post_json(target, CREATE, secret("twice")).status == 200
    assert post_json(target, CREATE, secret("twice")).status == 409


def test_bytes_that_are_no_message_are_an_invalid_argument(target):
    failure = http_failure(post_proto(target, CREATE, b"\x0a\xff\xff"))
    assert (failure.code, failure.reason) == ("invalid_argument", "WIRE_FORMAT")


def test_an_error_over_proto_is_json_too(target):
    assert post_proto(target, GET, b"").error[0] == "invalid_argument"


def test_json_errors_name_the_fields(target):
    body = {"name": "e", "model_configs": [{"model_definition_id": 5, "linkage_type": "SECONDARY"}]}
    failure = http_failure(post_json(target, methods.CREATE_GATEWAY_ENDPOINT, body))
    assert (failure.code, failure.reason) == ("invalid_argument", "WIRE_FORMAT")
    assert failure.violations == [
        ("model_configs[0].model_definition_id", "must be a string of Unicode text"),
        ("model_configs[0].linkage_type", "must be one of PRIMARY, FALLBACK"),
    ]


def test_no_response_shows_a_secret_value(target):
    canary = "sk-canary-0badf00d"
    for value in (
        canary,
        [canary],
        {"api_key": [canary]},
        {"api_key": {canary: canary}},
        {"": canary},
        {"api_base": canary},
    ):
        response = post_json(target, CREATE, {"secretName": "canary", "secretValue": value})
        assert response.status == 400
        details = b"".join(base64.b64decode(detail["value"] + "==") for detail in response.json["details"])
        assert canary.encode() not in response.body + details


def test_a_float_keeps_its_shortest_form(target):
    definition = {"name": "d", "provider": "openai", "modelName": "gpt"}
    definition["secretId"] = post_json(target, CREATE, secret("for a float")).json["secret"]["secretId"]
    made = post_json(target, methods.CREATE_GATEWAY_MODEL_DEFINITION, definition).json["modelDefinition"]
    configs = [{"modelDefinitionId": made["modelDefinitionId"], "linkageType": "PRIMARY", "weight": 0.1}]
    response = post_json(target, methods.CREATE_GATEWAY_ENDPOINT, {"name": "e", "modelConfigs": configs})
    assert b'"weight":0.1,' in response.body
    assert response.json["endpoint"]["modelMappings"][0]["linkageType"] == "PRIMARY"


def test_a_gzipped_request_is_read(target):
    body = gzip.compress(json.dumps(secret("gzip")).encode())
    assert post_json(target, CREATE, body, content_encoding="gzip").json["secret"]["secretName"] == "gzip"
    assert post_json(target, LIST, b"{}", content_encoding="identity").status == 200


def test_an_empty_gzipped_body_is_not_decompressed(target):
    assert post_proto(target, LIST, b"", content_encoding="gzip").status == 200


@pytest.mark.parametrize(
    "body",
    [b"{}", gzip.compress(b"{}")[:-1], gzip.compress(b"{}") + b"x", gzip.compress(b"{}") * 2],
    ids=["plain", "cut", "longer", "twice"],
)
def test_a_broken_gzip_stream_is_an_invalid_argument(target, body):
    failure = http_failure(post_json(target, LIST, body, content_encoding="gzip"))
    assert (failure.code, failure.reason) == ("invalid_argument", "WIRE_FORMAT")


def test_another_encoding_is_unimplemented(target):
    response = post_json(target, LIST, b"{}", content_encoding="br")
    assert (response.status, response.error[0]) == (501, "unimplemented")
    assert response.headers["accept-encoding"] == "gzip, identity"


def test_a_bomb_exhausts_resources(target):
    body = gzip.compress(b" " * (200 * 1024 * 1024), compresslevel=1)
    assert len(body) < LIMIT
    response = post_json(target, LIST, body, content_encoding="gzip")
    assert (response.status, response.error[0]) == (429, "resource_exhausted")


def test_the_limit_is_exact(target):
    padding = b" " * (LIMIT - 2)
    assert post_json(target, LIST, b"{}" + padding).status == 200
    assert post_json(target, LIST, gzip.compress(b"{}" + padding), content_encoding="gzip").status == 200
    assert post_json(target, LIST, b"{} " + padding).error[0] == "resource_exhausted"
    assert post_json(target, LIST, gzip.compress(b"{} " + padding), content_encoding="gzip").error[0] == "resource_exhausted"


def test_a_body_over_the_limit_is_refused_before_it_is_sent(target):
    host, port = target.removeprefix("http://").split(":")
    head = f"POST {LIST.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {LIMIT + 1}\r\n\r\n"
    with closing(socket.create_connection((host, int(port)), timeout=10)) as connection:
        connection.sendall(head.encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 429 ")


def test_a_chunked_body_over_the_limit_is_refused_before_its_end(target):
    host, port = target.removeprefix("http://").split(":")
    head = f"POST {LIST.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head += "Transfer-Encoding: chunked\r\n\r\n"
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    with closing(socket.create_connection((host, int(port)), timeout=10)) as connection:
        connection.sendall(head.encode() + chunk * 5)
        assert connection.recv(4096).startswith(b"HTTP/1.1 429 ")


def test_a_connection_serves_many_calls_after_an_error_too(target):
    with closing(http.client.HTTPConnection(target.removeprefix("http://"), timeout=10)) as connection:
        for body, status in ((b"{", 400), (b"{}", 200), (b" " * (LIMIT + 1), 429), (b"{}", 200)):
            connection.request("POST", LIST.path, body, {"content-type": "application/json"})
            response = connection.getresponse()
            response.read()
            assert response.status == status


def test_a_client_that_leaves_cancels_a_call_that_has_not_started(running, target):
    host, port = target.removeprefix("http://").split(":")
    connections = [socket.create_connection((host, int(port)), timeout=10) for _ in range(40)]
    with write_lock(running.store_path):
        for number, connection in enumerate(connections):
            body = json.dumps(secret(f"left {number}"))
            head = f"POST {CREATE.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        time.sleep(0.5)
        for connection in connections:
            connection.close()
        time.sleep(0.5)
    assert post_json(target, CREATE, secret("after them")).status == 200
    names = {each["secretName"] for each in post_json(target, LIST, {}).json["secrets"]}
    # 16 workers had started; the rest waited in the queue and were dropped from it.
    assert len([name for name in names if name.startswith("left ")]) <= 16


def test_a_large_response_is_whole(target):
    name = "large"
    definition = {"name": name, "provider": "openai", "modelName": "gpt"}
    definition["secretId"] = post_json(target, CREATE, secret(name)).json["secret"]["secretId"]
    made = post_json(target, methods.CREATE_GATEWAY_MODEL_DEFINITION, definition).json["modelDefinition"]
    configs = [{"modelDefinitionId": made["modelDefinitionId"], "linkageType": "PRIMARY"}]
    endpoint = post_json(target, methods.CREATE_GATEWAY_ENDPOINT, {"name": name, "modelConfigs": configs}).json["endpoint"]
    for number in range(40):
        tag = {"endpointId": endpoint["endpointId"], "key": str(number), "value": "é" * 5000}
        assert post_json(target, methods.SET_GATEWAY_ENDPOINT_TAG, tag).status == 200
    wanted = endpoint_pb2.GetGatewayEndpointRequest(name=name)
    response = post_proto(target, methods.GET_GATEWAY_ENDPOINT, wanted)
    assert len(response.body) > 400_000
    tags = endpoint_pb2.GetGatewayEndpointResponse.FromString(response.body).endpoint.tags
    assert [tag.value for tag in tags] == ["é" * 5000] * 40


def test_healthz_and_readyz(target):
    for path in ("/healthz", "/readyz"):
        response = request(target, "GET", path)
        assert (response.status, response.json) == (200, {"status": "ok"})


def test_healthz_accepts_get_only(target):
    response = request(target, "POST", "/healthz")
    assert response.status == 405
    assert set(response.headers["allow"].split(", ")) == {"GET", "HEAD"}


def test_responses_have_no_server_header(target):
    assert "server" not in post_json(target, LIST, {}).headers
