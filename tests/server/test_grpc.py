"""The gRPC server, with the plain gRPC library."""

from __future__ import annotations

import threading
import time

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from gateway_entities import methods
from gateway_entities.methods import METHODS
from gateway_entities.server.rpc.limits import MAX_STREAMS
from gateway_entities.testing import Gateway, gateway
from gatewayentities.v1 import budget_pb2, endpoint_pb2, secret_pb2
from tests.server.raw import call, channel, grpc_failure, http_failure, post_proto, write_lock

SERVICES = {method.service for method in METHODS}


@pytest.fixture(scope="module")
def running():
    with gateway() as running:
        yield running


@pytest.fixture
def opened(running: Gateway):
    with channel(running.grpc_target) as opened:
        yield opened


def secret(name: str) -> secret_pb2.CreateGatewaySecretRequest:
    return secret_pb2.CreateGatewaySecretRequest(secret_name=name, secret_value={"api_key": "sk-0123456789abcdef"})


def test_a_stored_secret_can_be_read(opened):
    stored = call(opened, methods.CREATE_GATEWAY_SECRET, secret("grpc")).secret
    read = call(
        opened, methods.GET_GATEWAY_SECRET_INFO, secret_pb2.GetGatewaySecretInfoRequest(secret_id=stored.secret_id)
    ).secret
    assert read == stored
    assert read.secret_name == "grpc"


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_every_rpc_is_served(opened, method):
    if method.server_streaming:
        stream = opened.unary_stream(method.path)(b"", timeout=30)
        assert next(stream)
        stream.cancel()
        return
    error = opened.unary_unary(method.path).future(b"").exception(timeout=30)
    assert error is None or grpc_failure(error).code == "invalid_argument" or grpc_failure(error).reason == "TOKEN_REQUIRED"


