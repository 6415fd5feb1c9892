"""A service on a real store, with shortcuts to create resources."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import METHODS
from gateway_entities.server.service import GatewayService
from gateway_entities.server.store import Store
from gatewayentities.v1 import budget_pb2, endpoint_pb2, model_definition_pb2, secret_pb2
from tests.clocks import PatchedClock
from tests.server.service.spending import amounts, balance, causes, endpoint_id, limit, reserve
from tests.stores import KINDS, Place, postgresql_place, sqlite_place

__all__ = ["amounts", "balance", "causes", "endpoint_id", "limit", "reserve"]
# Fixtures.

HANDLERS = {method.request_type: method.handler for method in METHODS}
START_MS = 1_800_000_000_000


class Gateway:
    """Dispatches request messages to the service."""

    def __init__(self, store: Store, place: Place) -> None:
        self.store = store
        self.place = place
        self.service = GatewayService(store)
        self._names = itertools.count()

    def do(self, request: Message) -> Any:
        return getattr(self.service, HANDLERS[type(request)])(request)

    def refused(self, request: Message) -> GatewayError:
        with pytest.raises(GatewayError) as caught:
            self.do(request)
        return caught.value

    def secret(self, **fields: Any) -> secret_pb2.GatewaySecretInfo:
        given = {"secret_name": f"k{next(self._names)}", "secret_value": {"api_key": "sk-0123456789"}, **fields}
        return self.do(secret_pb2.CreateGatewaySecretRequest(**given)).secret

    def definition(self, **fields: Any) -> model_definition_pb2.GatewayModelDefinition:
        secret_id = fields.pop("secret_id", None) or self.secret().secret_id
        given = {"name": f"md{next(self._names)}", "provider": "openai", "model_name": "gpt-4o", **fields}
        request = model_definition_pb2.CreateGatewayModelDefinitionRequest(secret_id=secret_id, **given)
        return self.do(request).model_definition

    def endpoint(self, *configs: dict[str, Any], **fields: Any) -> endpoint_pb2.GatewayEndpoint:
        given = {"name": f"ep{next(self._names)}", "model_configs": configs or [self.config()], **fields}
        return self.do(endpoint_pb2.CreateGatewayEndpointRequest(**given)).endpoint

    def config(self, linkage_type: str = "PRIMARY", **fields: Any) -> dict[str, Any]:
        definition_id = fields.pop("model_definition_id", None) or self.definition().model_definition_id
        return {"model_definition_id": definition_id, "linkage_type": linkage_type, **fields}

    def read_endpoint(self, endpoint_id: str) -> endpoint_pb2.GatewayEndpoint:
        return self.do(endpoint_pb2.GetGatewayEndpointRequest(endpoint_id=endpoint_id)).endpoint

    def policy(self, **fields: Any) -> budget_pb2.GatewayBudgetPolicy:
        given = {
            "budget_unit": "USD",
            "budget_amount": 100.0,
            "duration": {"unit": "DAYS", "value": 1},
            "target_scope": "GLOBAL",
            "budget_action": "ALERT",
            **fields,
        }
        return self.do(budget_pb2.CreateGatewayBudgetPolicyRequest(**given)).budget_policy


class Clock:
    """A clock that advances by one millisecond with each reading."""

    def __init__(self) -> None:
        self._now = START_MS

    def advance(self, milliseconds: int) -> None:
        self._now += milliseconds

    def time_ns(self) -> int:
        self._now += 1
        return self._now * 1_000_000


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "time_ns", clock.time_ns)
    return clock


@pytest.fixture(params=KINDS)
def fresh_gateway(request: pytest.FixtureRequest, tmp_path: Path, ticks: Clock) -> Iterator[Callable[[], Gateway]]:
    """A factory of empty gateways that use the test clock, on each kind of store."""
    numbers = itertools.count()
    with ExitStack() as undo:

        def make() -> Gateway:
            if request.param == "sqlite":
                place = sqlite_place(tmp_path / f"store{next(numbers)}.sqlite", with_tables=True)
            else:
                server = request.getfixturevalue("postgresql")
                place = undo.enter_context(postgresql_place(server, tmp_path / "key", with_tables=True))
            store = place.open(clock=PatchedClock())
            undo.callback(store.close)
            return Gateway(store, place)

        yield make


@pytest.fixture
def gateway(fresh_gateway: Callable[[], Gateway]) -> Gateway:
    """An empty gateway that uses the test clock."""
    return fresh_gateway()


@pytest.fixture
def not_found() -> Any:
    """A check that an error is NOT_FOUND with this message and these fields."""

    def check(error: GatewayError, message: str, *fields: str) -> None:
        assert (error.code, error.message, error.reason) == (Code.NOT_FOUND, message, "NOT_FOUND")
        assert [violation.field for violation in error.field_violations] == list(fields)

    return check
