"""Resolved endpoints, and the accesses to secrets."""

from __future__ import annotations

from collections.abc import Iterable

from gateway_entities import methods
from gateway_entities.client._async.pager import AsyncPager
from gateway_entities.client._async.rpc import AsyncRpcClient
from gateway_entities.client._base import PAGE_SIZE, revision_of
from gateway_entities.client._list import EntityList
from gateway_entities.client._requests import build, texts
from gateway_entities.entities import GatewaySecretAccess, ResolvedGatewayEndpoint
from gateway_entities.errors import Code, GatewayError
from gatewayentities.v1 import resolution_pb2


class AsyncResolutionMethods(AsyncRpcClient):
    """Resolved endpoints, and the accesses to secrets."""

    async def resolve_endpoint(
        self, *, endpoint_id: str | None = None, name: str | None = None, timeout: float | None = None
    ) -> ResolvedGatewayEndpoint:
        """Return an endpoint with the credentials of its models. Give exactly one of the two.

        It needs a token of scope ``resolve``. The server records the access before it answers.

        Args:
            endpoint_id: the endpoint's id.
            name: the endpoint's name.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT (none or both given); NOT_FOUND (also for an endpoint that the token is not for);
                FAILED_PRECONDITION (a model's secret was deleted; the store has no token); UNAVAILABLE (the access cannot be
                recorded).
        """
        ids = None if endpoint_id is None else [endpoint_id]
        resolved = await self.resolve_endpoints(endpoint_ids=ids, names=None if name is None else [name], timeout=timeout)
        if len(resolved) != 1:
            raise GatewayError(Code.INTERNAL, "the server's response is not one endpoint", reason="BAD_ANSWER")
        return resolved[0]

    async def resolve_endpoints(
        self,
        *,
        endpoint_ids: Iterable[str] | None = None,
        names: Iterable[str] | None = None,
        timeout: float | None = None,
    ) -> EntityList[ResolvedGatewayEndpoint]:
        """Return endpoints with the credentials of their models, all as of one revision. Give exactly one of the two.

        It needs a token of scope ``resolve``. The server records the accesses before it answers.

        Args:
            endpoint_ids: ids of endpoints, 1 to 100, each once.
            names: names of endpoints, 1 to 100, each once.
            timeout: seconds in all, retries included; None uses the client's.

        Returns:
            The endpoints, in the order of the arguments; the list has their revision.

        Raises:
            GatewayError: as ``resolve_endpoint``; RESOURCE_EXHAUSTED (the response would have more than 4 MiB).
        """
        request = build(
            resolution_pb2.ResolveGatewayEndpointRequest,
            endpoint_ids=texts("endpoint_ids", endpoint_ids),
            names=texts("names", names),
        )
        deadline = self._deadline(timeout)
        response, found = await self._page(methods.RESOLVE_GATEWAY_ENDPOINT, request, ResolvedGatewayEndpoint, deadline)
        return EntityList(found, revision_of(response))

    async def list_secret_accesses(
        self,
        *,
        secret_id: str | None = None,
        endpoint_id: str | None = None,
        actor: str | None = None,
        accessed_since: int | None = None,
        timeout: float | None = None,
    ) -> EntityList[GatewaySecretAccess]:
        """Return who has resolved which secret, latest first. The server deletes accesses after 90 days.

        It needs a token of scope ``admin``.

        Args:
            secret_id: only accesses to this secret.
            endpoint_id: only accesses through this endpoint.
            actor: only accesses with the token of this name.
            accessed_since: only accesses at or after this time, in milliseconds since the Unix epoch, UTC.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: see the class.
        """
        return await self.iter_secret_accesses(
            secret_id=secret_id, endpoint_id=endpoint_id, actor=actor, accessed_since=accessed_since, timeout=timeout
        ).read_all()

    def iter_secret_accesses(
        self,
        *,
        secret_id: str | None = None,
        endpoint_id: str | None = None,
        actor: str | None = None,
        accessed_since: int | None = None,
        page_size: int = PAGE_SIZE,
        timeout: float | None = None,
    ) -> AsyncPager[GatewaySecretAccess]:
        """Return an iterator over the entities that ``list_secret_accesses`` returns, which reads them page by page.

        Args:
            secret_id: only accesses to this secret.
            endpoint_id: only accesses through this endpoint.
            actor: only accesses with the token of this name.
            accessed_since: only accesses at or after this time, in milliseconds since the Unix epoch, UTC.
            page_size: number of entities per page, 1 to 1000.
            timeout: seconds for each page, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT. The others come from the iteration.
        """
        request = build(
            resolution_pb2.ListGatewaySecretAccessesRequest,
            secret_id=secret_id,
            endpoint_id=endpoint_id,
            actor=actor,
            accessed_since=accessed_since,
            page_size=page_size,
        )
        return self._pager(
            methods.LIST_GATEWAY_SECRET_ACCESSES,
            request,
            GatewaySecretAccess,
            timeout,
        )
