"""What every transport does, over gRPC and HTTP, blocking and with asyncio."""

from __future__ import annotations

import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import ErrorInfo

from gateway_entities.errors import Code, FieldViolation, GatewayError
from gateway_entities.methods import GET_GATEWAY_SECRET_INFO as GET
from gateway_entities.methods import LIST_GATEWAY_SECRET_INFOS as LIST
from gatewayentities.v1.secret_pb2 import (
    GatewaySecretInfo,
    GetGatewaySecretInfoRequest,
    GetGatewaySecretInfoResponse,
    ListGatewaySecretInfosRequest,
    ListGatewaySecretInfosResponse,
)
from tests.calls import call as send

REQUEST = GetGatewaySecretInfoRequest(secret_id="s-1")
RESPONSE = GetGatewaySecretInfoResponse(secret=GatewaySecretInfo(secret_name="na\u00efve \U0001f511"))


def respond(_incoming):
    return RESPONSE.SerializeToString()


def call(transport, *, timeout=10.0, metadata=None):
    return send(transport, GET, REQUEST, timeout=timeout, metadata=metadata)


def error_of(transport, **options) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        call(transport, **options)
    return caught.value


def test_request_metadata_and_deadline_arrive_and_the_response_returns(serve, connect):
    seen = []

    def echo(incoming):
        seen.append(incoming)
        return RESPONSE.SerializeToString()

    transport = connect(serve(echo).target)
    assert call(transport, metadata={"authorization": "Bearer t0ken"}) == RESPONSE
    assert seen[0].path == "/gatewayentities.v1.SecretService/GetGatewaySecretInfo"
    assert GetGatewaySecretInfoRequest.FromString(seen[0].body) == REQUEST
    assert seen[0].metadata["authorization"] == "Bearer t0ken"
    assert 8_000 < seen[0].timeout_ms < 10_100, "gRPC rounds to its own clock"
    call(transport, timeout=None)
    assert seen[1].timeout_ms is None


@pytest.mark.parametrize("violations", [0, 1, 3000])
def test_an_error_arrives_whole(serve, connect, violations):
    sent = GatewayError(
        Code.INVALID_ARGUMENT,
        "zwei Fehler: \u00fc\n\U0001f4a5 100%",
        reason="INVALID_REQUEST",
        field_violations=[
            FieldViolation(f"model_configs[{i}].weight", "has to be 0 or more \u2265") for i in range(violations)
        ],
    )

    def fail(_incoming):
        raise sent

    got = error_of(connect(serve(fail).target))
    assert (got.code, got.message, got.reason, got.field_violations) == (
        sent.code,
        sent.message,
        sent.reason,
        sent.field_violations,
    )


def test_details_of_every_type_arrive_as_they_were_sent(serve, connect):
    sent = [AnyMessage(), AnyMessage(type_url="type.googleapis.com/nobody.knows.This", value=b"\xff")]
    sent[0].Pack(ErrorInfo(reason="QUOTA", domain="example.com", metadata={"limit": "5"}))

    class OtherError(GatewayError):
        def details(self):
            return sent

    def fail(_incoming):
        raise OtherError(Code.ABORTED, "no")

    got = error_of(connect(serve(fail).target))
    assert got.details() == list(got.received_details) == sent
    assert got.reason == "QUOTA"
    again = pickle.loads(pickle.dumps(got))
    assert again.details() == sent


def test_an_error_that_no_server_sent_has_no_received_details(connect, free_port, pair):
    got = error_of(connect(f"{pair.split('-')[0]}://127.0.0.1:{free_port}"))
    assert (got.code, got.received_details) == (Code.UNAVAILABLE, ())


def test_every_code_arrives(serve, connect):
    codes = iter(Code)

    def fail(_incoming):
        raise GatewayError(next(codes), "no")

    transport = connect(serve(fail).target)
    assert [error_of(transport).code for _ in Code] == list(Code)


def test_a_response_may_be_large(serve, connect):
    big = ListGatewaySecretInfosResponse(secrets=[GatewaySecretInfo(secret_name="x" * 1000)] * 20_000)
    transport = connect(serve(lambda _incoming: big.SerializeToString()).target)
    assert send(transport, LIST, ListGatewaySecretInfosRequest()) == big


