"""Calls over a transport: retries and paging."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from gateway_entities.client._async.pager import AsyncPager
from gateway_entities.client._base import BaseClient, E, decode, decode_entities
from gateway_entities.client._list import Merge
from gateway_entities.client._retry import RetryPolicy
from gateway_entities.errors import GatewayError
from gateway_entities.methods import Method, Request, Response
from gateway_entities.transports.deadline import Deadline
from gateway_entities.transports.open import open_async_transport
from gateway_entities.transports.target import TlsFiles

if TYPE_CHECKING:
    import os
    from typing import Self


class AsyncRpcClient(BaseClient):
    """Transport, retries and paging of the methods."""

    def __init__(
        self,
        target: str,
        *,
        timeout: float | None = 30.0,
        retry_timeout: float | None = None,
        metadata: Mapping[str, str] | None = None,
        token: str | None = None,
        ca_file: str | os.PathLike[str] | None = None,
        cert_file: str | os.PathLike[str] | None = None,
        key_file: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__(target, timeout, retry_timeout, metadata, token)
        self._transport = open_async_transport(target, TlsFiles(ca_file, cert_file, key_file))

    async def _call(self, method: Method[Request, Response], request: Request, timeout: float | None) -> Response:
        response = decode(method, await self._call_until(method, request, self._deadline(timeout)))
        self._note_revision(response)
        return response

    async def _entity(self, method: Method[Request, Any], request: Request, kind: type[E], timeout: float | None) -> E:
        _, [entity] = await self._page(method, request, kind, self._deadline(timeout))
        return entity

    def _pager(
        self,
        method: Method[Request, Any],
        request: Request,
        kind: type[E],
        timeout: float | None,
        *,
        merge: Merge[E] | None = None,
    ) -> AsyncPager[E]:
        def fetch(page: Request, deadline: Deadline) -> Any:
            return self._page(method, page, kind, deadline)

        return AsyncPager(fetch, request, lambda: self._deadline(timeout), merge)

    async def _page(
        self, method: Method[Request, Response], request: Request, kind: type[E], deadline: Deadline
    ) -> tuple[Response, list[E]]:
        response, entities = decode_entities(method, kind, await self._call_until(method, request, deadline))
        self._note_revision(response)
        return response, entities

    async def _call_until(self, method: Method[Request, Any], request: Request, deadline: Deadline) -> bytes:
        import asyncio

        transport = self._transport
        policy = RetryPolicy(method, request, deadline, self._retries, deduplicates=transport.deduplicates)
        data = request.SerializeToString()
        while True:
            try:
                response = await transport.call(method, data, timeout=policy.timeout(), metadata=self._metadata)
                break
            except GatewayError as error:
                for pause in policy.pauses(error):
                    await asyncio.sleep(pause)
        policy.succeeded()
        return response

    async def close(self) -> None:
        """Close every connection. Calls in flight end with CANCELLED. A second close does nothing."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()
