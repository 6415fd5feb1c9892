"""Nodes, and what they have applied."""

from __future__ import annotations

from gateway_entities import methods
from gateway_entities.client._async.pager import AsyncPager
from gateway_entities.client._async.rpc import AsyncRpcClient
from gateway_entities.client._base import PAGE_SIZE
from gateway_entities.client._list import EntityList
from gateway_entities.client._requests import build
from gateway_entities.entities import Convergence, GatewayNode
from gatewayentities.v1 import convergence_pb2

_WAIT_MS = 30_000
_MARGIN_S = 10.0
"""Seconds that a response may take beyond the wait."""


class AsyncConvergenceMethods(AsyncRpcClient):
    """Nodes, and what they have applied."""

    async def acknowledge_revision(
        self, store_id: str, revision: int, digest: str, *, instance: str | None = None, timeout: float | None = None
    ) -> None:
        """Report that this node has applied a revision. Repeat it at least every 10 seconds: after 30 the node leaves.

        A mirror does so by itself. It needs a token of scope ``node``, whose name is the node's.

        Args:
            store_id: the store's id, from the watch stream.
            revision: the revision.
            digest: the digest of the node's resources at that revision, 64 hexadecimal digits.
            instance: the name of the process among those with the same token, at most 255 characters.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT (also for a revision that does not exist yet); OUT_OF_RANGE (the store is another
                one; reason STORE_CHANGED); RESOURCE_EXHAUSTED (the server has too many nodes).
        """
        request = build(
            convergence_pb2.AcknowledgeGatewayRevisionRequest,
            store_id=store_id,
            revision=revision,
            digest=digest,
            instance=instance,
        )
        await self._call(methods.ACKNOWLEDGE_GATEWAY_REVISION, request, timeout)

    async def refuse_revision(
        self, store_id: str, revision: int, reason: str, *, instance: str | None = None, timeout: float | None = None
    ) -> None:
        """Report that this node cannot apply a revision. Repeat it as an acknowledgement.

        Args:
            store_id: the store's id, from the watch stream.
            revision: the revision.
            reason: why, 1 to 1000 characters, for people; without secrets.
            instance: as of ``acknowledge_revision``.
            timeout: seconds in all, retries included; None uses the client's.

        Raises:
            GatewayError: as ``acknowledge_revision``.
        """
        request = build(
            convergence_pb2.RefuseGatewayRevisionRequest,
            store_id=store_id,
            revision=revision,
            reason=reason,
            instance=instance,
        )
        await self._call(methods.REFUSE_GATEWAY_REVISION, request, timeout)

    async def list_nodes(self, *, timeout: float | None = None) -> EntityList[GatewayNode]:
        """Return the nodes, ordered by name, then by instance; their states are relative to the last revision.

        Args:
            timeout: seconds in all, retries and pages included; None uses the client's.

        Raises:
            GatewayError: see the class.
        """
        return await self.iter_nodes(timeout=timeout).read_all()

    def iter_nodes(self, *, page_size: int = PAGE_SIZE, timeout: float | None = None) -> AsyncPager[GatewayNode]:
        """Return an iterator over the entities that ``list_nodes`` returns, which reads them page by page.

        Args:
            page_size: number of entities per page, 1 to 1000.
            timeout: seconds for each page, retries included; None uses the client's.

        Raises:
            GatewayError: INVALID_ARGUMENT. The others come from the iteration.
        """
        request = build(convergence_pb2.ListGatewayNodesRequest, page_size=page_size)
        return self._pager(methods.LIST_GATEWAY_NODES, request, GatewayNode, timeout)

    async def wait_for_convergence(
        self, revision: int, *, timeout_ms: int | None = None, timeout: float | None = None
    ) -> Convergence:
        """Wait until every node has applied or refused a revision; return how far they are then, or after the wait.

        Args:
            revision: the revision.
            timeout_ms: milliseconds to wait for the nodes, at most 600,000; None for 30,000.
            timeout: seconds in all; None uses the client's, or that time and 10 seconds more if it is longer.

        Raises:
            GatewayError: INVALID_ARGUMENT (also for a revision that does not exist yet); RESOURCE_EXHAUSTED (too many calls
                wait at the server).
        """
        request = build(convergence_pb2.WaitForGatewayConvergenceRequest, revision=revision, timeout_ms=timeout_ms)
        if timeout is None and self._timeout is not None:
            wait_ms = request.timeout_ms if request.HasField("timeout_ms") else _WAIT_MS
            timeout = max(self._timeout, wait_ms / 1000 + _MARGIN_S)
        deadline = self._deadline(timeout)
        response, nodes = await self._page(methods.WAIT_FOR_GATEWAY_CONVERGENCE, request, GatewayNode, deadline)
        return Convergence(response.converged, nodes)
