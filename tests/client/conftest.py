"""The four pairs of transport and mode, sync or async. Every test that takes `client` runs over each of them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from gateway_entities.errors import GatewayError
from gateway_entities.server.server import Server
from gateway_entities.testing import Gateway, gateway
from tests.client.mlflow_differences import expected_difference
from tests.client.mlflow_server import mlflow_server, register_scorer
from tests.client.recording_transports import MessageTransport
from tests.client.server_client_pairs import MLFLOW_PAIRS, PAIRS, TESTED_MLFLOW_PAIRS, connect, open_client
from tests.mutations import Resources, deletions, new_name, prepare
from tests.stores import KINDS, postgresql_place, serving


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway | Server]:
    """A server over SQLite, or over PostgreSQL when GATEWAY_ENTITIES_TEST_STORE says so: one of them is enough for a run."""
    kind = os.environ.get("GATEWAY_ENTITIES_TEST_STORE", "sqlite")
    assert kind in KINDS, f"GATEWAY_ENTITIES_TEST_STORE is {kind!r}, not one of {KINDS}"
    if kind == "postgresql":
        key_file = tmp_path_factory.mktemp("keys") / "gateway.key"
        with (
            postgresql_place(request.getfixturevalue("postgresql"), key_file, with_tables=True) as place,
            serving(place) as server,
        ):
            yield server
    else:
        with gateway() as served:
            yield served


@pytest.fixture(scope="module")
def clients(running: Gateway | Server) -> Iterator[dict[str, Any]]:
    opened = {pair: connect(pair, running.grpc_target, running.http_target) for pair in PAIRS}
    yield opened
    for client in opened.values():
        client.close()


@pytest.fixture(scope="session")
def mlflow_target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow_server(tmp_path_factory.mktemp("mlflow")) as address:
        yield f"mlflow+http://{address}"


@pytest.fixture(scope="session")
def mlflow_clients(mlflow_target: str) -> Iterator[dict[str, Any]]:
    opened = {pair: open_client(mlflow_target, pair.split("-")[1]) for pair in MLFLOW_PAIRS}
    yield opened
    for client in opened.values():
        client.close()


def opposite(request: pytest.FixtureRequest) -> str:
    """The pair of the other transport and mode; with MLflow, of the other mode."""
    pair = request.node.callspec.params["client"]
    pairs = PAIRS if pair in PAIRS else MLFLOW_PAIRS
    return pairs[len(pairs) - 1 - pairs.index(pair)]


def find_client(request: pytest.FixtureRequest, pair: str) -> Any:
    # Asked for only when a test needs it: an MLflow server takes a while to start.
    return request.getfixturevalue("clients" if pair in PAIRS else "mlflow_clients")[pair]


@pytest.fixture(params=PAIRS + TESTED_MLFLOW_PAIRS)
def client(request: pytest.FixtureRequest) -> Any:
    return find_client(request, request.param)


@pytest.fixture
def other(request: pytest.FixtureRequest) -> Any:
    return find_client(request, opposite(request))


@pytest.fixture
def do(request: pytest.FixtureRequest, client: Any) -> Iterator[MessageTransport]:
    """Sends a request message over the client's transport, once, and returns the response message."""
    scheme, mode = request.node.callspec.params["client"].split("-")
    if scheme == "mlflow":
        target = request.getfixturevalue("mlflow_target")
    else:
        running = request.getfixturevalue("running")
        target = running.grpc_target if scheme == "grpc" else running.http_target
    transport = MessageTransport(target, mode)
    yield transport
    transport.close()


@pytest.fixture
def scorer(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Id and version of a scorer, which MLflow must know."""
    if request.node.callspec.params.get("client") not in MLFLOW_PAIRS:
        return {"scorer_id": "scorer", "scorer_version": 1}
    return register_scorer(request.getfixturevalue("mlflow_target"), new_name("scorer"))


@pytest.fixture
def resources(do: MessageTransport, scorer: dict[str, Any]) -> Iterator[Resources]:
    """One of everything, for one test. It is deleted at the end: tests that list everything would take ever longer."""
    made = prepare(do, **scorer)
    yield made
    for request in deletions(made):
        with suppress(GatewayError):
            do(request)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Expect the differences from a real MLflow server that are listed, each to be there."""
    for item in items:
        pair = (
            item.callspec.params.get("client") if isinstance(item, pytest.Function) and hasattr(item, "callspec") else None
        )
        reason = expected_difference(item.nodeid) if pair in MLFLOW_PAIRS else None
        if reason is not None:
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


_numbers = itertools.count()


@pytest.fixture
def unique() -> Callable[[str], str]:
    """Makes names that no other test uses: the server is shared."""
    return lambda stem: f"{stem}-{next(_numbers)}"


@pytest.fixture
def secret(client: Any, unique: Callable[[str], str]) -> Any:
    return client.create_secret(unique("secret"), {"api_key": "sk-0123456789abcdef"}, provider="openai")


@pytest.fixture
def define(client: Any, secret: Any, unique: Callable[[str], str]) -> Callable[..., Any]:
    """Makes model definitions of one secret."""

    def define(**fields: Any) -> Any:
        fields = {
            "name": unique("model"),
            "secret_id": secret.secret_id,
            "provider": "openai",
            "model_name": "gpt-4o",
            **fields,
        }
        return client.create_model_definition(fields.pop("name"), **fields)

    return define
