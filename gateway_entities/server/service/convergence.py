"""ConvergenceService."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway_entities.errors import Code, FieldViolation, GatewayError
from gateway_entities.rules import NONE_ALLOWED, AllowedAddresses, validate
from gateway_entities.server.service.base import BaseService
from gateway_entities.server.service.context import CALLER, WAIT, StillWaiting
from gateway_entities.server.service.lists.paging import PageRequest
from gateway_entities.server.service.node_waits import NodesAt, NodeWaits
from gateway_entities.server.service.nodes import Node, NodeKey, Nodes
from gatewayentities.v1 import convergence_pb2 as pb

if TYPE_CHECKING:
    from gateway_entities.server.store import Store
    from gateway_entities.server.store.repositories.state import State

_DEFAULT_WAIT_MS: Final = 30_000


class ConvergenceService(BaseService):
    """The RPCs of ConvergenceService. Errors: as the contract lists, and UNAVAILABLE from the store.

    Attributes:
        nodes: the nodes.
        waits: the calls that wait for them.
    """

    def __init__(self, store: Store, allowed_addresses: AllowedAddresses = NONE_ALLOWED) -> None:
        super().__init__(store, allowed_addresses)
        self.nodes = Nodes(store)
        self.waits = NodeWaits(store, self.nodes)

    def acknowledge_gateway_revision(
        self, request: pb.AcknowledgeGatewayRevisionRequest
    ) -> pb.AcknowledgeGatewayRevisionResponse:
        """Note that the calling node has applied a revision."""
        validate(request)
        self._check(request.store_id, request.revision)
        key = NodeKey(CALLER.get() or "", request.instance)
        self.nodes.acknowledge(request.store_id, key, request.revision, request.digest)
        return pb.AcknowledgeGatewayRevisionResponse()

    def refuse_gateway_revision(self, request: pb.RefuseGatewayRevisionRequest) -> pb.RefuseGatewayRevisionResponse:
        """Note that the calling node has refused a revision."""
        validate(request)
        self._check(request.store_id, request.revision)
        key = NodeKey(CALLER.get() or "", request.instance)
        self.nodes.refuse(request.store_id, key, request.revision, request.reason)
        return pb.RefuseGatewayRevisionResponse()

    def list_gateway_nodes(self, request: pb.ListGatewayNodesRequest) -> pb.ListGatewayNodesResponse:
        """Return a page of nodes."""
        validate(request)
        page_request = PageRequest[tuple[int, str, str]]("nodes", 2, request.page_size, request.page_token)
        with self.read() as transaction:
            state = transaction.state.get()
            found = self.nodes.list(transaction, state.store_id)

            def after(last: tuple[int, str, str] | None, limit: int) -> list[tuple[NodeKey, Node]]:
                return [each for each in found if last is None or _position(each) > last][:limit]

            page = page_request.read_current(transaction, after, _position)
        response = pb.ListGatewayNodesResponse(revision=state.last_revision)
        page.fill(response, response.nodes, lambda each: each[1].entity(each[0], state.last_revision))
        return response

    def wait_for_gateway_convergence(
        self, request: pb.WaitForGatewayConvergenceRequest
    ) -> pb.WaitForGatewayConvergenceResponse:
        """Return how far the nodes are, once each has applied or refused the revision, or at the end of the time.

        Raises:
            StillWaiting: to be called again, by a caller that has set WAIT.
        """
        wait = WAIT.get()
        if wait is not None and wait.outcome.done():
            found: NodesAt = wait.outcome.result()
            return found.response(request.revision)
        validate(request)
        with self.read() as transaction:
            state = transaction.state.get()
            _check_exists(request.revision, state)
            if wait is None:
                return NodesAt(self.nodes.list(transaction, state.store_id)).response(request.revision)
        wait_ms = request.timeout_ms if request.HasField("timeout_ms") else _DEFAULT_WAIT_MS
        self.waits.add(wait.outcome, request.revision, wait.began + wait_ms / 1000)
        raise StillWaiting

    def _check(self, store_id: str, revision: int) -> None:
        digests = self.nodes.digests
        if digests is not None and digests.has_had(store_id, revision):
            return
        with self.read() as transaction:
            state = transaction.state.get()
        if store_id != state.store_id:
            raise GatewayError(
                Code.OUT_OF_RANGE,
                "the store is another one than before; watch again without a resume_token",
                reason="STORE_CHANGED",
            )
        _check_exists(revision, state)


def _position(found: tuple[NodeKey, Node]) -> tuple[int, str, str]:
    """Return the sort key of a node; nodes have no time of creation."""
    key = found[0]
    return (0, key.name, key.instance)


def _check_exists(revision: int, state: State) -> None:
    if revision > state.last_revision:
        raise GatewayError.invalid(
            [FieldViolation("revision", f"must be at most {state.last_revision}, the last one, is {revision}")]
        )
