"""The four pairs of transport and colour. Every test that takes `client` runs over each of them, with the same body."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gateway_entities.testing import Gateway, gateway
from tests.client.pairs import PAIRS, connect


@pytest.fixture(scope="session")
def running() -> Iterator[Gateway]:
    with gateway() as served:
        yield served


@pytest.fixture(scope="session")
def clients(running: Gateway) -> Iterator[dict[str, Any]]:
    opened = {pair: connect(pair, running.grpc_target, running.http_target) for pair in PAIRS}
    yield opened
    for client in opened.values():
        client.close()


@pytest.fixture(params=PAIRS)
def client(request: pytest.FixtureRequest, clients: dict[str, Any]) -> Any:
    return clients[request.param]


@pytest.fixture
def other(request: pytest.FixtureRequest, clients: dict[str, Any]) -> Any:
    """A client of the other transport and colour than `client`."""
    return clients[PAIRS[3 - PAIRS.index(request.node.callspec.params["client"])]]


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
