"""Request messages sent through a client's methods, and through a transport."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Mapping
from typing import Any

from gateway_entities.client import GatewayClient
from gateway_entities.entities import (
    BudgetDuration,
    FallbackConfig,
    GatewayConfiguration,
    GatewayEndpointModelConfig,
    GatewayPlanBasis,
    Scorer,
)
from gateway_entities.entities.amount import from_nanos
from gateway_entities.transports import open_async_transport, open_transport
from gatewayentities.v1 import spend_pb2
from tests.mutations import METHOD_OF

_ENTITIES = {
    "basis": GatewayPlanBasis,
    "configuration": GatewayConfiguration,
    "duration": BudgetDuration,
    "fallback_config": FallbackConfig,
    "model_config": GatewayEndpointModelConfig,
    "model_configs": GatewayEndpointModelConfig,
    "scorer": Scorer,
}


def _operations() -> dict[str, str]:
    """The client's method of each RPC, by the words that both names have, such as updateendpoint."""
    names = (name for name, _ in inspect.getmembers(GatewayClient, inspect.isfunction) if not name.startswith("_"))
    return {name.replace("_", ""): name for name in names}


_OPERATIONS = _operations()
_OTHER_NAMES = {"attachmodelto": "attach_model", "detachmodelfrom": "detach_model", "resolve": "resolve_endpoints"}


def operation(request: Any) -> str:
    """Return the name of the client's method that sends requests of this type."""
    words = METHOD_OF[type(request)].name.lower().replace("gateway", "", 1).replace("endpointbinding", "binding")
    words = words.replace("guardrailconfig", "guardrail")
    return _OTHER_NAMES.get(words.removesuffix("endpoint")) or _OPERATIONS[words]


def perform(client: Any, request: Any) -> Any:
    """Send a request through the client's method for it; return what that returns, a reservation without its methods."""
    found = getattr(client, operation(request))(**arguments_of(request))
    return (found.reservation, found.balances, found.alerts) if hasattr(found, "reservation_id") else found


def arguments_of(request: Any) -> dict[str, Any]:
    """Return the arguments that give a request, by name."""
    return {argument_name(request, field.name): _argument(field, value) for field, value in request.ListFields()}


def argument_name(request: Any, field: str) -> str:
    """Return the name of the argument for a field. Amounts of the ledger are in units, as their names tell."""
    return field.removesuffix("_nanos") if type(request) in _IN_UNITS else field


_IN_UNITS = (
    spend_pb2.ReserveGatewaySpendRequest,
    spend_pb2.CommitGatewaySpendRequest,
    spend_pb2.AdjustGatewaySpendRequest,
)


def _argument(field: Any, value: Any) -> Any:
    entity = _ENTITIES.get(field.name)
    if field.containing_type in [kind.DESCRIPTOR for kind in _IN_UNITS] and field.name.endswith("_nanos"):
        return from_nanos(value)
    if field.name == "secret_values":
        return {assignment.name: dict(assignment.secret_value) for assignment in value}
    if field.name == "update_mask":
        return list(value.paths)
    if entity is not None:
        return [entity.from_proto(each) for each in value] if field.is_repeated else entity.from_proto(value)
    if field.is_repeated:
        return list(value) if field.message_type is None else dict(value)
    return value


class MessageTransport:
    """A sync or async transport, called with messages. It sends each request as it is, once."""

    def __init__(self, target: str, mode: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._wait: Callable[[Any], Any] = self._run if mode == "async" else lambda result: result
        self._transport: Any = open_async_transport(target) if mode == "async" else open_transport(target)

    def __call__(self, request: Any, *, timeout: float = 30, metadata: Mapping[str, str] | None = None) -> Any:
        method = METHOD_OF[type(request)]
        data = self._wait(self._transport.call(method, request.SerializeToString(), timeout=timeout, metadata=metadata))
        return method.response_type.FromString(data)

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def close(self) -> None:
        self._wait(self._transport.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
