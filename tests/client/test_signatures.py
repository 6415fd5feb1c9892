"""The two clients are one: the same methods, arguments, defaults, results and documentation; and no RPC is left out."""

from __future__ import annotations

import inspect
import re
import socket
import threading

import pytest

from gateway_entities.client import AsyncGatewayClient, GatewayClient
from gateway_entities.client import _calls as calls
from gateway_entities.client._operation import Call, Pages
from gateway_entities.entities import BudgetDuration, FallbackConfig, GatewayEndpointModelConfig, GatewayModelLinkageType
from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import METHODS


def public(kind: type) -> dict[str, object]:
    return {name: member for name, member in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}


OPERATIONS = sorted(public(GatewayClient).keys() - {"close"})

# One value for each argument, by name.
VALUES = {
    "secret_value": {"api_key": "v"},
    "auth_config": {"region": "v"},
    "update_mask": ["name"],
    "model_configs": [GatewayEndpointModelConfig("d-1", GatewayModelLinkageType.PRIMARY)],
    "model_config": GatewayEndpointModelConfig("d-1", GatewayModelLinkageType.PRIMARY),
    "fallback_config": FallbackConfig(),
    "duration": BudgetDuration(1, 1),
    "budget_amount": 1.5,
    "usage_tracking": False,
    "routing_strategy": 1,
    "budget_unit": 1,
    "target_scope": 1,
    "budget_action": 1,
    "amount_nanos": 1,
    "occurred_at": 1,
    "since_revision": 1,
}
# What a list fills in itself.
PAGING = {"page_size", "page_token", "max_results"}


def arguments(function: object) -> dict[str, object]:
    return {
        name: VALUES.get(name, "text")
        for name in inspect.signature(function).parameters  # type: ignore[arg-type]
        if name not in {"self", "timeout"}
    }


def operation(name: str) -> Call | Pages:
    function = getattr(calls, name)
    return function(**arguments(function))


def request(found: Call | Pages):
    return found.request if isinstance(found, Call) else found.request("7")


def test_both_clients_have_the_same_methods():
    assert public(GatewayClient).keys() == public(AsyncGatewayClient).keys()


@pytest.mark.parametrize("name", [*OPERATIONS, "__init__"])
def test_both_signatures_are_equal(name):
    assert inspect.signature(getattr(GatewayClient, name)) == inspect.signature(getattr(AsyncGatewayClient, name))


@pytest.mark.parametrize("name", OPERATIONS)
def test_one_blocks_and_the_other_is_a_coroutine(name):
    assert not inspect.iscoroutinefunction(getattr(GatewayClient, name))
    assert inspect.iscoroutinefunction(getattr(AsyncGatewayClient, name))


@pytest.mark.parametrize("name", OPERATIONS)
def test_both_are_documented_alike_argument_by_argument(name):
    text = inspect.getdoc(getattr(GatewayClient, name))
    assert text is not None
    assert text == inspect.getdoc(getattr(AsyncGatewayClient, name))
    documented = re.findall(r"^    (\w+): ", text.partition("Args:")[2].partition("Raises:")[0], re.MULTILINE)
    assert documented == [*arguments(getattr(GatewayClient, name)), "timeout"]


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_method_takes_a_timeout_by_keyword(name):
    timeout = inspect.signature(getattr(GatewayClient, name)).parameters["timeout"]
    assert (timeout.kind, timeout.default) == (inspect.Parameter.KEYWORD_ONLY, None)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_field_of_the_request_is_an_argument_of_its_name(name):
    found = operation(name)
    fields = set(found.method.request_type.DESCRIPTOR.fields_by_name)
    assert set(arguments(getattr(GatewayClient, name))) == fields - PAGING
    assert {field.name for field, _ in request(found).ListFields()} == fields


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_argument_that_is_none_is_absent(name):
    function = getattr(calls, name)
    found = function(**dict.fromkeys(arguments(function)))
    sent = found.request if isinstance(found, Call) else found.request(None)
    assert {field.name for field, _ in sent.ListFields()} <= PAGING


def test_every_rpc_has_one_operation():
    found = [operation(name).method for name in OPERATIONS]
    assert sorted(found, key=repr) == sorted(METHODS, key=repr)


@pytest.fixture
def refusing():
    """A server that answers every call with "unimplemented" and keeps the paths."""
    paths: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with sock:
                data = sock.recv(1 << 20)
                paths.append(data.split(b" ")[1].decode())
                body = b'{"code": "unimplemented", "message": "no"}'
                head = "HTTP/1.1 501 X\r\ncontent-type: application/json\r\nconnection: close\r\n"
                sock.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", paths
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_every_method_of_the_blocking_client_makes_its_call(refusing):
    target, paths = refusing
    with GatewayClient(target) as client:
        for name in OPERATIONS:
            with pytest.raises(GatewayError) as caught:
                getattr(client, name)(**arguments(getattr(client, name)))
            assert caught.value.code is Code.UNIMPLEMENTED
    assert paths == [operation(name).method.path for name in OPERATIONS]


async def test_every_method_of_the_asyncio_client_makes_its_call(refusing):
    target, paths = refusing
    async with AsyncGatewayClient(target) as client:
        for name in OPERATIONS:
            with pytest.raises(GatewayError) as caught:
                await getattr(client, name)(**arguments(getattr(client, name)))
            assert caught.value.code is Code.UNIMPLEMENTED
    assert paths == [operation(name).method.path for name in OPERATIONS]