def test_an_unknown_rpc_is_unimplemented(opened):
    with pytest.raises(grpc.RpcError) as caught:
        opened.unary_unary("/gatewayentities.v1.SecretService/Reveal")(b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_bytes_that_are_no_message_are_an_invalid_argument(opened):
    with pytest.raises(grpc.RpcError) as caught:
        call(opened, methods.CREATE_GATEWAY_SECRET, b"\x0a\xff\xff")
    failure = grpc_failure(caught.value)
    assert (failure.code, failure.reason) == ("invalid_argument", "WIRE_FORMAT")
    assert "gatewayentities.v1.CreateGatewaySecretRequest" in failure.message


BAD = [
    (methods.CREATE_GATEWAY_SECRET, secret_pb2.CreateGatewaySecretRequest()),
    (methods.CREATE_GATEWAY_SECRET, secret_pb2.CreateGatewaySecretRequest(secret_name="é\n" * 200, secret_value={"": ""})),
    (methods.CREATE_GATEWAY_ENDPOINT, endpoint_pb2.CreateGatewayEndpointRequest(name="x", model_configs=[{}] * 200)),
    (methods.CREATE_GATEWAY_BUDGET_POLICY, budget_pb2.CreateGatewayBudgetPolicyRequest(budget_amount=-1)),
    (methods.GET_GATEWAY_SECRET_INFO, secret_pb2.GetGatewaySecretInfoRequest(secret_id="s-none")),
    (methods.DELETE_GATEWAY_ENDPOINT, endpoint_pb2.DeleteGatewayEndpointRequest(endpoint_id="é")),
    (methods.LIST_GATEWAY_BUDGET_POLICIES, b"\xff"),
]


@pytest.mark.parametrize(("method", "message"), BAD, ids=range(len(BAD)))
def test_an_error_is_the_same_over_grpc_and_http(running, opened, method, message):
    with pytest.raises(grpc.RpcError) as caught:
        call(opened, method, message)
    over_grpc = grpc_failure(caught.value)
    assert over_grpc == http_failure(post_proto(running.http_target, method, message))
    assert over_grpc.reason
    assert over_grpc.message


def test_all_violations_are_listed(opened):
    with pytest.raises(grpc.RpcError) as caught:
        call(opened, methods.CREATE_GATEWAY_SECRET, secret_pb2.CreateGatewaySecretRequest(provider="p" * 65))
    assert {field for field, _ in grpc_failure(caught.value).violations} == {"secret_name", "secret_value", "provider"}


def test_a_duplicate_already_exists(opened):
    call(opened, methods.CREATE_GATEWAY_SECRET, secret("twice"))
    with pytest.raises(grpc.RpcError) as caught:
        call(opened, methods.CREATE_GATEWAY_SECRET, secret("twice"))
    assert grpc_failure(caught.value).code == "already_exists"


def test_a_request_over_the_limit_exhausts_resources(opened):
    with pytest.raises(grpc.RpcError) as caught:
        call(opened, methods.CREATE_GATEWAY_SECRET, b"\0" * (4 * 1024 * 1024 + 1))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_compressed_request_over_the_limit_exhausts_resources(running):
    address = running.grpc_target.removeprefix("grpc://")
    compressing = grpc.insecure_channel(address, compression=grpc.Compression.Gzip)
    with compressing as opened, pytest.raises(grpc.RpcError) as caught:
        call(opened, methods.CREATE_GATEWAY_SECRET, b"\0" * 50_000_000)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_deadline_ends_a_slow_call(running, opened):
    began = time.monotonic()
    with write_lock(running.store_path), pytest.raises(grpc.RpcError) as caught:
        call(opened, methods.CREATE_GATEWAY_SECRET, secret("late"), timeout=0.3)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert 0.3 <= time.monotonic() - began < 3


def test_a_call_that_waits_for_the_lock_ends_when_it_is_free(running, opened):
    with write_lock(running.store_path):
        waiting = opened.unary_unary(methods.CREATE_GATEWAY_SECRET.path).future(secret("patient").SerializeToString())
        time.sleep(0.2)
        assert not waiting.done()
        # Reads go on meanwhile.
        call(opened, methods.LIST_GATEWAY_SECRET_INFOS, b"", timeout=5)
    stored = secret_pb2.CreateGatewaySecretResponse.FromString(waiting.result(timeout=20))
    assert stored.secret.secret_name == "patient"


def test_calls_that_are_cancelled_before_a_worker_is_free_have_no_effect(running, opened):
    create = opened.unary_unary(methods.CREATE_GATEWAY_SECRET.path)
    with write_lock(running.store_path):
        # More than there are workers, so that the last wait in the queue.
        calls = [create.future(secret(f"cancelled {n}").SerializeToString()) for n in range(40)]
        time.sleep(0.5)
        for each in calls:
            each.cancel()
        time.sleep(0.5)
    call(opened, methods.CREATE_GATEWAY_SECRET, secret("after them"))
    names = {each.secret_name for each in call(opened, methods.LIST_GATEWAY_SECRET_INFOS, b"").secrets}
    assert "after them" in names
    assert len([name for name in names if name.startswith("cancelled ")]) <= 16


def test_many_concurrent_calls_all_get_a_response(opened):
    get = opened.unary_unary(methods.LIST_GATEWAY_BUDGET_POLICIES.path)
    calls = [get.future(b"") for _ in range(MAX_STREAMS)]
    assert [each.exception(timeout=60) for each in calls] == [None] * MAX_STREAMS


def test_health_is_serving_overall_and_for_each_service(opened):
    health = health_pb2_grpc.HealthStub(opened)
    for service in {"", *SERVICES}:
        response = health.Check(health_pb2.HealthCheckRequest(service=service))
        assert response.status == health_pb2.HealthCheckResponse.SERVING
    with pytest.raises(grpc.RpcError) as caught:
        health.Check(health_pb2.HealthCheckRequest(service="gatewayentities.v1.NoService"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_reflection_lists_the_services_and_describes_them(opened):
    reflection = reflection_pb2_grpc.ServerReflectionStub(opened)
    requests = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="gatewayentities.v1.EndpointService"),
    ]
    listed, described = reflection.ServerReflectionInfo(iter(requests))
    names = {service.name for service in listed.list_services_response.service}
    assert names == SERVICES | {"grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}
    assert described.file_descriptor_response.file_descriptor_proto


def test_several_threads_share_a_channel(opened):
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for n in range(5):
                call(opened, methods.CREATE_GATEWAY_SECRET, secret(f"thread {number} {n}"))
        except grpc.RpcError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
