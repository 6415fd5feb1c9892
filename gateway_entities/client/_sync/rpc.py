# Generated from gateway_entities/client/_async/rpc.py by proto/generate.py. Do not edit.
"""Calls over a transport: retries and paging."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from gateway_entities.client._base import BaseClient, E, decode, decode_entities
from gateway_entities.client._list import Merge
from gateway_entities.client._retry import RetryPolicy
from gateway_entities.client._sync.pager import Pager
from gateway_entities.errors import GatewayError
from gateway_entities.methods import Method, Request, Response
from gateway_entities.transports.deadline import Deadline
from gateway_entities.transports.open import open_transport
from gateway_entities.transports.target import TlsFiles

if TYPE_CHECKING:
    import os
    from typing import Self


class RpcClient(BaseClient):
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
        self._transport = open_transport(target, TlsFiles(ca_file, cert_file, key_file))

    def _call(self, method: Method[Request, Response], request: Request, timeout: float | None) -> Response:
        response = decode(method, self._call_until(method, request, self._deadline(timeout)))
        self._note_revision(response)
        return response

    def _entity(self, method: Method[Request, Any], request: Request, kind: type[E], timeout: float | None) -> E:
        _, [entity] = self._page(method, request, kind, self._deadline(timeout))
        return entity

    def _pager(
        self,
        method: Method[Request, Any],
        request: Request,
        kind: type[E],
        timeout: float | None,
        *,
        merge: Merge[E] | None = None,
    ) -> Pager[E]:
        def fetch(page: Request, deadline: Deadline) -> Any:
            return self._page(method, page, kind, deadline)

        return Pager(fetch, request, lambda: self._deadline(timeout), merge)

    def _page(
        self, method: Method[Request, Response], request: Request, kind: type[E], deadline: Deadline
    ) -> tuple[Response, list[E]]:
        response, entities = decode_entities(method, kind, self._call_until(method, request, deadline))
        self._note_revision(response)
        return response, entities

    def _call_until(self, method: Method[Request, Any], request: Request, deadline: Deadline) -> bytes:
        import time

        transport = self._transport
        policy = RetryPolicy(method, request, deadline, self._retries, deduplicates=transport.deduplicates)
        data = request.SerializeToString()
        while True:
            try:
                response = transport.call(method, data, timeout=policy.timeout(), metadata=self._metadata)
                break
            except GatewayError as error:
                for pause in policy.pauses(error):
                    time.sleep(pause)
        policy.succeeded()
        return response

    def close(self) -> None:
        """Close every connection. Calls in flight end with CANCELLED. A second close does nothing."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
