"""Requests as messages through a client's own methods, and through a transport, which shows the bytes of the answer."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from typing import Any

from gateway_entities.client import GatewayClient
from gateway_entities.client import _calls as calls
from gateway_entities.entities import BudgetDuration, FallbackConfig, GatewayEndpointModelConfig
from gateway_entities.transports import open_async_transport, open_transport
from tests.mutations import METHOD_OF

_ENTITIES = {
    "duration": BudgetDuration,
    "fallback_config": FallbackConfig,
    "model_config": GatewayEndpointModelConfig,
    "model_configs": GatewayEndpointModelConfig,
}


def _operations() -> dict[str, str]:
    """The client's method of each RPC, by the words that both names have, such as updateendpoint."""
    names = {name for name, _ in inspect.getmembers(GatewayClient, inspect.isfunction) if hasattr(calls, name)}
    return {name.replace("_", ""): name for name in names}


_OPERATIONS = _operations()
_OTHER_NAMES = {"attachmodelto": "attach_model", "detachmodelfrom": "detach_model"}


def operation(request: Any) -> str:
    """Return the name of the client's method that sends requests of this type."""
    words = METHOD_OF[type(request)].name.lower().replace("gateway", "", 1).replace("endpointbinding", "binding")
    return _OTHER_NAMES.get(words.removesuffix("endpoint")) or _OPERATIONS[words]


def perform(client: Any, request: Any) -> Any:
    """Send a request through the client's method for it; return what the method returns."""
    arguments: dict[str, Any] = {}
    for field, value in request.ListFields():
        arguments[field.name] = _argument(field, value)
    return getattr(client, operation(request))(**arguments)


def _argument(field: Any, value: Any) -> Any:
    entity = _ENTITIES.get(field.name)
    if field.name == "update_mask":
        return list(value.paths)
    if entity is not None:
        return [entity.from_proto(each) for each in value] if field.is_repeated else entity.from_proto(value)
    return dict(value) if field.is_repeated else value


class Carrier:
    """A transport of either colour, called with messages. Every answer is for the request as it is: nothing is retried."""

    def __init__(self, target: str, colour: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._wait: Callable[[Any], Any] = self._run if colour == "async" else lambda result: result
        self._transport: Any = open_async_transport(target) if colour == "async" else open_transport(target)

    def __call__(self, request: Any) -> Any:
        method = METHOD_OF[type(request)]
        data = self._wait(self._transport.call(method, request.SerializeToString(), timeout=30, metadata=None))
        return method.response_type.FromString(data)

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def close(self) -> None:
        self._wait(self._transport.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
