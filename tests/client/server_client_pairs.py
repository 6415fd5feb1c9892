"""The four pairs of transport and mode, behind one blocking interface."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

from gateway_entities.client import AsyncGatewayClient, AsyncPager, AsyncSpendReservation, GatewayClient
from gateway_entities.client._spend import AsyncReserving
from gateway_entities.transports.base import AsyncMessageStream
from tests import profiles
from tests.streams import BlockingStream

PAIRS = ("grpc-sync", "grpc-async", "http-sync", "http-async")
MLFLOW_PAIRS = ("mlflow-sync", "mlflow-async")
"""The same client, before a real MLflow server."""
TESTED_MLFLOW_PAIRS = MLFLOW_PAIRS if profiles.NAME == "full" else (random.Random(profiles.SEED).choice(MLFLOW_PAIRS),)
"""Those of this run. One calls through the other, and MLflow's server takes 50 ms for each call."""


class Blocking:
    """An AsyncGatewayClient with the methods of a GatewayClient: each call runs in a loop on a thread of its own."""

    def __init__(self, target: str, **options: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._client = AsyncGatewayClient(target, **options)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            result = method(*args, **kwargs)
            if isinstance(result, AsyncReserving):
                return BlockingReservation(self._wait, result)
            return BlockingPager(self._wait, result) if isinstance(result, AsyncPager) else self._wait(result)

        return call

    def _wait(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def watch(self, **arguments: Any) -> BlockingStream:
        async def start() -> AsyncMessageStream:
            return self._client.watch(**arguments)

        return BlockingStream(self._loop, self._wait(start()))

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._client.close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class BlockingReservation:
    """An AsyncSpendReservation with the methods of a SpendReservation."""

    def __init__(self, wait: Callable[[Coroutine[Any, Any, Any]], Any], reserving: AsyncReserving) -> None:
        async def reserve() -> AsyncSpendReservation:
            return await reserving

        self._wait = wait
        self._reservation: AsyncSpendReservation = wait(reserve())

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._reservation, name)
        return (lambda *args, **kwargs: self._wait(found(*args, **kwargs))) if callable(found) else found

    def __enter__(self) -> BlockingReservation:
        self._wait(self._reservation.__aenter__())
        return self

    def __exit__(self, *raised: Any) -> None:
        self._wait(self._reservation.__aexit__(*raised))


class BlockingPager:
    """An AsyncPager with the methods of a Pager."""

    def __init__(self, wait: Callable[[Coroutine[Any, Any, Any]], Any], pager: AsyncPager[Any]) -> None:
        self._wait = wait
        self._pager = pager

    def __iter__(self) -> Iterator[Any]:
        return self._iterate(aiter(self._pager))

    def by_page(self) -> Iterator[Any]:
        return self._iterate(self._pager.by_page())

    def read_all(self) -> Any:
        return self._wait(self._pager.read_all())

    def _iterate(self, iterator: AsyncIterator[Any]) -> Iterator[Any]:
        async def following() -> Any:
            return await anext(iterator, None)

        while (found := self._wait(following())) is not None:
            yield found


def connect(pair: str, grpc_target: str, http_target: str, **options: Any) -> Any:
    """Open the client of a pair."""
    transport, mode = pair.split("-")
    return open_client({"grpc": grpc_target, "http": http_target}[transport], mode, **options)


def open_client(target: str, mode: str, **options: Any) -> Any:
    """Open a client of a mode."""
    return GatewayClient(target, **options) if mode == "sync" else Blocking(target, **options)
