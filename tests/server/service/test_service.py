"""The service as a whole: it implements every RPC and validates every request."""

from __future__ import annotations

import inspect
import threading
import time
from typing import Any

import pytest

from gateway_entities import rules
from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import METHODS, Method
from gateway_entities.server.service import GatewayService
from gateway_entities.server.service.base import BaseService
from gatewayentities.v1 import binding_pb2, endpoint_pb2, secret_pb2


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_every_rpc_has_a_handler_with_its_types(method: Method[Any, Any]) -> None:
    handler = getattr(GatewayService, method.handler)
    signature = inspect.signature(handler)
    # A stream's messages are encoded once, for all its callers.
    returned = "AsyncGenerator[bytes]" if method.server_streaming else f"pb.{method.response_type.__name__}"
    assert [signature.parameters["request"].annotation, signature.return_annotation] == [
        f"pb.{method.request_type.__name__}",
        returned,
    ]


def test_the_service_has_no_other_public_methods() -> None:
    own = set(dir(GatewayService)) - set(dir(BaseService)) - {"close", "watch", "ledger", "expire_reservations"}
    assert {name for name in own if not name.startswith("_")} == {method.handler for method in METHODS}


def test_an_invalid_request_reports_all_violations(gateway: Any) -> None:
    error = gateway.refused(
        endpoint_pb2.CreateGatewayEndpointRequest(
            name="ep 1", model_configs=[{"weight": -1.0}], fallback_config={"max_attempts": 0}
        )
    )
    fields = [
        "name",
        "model_configs[0].model_definition_id",
        "model_configs[0].linkage_type",
        "model_configs[0].weight",
        "fallback_config.max_attempts",
    ]
    assert (error.code, error.reason) == (Code.INVALID_ARGUMENT, "INVALID_REQUEST")
    assert [violation.field for violation in error.field_violations] == fields
    for violation in error.field_violations:
        assert f"{violation.field} {violation.description}" in error.message


@pytest.mark.parametrize("method", [m for m in METHODS if rules.check(m.request_type())], ids=lambda method: method.name)
def test_every_handler_validates_its_request(gateway: Any, method: Method[Any, Any]) -> None:
    assert gateway.refused(method.request_type()).code is Code.INVALID_ARGUMENT


def needs_nothing(method: Method[Any, Any]) -> bool:
    return not any(field.required for field in rules.fields(method.request_type).values())


LISTS = [method for method in METHODS if method.name.startswith("List") and needs_nothing(method)]


@pytest.mark.parametrize("method", LISTS, ids=lambda method: method.name)
def test_lists_of_an_empty_gateway_are_empty(gateway: Any, method: Method[Any, Any]) -> None:
    fields = {"revision": 0} if "revision" in method.response_type.DESCRIPTOR.fields_by_name else {}
    assert gateway.do(method.request_type()) == method.response_type(**fields)
    size = "max_results" if "max_results" in method.request_type.DESCRIPTOR.fields_by_name else "page_size"
    assert gateway.refused(method.request_type(**{size: -1})).code is Code.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (secret_pb2.GetGatewaySecretInfoRequest(secret_id="nope"), "GatewaySecret not found (secret_id='nope')"),
        (secret_pb2.DeleteGatewaySecretRequest(secret_id="x" * 255), f"GatewaySecret not found (secret_id='{'x' * 255}')"),
        (
            binding_pb2.DeleteGatewayEndpointBindingRequest(endpoint_id="e", resource_type="t", resource_id="r"),
            "GatewayEndpointBinding not found (endpoint_id='e', resource_type='t', resource_id='r')",
        ),
    ],
)
def test_not_found_errors_contain_the_key(gateway: Any, not_found: Any, request_: Any, message: str) -> None:
    not_found(gateway.refused(request_), message)


def test_handlers_are_thread_safe(gateway: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    outcomes: list[str] = []

    def create(number: int) -> None:
        try:
            outcomes.append(gateway.secret(secret_name=f"shared{number % 4}").secret_name)
        except GatewayError as error:
            outcomes.append(error.code.name)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == sorted(["ALREADY_EXISTS"] * 12 + [f"shared{number}" for number in range(4)])


def test_times_come_from_the_clock(gateway: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    before = time.time_ns() // 1_000_000
    secret = gateway.secret()
    assert before <= secret.created_at == secret.last_updated_at <= time.time_ns() // 1_000_000
