"""Connect's GET: RPCs without side effects, with the message in the query."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from gateway_entities import methods
from gateway_entities.methods import METHODS, Method
from gateway_entities.server.rpc.limits import MAX_HEADER_BYTES, MAX_REQUEST_BYTES
from gateway_entities.server.store.admin.token_manager import open_tokens
from gateway_entities.server.store.repositories.token import AccessScope
from gateway_entities.testing import Gateway, gateway
from gatewayentities.v1.secret_pb2 import GetGatewaySecretInfoRequest, GetGatewaySecretInfoResponse
from tests.server.raw import HttpResponse, http_failure, post_json, request

GET, LIST, CREATE = methods.GET_GATEWAY_SECRET_INFO, methods.LIST_GATEWAY_SECRET_INFOS, methods.CREATE_GATEWAY_SECRET
ORIGIN = "https://app.example"


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    with gateway(cors_origins=[ORIGIN]) as running:
        yield running


@pytest.fixture(scope="module")
def secret(running: Gateway) -> dict[str, Any]:
    body = {"secretName": "é", "secretValue": {"api_key": "sk-0123456789abcdef"}}
    found: dict[str, Any] = post_json(running.http_target, CREATE, body).json["secret"]
    return found


def get(running: Gateway, method: Method[Any, Any], query: str, headers: dict[str, str] | None = None) -> HttpResponse:
    return request(running.http_target, "GET", f"{method.path}?{query}", None, headers)


def base64_of(data: bytes, *, padded: bool = True) -> str:
    text = base64.urlsafe_b64encode(data).decode()
    return text if padded else text.rstrip("=")


def test_json_in_the_query(running, secret):
    query = urlencode({"connect": "v1", "encoding": "json", "message": json.dumps({"secretId": secret["secretId"]})})
    response = get(running, GET, query)
    assert (response.status, response.headers["content-type"]) == (200, "application/json")
    assert response.json["secret"] == secret


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("compression", ["", "identity", "gzip"])
@pytest.mark.parametrize("encoding", ["json", "proto"])
def test_base64_with_and_without_compression(running, secret, encoding, compression, padded):
    message = GetGatewaySecretInfoRequest(secret_id=secret["secretId"])
    data = message.SerializeToString() if encoding == "proto" else json.dumps({"secretId": secret["secretId"]}).encode()
    parameters = {"encoding": encoding, "base64": "1", "compression": compression}
    packed = gzip.compress(data) if compression == "gzip" else data
    query = urlencode({name: value for name, value in parameters.items() if value})
    response = get(running, GET, f"{query}&message={base64_of(packed, padded=padded)}")
    assert (response.status, response.headers["content-type"]) == (200, f"application/{encoding}")
    if encoding == "proto":
        assert GetGatewaySecretInfoResponse.FromString(response.body).secret.secret_id == secret["secretId"]
    else:
        assert response.json["secret"] == secret


def test_percent_encoding_carries_any_byte(running):
    message = GetGatewaySecretInfoRequest(secret_id="é\x7f+ &%")
    response = get(running, GET, f"encoding=proto&message={quote(message.SerializeToString(), safe='')}")
    assert (response.status, http_failure(response).code) == (404, "not_found")


def test_an_empty_message(running, secret):
    for encoding in ("proto", "json"):
        response = get(running, LIST, f"encoding={encoding}&message={'' if encoding == 'proto' else '{}'}")
        assert (response.status, secret["secretId"].encode() in response.body) == (200, True)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_exactly_the_rpcs_without_side_effects_accept_it(running, method):
    response = get(running, method, "encoding=json&message={}")
    if method.reads and not method.server_streaming:
        assert response.status in {200, 400}
    else:
        assert (response.status, response.headers["allow"]) == (405, "POST")
    assert response.headers["cache-control"] == "no-store"


def test_the_error_of_other_http_methods_names_both(running):
    response = request(running.http_target, "PUT", GET.path)
    assert (response.status, response.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("", 400, "the parameter encoding is missing"),
        ("encoding=json", 400, "the parameter message is missing"),
        ("message={}", 400, "the parameter encoding is missing"),
        ("encoding=json&message={}&connect=v2", 400, "the parameter connect must be v1"),
        ("encoding=json&message={}&message={}", 400, "a parameter of the query is repeated"),
        ("encoding=yaml&message={}", 415, "encoding"),
        ("encoding=json&message={}&compression=br", 501, "gzip and identity are"),
        ("encoding=json&message=e30!&base64=1", 400, "base64"),
        ("encoding=json&message=e30===&base64=1", 400, "base64"),
        ("encoding=json&message=a&base64=1", 400, "base64"),
        ("encoding=json&message=e30&base64=1&compression=gzip", 400, "gzip"),
        ("encoding=json&message=[]", 400, ""),
        ("encoding=proto&message=%ff", 400, "GetGatewaySecretInfoRequest"),
        ("&".join(["encoding=json&message={}", *(f"x{number}=" for number in range(40))]), 400, "parameters"),
    ],
)
def test_a_malformed_query_is_refused(running, query, status, message):
    response = get(running, GET, query)
    assert response.status == status
    assert message in response.error[1]


def test_other_parameters_are_ignored(running, secret):
    assert get(running, LIST, "encoding=json&message={}&v=17").status == 200


def test_a_url_over_the_limit_of_headers_is_refused(running):
    query = f"encoding=json&message={'%20' * (MAX_HEADER_BYTES // 3)}"
    assert get(running, LIST, query).status == 431


def test_a_compressed_message_is_expanded_to_the_limit_only(running):
    bomb = gzip.compress(b" " * (MAX_REQUEST_BYTES + 1))
    response = get(running, LIST, f"encoding=json&base64=1&compression=gzip&message={base64_of(bomb)}")
    assert (response.status, response.error[0]) == (429, "resource_exhausted")


def test_a_deadline_in_the_header_applies(running):
    response = get(running, LIST, "encoding=json&message={}", {"connect-timeout-ms": "0"})
    assert (response.status, response.error[0]) == (504, "deadline_exceeded")
    assert get(running, LIST, "encoding=json&message={}", {"connect-timeout-ms": "x"}).status == 400


def test_the_host_is_checked(running):
    assert get(running, LIST, "encoding=json&message={}", {"host": "attacker.example"}).status == 403


def test_no_cache_keeps_the_response_and_no_page_of_another_origin_reads_it(running):
    own = get(running, LIST, "encoding=json&message={}", {"origin": ORIGIN})
    assert own.headers["access-control-allow-origin"] == ORIGIN
    assert "Origin" in own.headers["vary"]
    other = get(running, LIST, "encoding=json&message={}", {"origin": "https://attacker.example"})
    assert "access-control-allow-origin" not in other.headers
    for response in (own, other, get(running, GET, "encoding=json&message={}")):
        assert response.headers["cache-control"] == "no-store"
    for response in (own, other):
        assert response.headers["x-content-type-options"] == "nosniff"


def test_a_change_is_seen_by_the_next_get(running):
    def names() -> set[str]:
        return {each["secretName"] for each in get(running, LIST, "encoding=json&message={}").json["secrets"]}

    before = names()
    assert names() == before
    post_json(running.http_target, CREATE, {"secretName": "later", "secretValue": {"api_key": "sk-0123456789abcdef"}})
    assert names() == before | {"later"}


def test_a_caller_needs_a_token_and_its_scope(tmp_path: Path):
    with gateway() as running:
        with open_tokens(f"sqlite:///{running.store_path}") as tokens:
            token = tokens.create("reader", AccessScope.READ).text
        query = "encoding=json&message={}"
        refused = get(running, LIST, query)
        assert (refused.status, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert get(running, LIST, query, {"authorization": f"Bearer {token}"}).status == 200
        assert get(running, LIST, query, {"authorization": "Bearer made-up"}).status == 401