def test_bytes_that_are_no_message_are_an_internal_error(serve, client):
    reader = client(serve(lambda _incoming: b"\xff\xff\xff").target)
    with pytest.raises(GatewayError) as caught:
        reader.get_secret(secret_id="s-1")
    assert caught.value.code is Code.INTERNAL
    assert caught.value.message == "the server's response is not a GetGatewaySecretInfoResponse"


def test_a_slow_server_costs_no_more_than_the_deadline(serve, connect):
    release = threading.Event()

    def block(_incoming):
        release.wait(10)
        return b""

    transport = connect(serve(block).target)
    start = time.monotonic()
    assert error_of(transport, timeout=0.3).code is Code.DEADLINE_EXCEEDED
    assert 0.25 < time.monotonic() - start < 5
    release.set()
    assert call(transport) == GetGatewaySecretInfoResponse(), "the transport works on"


@pytest.mark.parametrize("timeout", [0, -1.5])
def test_without_time_nothing_is_sent(serve, connect, timeout):
    seen = []
    transport = connect(serve(lambda incoming: seen.append(incoming) or b"").target)
    assert error_of(transport, timeout=timeout).code is Code.DEADLINE_EXCEEDED
    assert seen == []


@pytest.mark.parametrize("timeout", ["5", float("nan"), object()])
def test_a_timeout_has_to_be_a_number(serve, connect, timeout):
    assert error_of(connect(serve(respond).target), timeout=timeout).code is Code.INVALID_ARGUMENT


@pytest.mark.parametrize("timeout", [float("inf"), 1e300, 10**9])
def test_a_timeout_may_be_endless(serve, connect, timeout):
    assert call(connect(serve(respond).target), timeout=timeout) == RESPONSE


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Upper", "v"),
        ("sp ace", "v"),
        ("", "v"),
        ("blob-bin", "v"),
        ("host", "v"),
        ("grpc-timeout", "1S"),
        ("connect-timeout-ms", "1"),
        ("authorization", "t0ken\r\nx: y"),
        ("authorization", "t0k\u00e9n"),
        ("authorization", 5),
        (5, "v"),
    ],
)
def test_metadata_that_cannot_be_sent_is_named_by_its_key(serve, connect, key, value):
    got = error_of(connect(serve(respond).target), metadata={key: value})
    assert got.code is Code.INVALID_ARGUMENT
    assert repr(key) in got.message
    assert "t0k" not in str(got)


def test_a_server_that_is_down_is_unavailable_immediately_and_found_again_soon(serve, connect, free_port, pair):
    transport = connect(f"{pair.split('-')[0]}://127.0.0.1:{free_port}")
    start = time.monotonic()
    for _ in range(5):
        assert error_of(transport).code is Code.UNAVAILABLE
    assert time.monotonic() - start < 5
    serve(respond, free_port)
    deadline = time.monotonic() + 1.5
    found = None
    while found is None and time.monotonic() < deadline:
        time.sleep(0.05)
        with suppress(GatewayError):
            found = call(transport)
    assert found == RESPONSE


def test_a_server_may_restart_between_two_calls(serve, connect):
    server = serve(respond)
    transport = connect(server.target)
    for _ in range(5):
        assert call(transport) == RESPONSE
        server.stop()
        server = serve(respond, server.port)
    assert call(transport) == RESPONSE


def test_many_threads_share_one_transport(serve, connect):
    transport = connect(serve(respond).target)
    with ThreadPoolExecutor(16) as pool:
        assert all(found == RESPONSE for found in pool.map(lambda _: call(transport), range(200)))


def test_closing_ends_a_call_in_flight(serve, connect):
    arrived, release = threading.Event(), threading.Event()

    def block(_incoming):
        arrived.set()
        release.wait(10)
        return b""

    transport = connect(serve(block).target)
    with ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(error_of, transport, timeout=None) for _ in range(3)]
        arrived.wait(5)
        time.sleep(0.2)
        start = time.monotonic()
        transport.close()
        got = [waiting.result(5) for waiting in calls]
        assert time.monotonic() - start < 5
    release.set()
    assert {(error.code, error.message) for error in got} == {(Code.CANCELLED, "the client is closed")}


def test_a_closed_transport_refuses_calls(serve, connect):
    transport = connect(serve(respond).target)
    call(transport)
    transport.close()
    transport.close()
    got = error_of(transport)
    assert (got.code, got.message) == (Code.CANCELLED, "the client is closed")


def test_closed_before_the_first_call(serve, connect):
    transport = connect(serve(respond).target)
    transport.close()
    assert error_of(transport).code is Code.CANCELLED
