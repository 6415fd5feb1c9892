"""The two clients are one: the same methods, arguments, defaults, results and documentation; and no RPC is left out."""

from __future__ import annotations

import inspect
import math
import re
import threading
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import gateway_entities
from gateway_entities.client import AsyncGatewayClient, GatewayClient
from gateway_entities.entities import (
    BudgetDuration,
    FallbackConfig,
    GatewayConfiguration,
    GatewayEndpointModelConfig,
    GatewayModelLinkageType,
    GatewayPlanBasis,
    Scorer,
)
from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import METHODS
from tests.client.recording_transports import argument_name, arguments_of
from tests.client.server_client_pairs import Blocking, open_client


def public(kind: type) -> dict[str, object]:
    return {name: member for name, member in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}


ITERATORS = sorted(name for name in public(GatewayClient) if name.startswith("iter_"))
# resolve_endpoint is resolve_endpoints for one, and a list is its iterator, read to the end.
STREAMS = {"watch": "WatchGateway"}
"""Methods that return a stream, whose errors come from it, and their RPCs."""
OPERATIONS = sorted(public(GatewayClient).keys() - {"close", "resolve_endpoint", *ITERATORS, *STREAMS})
OWN_RESULTS = {"reserve_spend"}
"""Methods whose result has methods itself, and is a context manager."""
CONFIG = GatewayEndpointModelConfig("d-1", GatewayModelLinkageType.PRIMARY)

# One value for each argument that is no text, by name.
VALUES = {
    "secret_value": {"api_key": "v"},
    "auth_config": {"region": "v"},
    "update_mask": ["name"],
    "model_configs": [CONFIG],
    "model_config": CONFIG,
    "fallback_config": FallbackConfig(),
    "duration": BudgetDuration(1, 1),
    "budget_amount": 1.5,
    "usage_tracking": False,
    "routing_strategy": 1,
    "budget_unit": 2,
    "target_scope": 3,
    "budget_action": 4,
    "amount_nanos": 5,
    "amount": Decimal("0.000000005"),
    "recorded": Decimal("0.000000006"),
    "ttl_ms": 7,
    "group_by": [1, 3],
    "since_ms": 8,
    "until_ms": 9,
    "ended_since": 10,
    "occurred_at": 6,
    "since_revision": 7,
    "endpoint_ids": ["e-1", "e-2"],
    "names": ["n"],
    "accessed_since": 8,
    "until_revision": 9,
    "changed_since": 10,
    "changed_before": 11,
    "newest_first": True,
    "at_revision": 12,
    "to_revision": 13,
    "with_bindings": True,
    "prune": True,
    "adopt": True,
    "configuration": GatewayConfiguration("o"),
    "basis": GatewayPlanBasis("s"),
    "secret_values": {"k": {"api_key": "v"}},
    "revision": 9,
    "timeout_ms": 10,
    "scorer_version": 11,
    "stage": 12,
    "action": 13,
    "execution_order": 14,
    "scorer": Scorer(scorer_name="s"),
}
_OTHER_PLAN = {
    "plan_configuration": {"to_revision", "with_bindings"},
    "plan_rollback": {"configuration", "prune", "adopt"},
}
# Set by a list itself.
PAGING = {"page_size", "page_token", "max_results"}


def arguments(name: str) -> dict[str, object]:
    """A value of its own for each argument."""
    names = inspect.signature(getattr(GatewayClient, name)).parameters.keys() - {"self", "timeout"}
    # Charges have two forms of one amount.
    names -= {"amount"} if "amount_nanos" in names else set()
    return {name: VALUES.get(name, f"the {name}") for name in names}


def test_both_clients_have_the_same_methods():
    assert public(GatewayClient).keys() == public(AsyncGatewayClient).keys()
    for name in [*OPERATIONS, "resolve_endpoint", "close", "__init__"]:
        blocking, asynchronous = getattr(GatewayClient, name), getattr(AsyncGatewayClient, name)
        assert inspect.signature(blocking).parameters == inspect.signature(asynchronous).parameters
        if name not in OWN_RESULTS:
            assert inspect.signature(blocking) == inspect.signature(asynchronous)
        assert inspect.getdoc(blocking) == inspect.getdoc(asynchronous)
        assert not inspect.iscoroutinefunction(blocking)
        assert inspect.iscoroutinefunction(asynchronous) == (name not in {"__init__", *OWN_RESULTS})


def test_streams_are_the_same_in_both_clients():
    assert {method.name for method in METHODS if method.server_streaming} == set(STREAMS.values())
    for name in STREAMS:
        blocking, asynchronous = getattr(GatewayClient, name), getattr(AsyncGatewayClient, name)
        assert inspect.signature(blocking).parameters == inspect.signature(asynchronous).parameters
        assert inspect.getdoc(blocking) == inspect.getdoc(asynchronous)


