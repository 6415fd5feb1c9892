"""Fixtures of the REST dialect's tests: a gateway and its caller."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from gateway_entities.testing import Gateway, gateway
from tests.mlflow_rest.rest import Rest


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    with gateway() as running:
        yield running


@pytest.fixture
def rest(running: Gateway) -> Rest:
    return Rest(running.http_target)


_numbers = itertools.count()


@pytest.fixture
def unique() -> Callable[[str], str]:
    """Creates unique names, because the server is shared."""
    return lambda stem: f"{stem}-{next(_numbers)}"