def test_every_list_has_an_iterator_of_the_same_arguments():
    assert [f"list_{name.removeprefix('iter_')}" for name in ITERATORS] == [
        name for name in OPERATIONS if name.startswith("list_")
    ]
    for name in ITERATORS:
        listed = inspect.signature(getattr(GatewayClient, f"list_{name.removeprefix('iter_')}")).parameters
        blocking, asynchronous = getattr(GatewayClient, name), getattr(AsyncGatewayClient, name)
        assert list(inspect.signature(blocking).parameters) == [*[*listed][:-1], "page_size", "timeout"]
        assert [*inspect.signature(asynchronous).parameters] == [*inspect.signature(blocking).parameters]
        assert inspect.getdoc(blocking) == inspect.getdoc(asynchronous)
        documented = re.findall(r"^    (\w+): ", (inspect.getdoc(blocking) or "").partition("Raises:")[0], re.MULTILINE)
        assert documented == list(inspect.signature(blocking).parameters)[1:]


def test_the_package_lists_both_clients():
    assert {"GatewayClient", "AsyncGatewayClient"} <= set(dir(gateway_entities))
    assert set(gateway_entities.__all__) <= set(dir(gateway_entities))


@pytest.mark.parametrize("name", [*OPERATIONS, *STREAMS])
def test_every_argument_is_documented_in_order(name):
    text = inspect.getdoc(getattr(GatewayClient, name))
    documented = re.findall(r"^    (\w+): ", text.partition("Args:")[2].partition("Raises:")[0], re.MULTILINE)
    assert documented == list(inspect.signature(getattr(GatewayClient, name)).parameters)[1:]


@pytest.mark.parametrize("name", [*OPERATIONS, *STREAMS])
def test_every_method_takes_a_timeout_by_keyword(name):
    timeout = inspect.signature(getattr(GatewayClient, name)).parameters["timeout"]
    assert (timeout.kind, timeout.default) == (inspect.Parameter.KEYWORD_ONLY, None)


@pytest.fixture(scope="module")
def refusing():
    """A server that records the requests, decoded, and refuses each with UNIMPLEMENTED."""
    requests, headers = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            (method,) = (method for method in METHODS if method.path == self.path)
            headers.append(dict(self.headers))
            requests.append(method.request_type.FromString(self.rfile.read(int(self.headers["content-length"]))))
            body = b'{"code": "unimplemented", "message": "no"}'
            self.send_response(501)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", requests, headers
        server.shutdown()
        thread.join()


@pytest.fixture(params=["sync", "async"])
def sent(request, refusing):
    """Returns the request message that a client's method sends for its arguments."""
    target, requests, headers = refusing
    client = open_client(target, request.param)

    def sent(name, values):
        requests.clear()
        with pytest.raises(GatewayError) as caught:
            getattr(client, name)(**values)
        assert caught.value.code is Code.UNIMPLEMENTED
        (message,) = requests
        sent.headers = headers[-1]
        return message

    yield sent
    client.close()


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_field_of_the_request_is_an_argument_of_its_name_and_arrives(sent, name):
    message = sent(name, arguments(name))
    fields = arguments_of(message)
    paging = {key: fields.pop(key) for key in PAGING & fields.keys()}
    assert fields == arguments(name)
    given = paging.keys() | fields.keys()
    # Two methods share an RPC.
    given |= _OTHER_PLAN.get(name, set())
    assert given == {argument_name(message, field) for field in message.DESCRIPTOR.fields_by_name} - {"page_token"}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_timeout_arrives(sent, name):
    # The first attempt of a change has half of the time.
    attempts = 2 if "request_id" in arguments(name) else 1
    for timeout, seconds in (({"timeout": 7.5}, 7.5), ({}, 30)):
        sent(name, arguments(name) | timeout)
        assert 0.8 * seconds < attempts * int(sent.headers["connect-timeout-ms"]) / 1000 <= seconds + 0.002
    sent(name, arguments(name) | {"timeout": math.inf})
    assert "connect-timeout-ms" not in sent.headers


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_every_default_of_a_client_arrives(refusing, kind):
    target, _, headers = refusing
    make = GatewayClient if kind == "sync" else Blocking
    client = make(target, timeout=9.5, metadata={"x-mine": "1"}, token="t-1")
    with pytest.raises(GatewayError):
        client.list_secrets()
    client.close()
    assert (headers[-1]["x-mine"], headers[-1]["authorization"]) == ("1", "Bearer t-1")
    assert 8000 < int(headers[-1]["connect-timeout-ms"]) <= 9500


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_argument_that_is_none_is_absent(sent, name):
    message = sent(name, dict.fromkeys(arguments(name)))
    # A request without a request_id gets one.
    assert {field.name for field, _ in message.ListFields()} <= PAGING | {"request_id"}


def test_every_rpc_has_one_method(sent):
    # A rollback is planned by the RPC that plans an apply.
    found = [type(sent(name, arguments(name))) for name in OPERATIONS if name != "plan_rollback"]
    assert sorted(found, key=repr) == sorted((each.request_type for each in METHODS if not each.server_streaming), key=repr)
