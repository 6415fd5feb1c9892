"""Calls that wait for nodes. One thread looks at the nodes for all of them, when something has changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway_entities.entities import GatewayNodeState
from gateway_entities.server.service.base import add_all
from gateway_entities.server.service.lists.paging import PAGE_BYTES
from gateway_entities.server.service.nodes import REPORT_S, Node, NodeKey, Nodes, settled_by
from gatewayentities.v1 import convergence_pb2 as pb

if TYPE_CHECKING:
    from gateway_entities.server.store import Store

MAX_NODES: Final = 10_000
"""Nodes of one response, at most."""
_ADDED_TOGETHER: Final = 500
_PAUSE_S: Final = 0.05
"""Seconds, at least, between two looks."""


class NodesAt:
    """The nodes at one moment.

    Attributes:
        settled: the last revision that each of them has applied or refused.
    """

    def __init__(self, nodes: Sequence[tuple[NodeKey, Node]]) -> None:
        self.settled = settled_by(node for _, node in nodes)
        self._nodes = nodes
        self._last: tuple[int, pb.WaitForGatewayConvergenceResponse] | None = None

    def response(self, revision: int) -> pb.WaitForGatewayConvergenceResponse:
        """Return the states relative to a revision, as many as a response may have. Do not change it: calls share it."""
        if self._last is None or self._last[0] != revision:
            # Only one is kept: each may have megabytes.
            self._last = revision, _response(self._nodes, revision)
        return self._last[1]


class _Waiting(NamedTuple):
    """A call that waits.

    Attributes:
        outcome: what it waits for, a NodesAt.
        revision: the revision that the nodes are to apply or refuse.
        until: the ``time.monotonic`` at which it ends in any case.
    """

    outcome: Future[Any]
    revision: int
    until: float


class NodeWaits:
    """The calls of one server that wait for nodes. Thread-safe; its thread starts with the first one.

    A look costs the same for one call and for a thousand, and without calls there is none.
    """

    def __init__(self, store: Store, nodes: Nodes) -> None:
        """Create it without calls.

        Args:
            store: the store.
            nodes: the nodes, whose changes it observes.
        """
        self._store = store
        self._nodes = nodes
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._changed = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        nodes.observe(self.notify)

    def add(self, outcome: Future[Any], revision: int, until: float) -> None:
        """Complete a future with a NodesAt in which every node has applied or refused a revision, or with the last one.

        Args:
            outcome: the future; one that was cancelled is forgotten.
            revision: the revision.
            until: the ``time.monotonic`` at which it is completed in any case.
        """
        with self._lock:
            self._waiting.append(_Waiting(outcome, revision, until))
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(target=self._run, name="gateway-waits", daemon=True)
                self._thread.start()
        self._changed.set()

    def notify(self) -> None:
        """Look at the nodes soon, because they may have changed."""
        self._changed.set()

    def close(self) -> None:
        """End, after the calls."""
        self._closing.set()
        self._changed.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._changed.wait(self._seconds_to_next())
            self._changed.clear()
            began = time.monotonic()
            self._look(began)
            # A tenth of the time at most.
            self._closing.wait(max(_PAUSE_S, 9 * (time.monotonic() - began)))

    def _seconds_to_next(self) -> float | None:
        with self._lock:
            end = min((each.until for each in self._waiting), default=None)
        # Nodes of other servers change without a notice, and nodes leave.
        return None if end is None else max(0.0, min(REPORT_S, end - time.monotonic()))

    def _look(self, now: float) -> None:
        with self._lock:
            self._waiting = [each for each in self._waiting if not each.outcome.done()]
            waiting = self._waiting.copy()
        if not waiting:
            return
        try:
            with self._store.read() as transaction:
                store_id = transaction.state.get().store_id
                settled = self._nodes.settled(transaction, store_id)
                if all(each.revision > settled and each.until > now for each in waiting):
                    return
                found = NodesAt(self._nodes.list(transaction, store_id))
        except Exception as error:
            for each in waiting:
                with suppress(InvalidStateError):
                    each.outcome.set_exception(error)
            return
        # Those of one revision follow each other, and share a response.
        for each in sorted(waiting, key=lambda each: each.revision):
            # It may have been cancelled by now.
            if each.revision <= found.settled or each.until <= now:
                with suppress(InvalidStateError):
                    each.outcome.set_result(found)


def _response(nodes: Sequence[tuple[NodeKey, Node]], revision: int) -> pb.WaitForGatewayConvergenceResponse:
    entities = [node.entity(key, revision) for key, node in nodes]
    entities.sort(key=lambda node: node.state == GatewayNodeState.APPLIED)
    response = pb.WaitForGatewayConvergenceResponse(
        converged=all(node.state == GatewayNodeState.APPLIED for node in entities)
    )
    for first in range(0, min(len(entities), MAX_NODES), _ADDED_TOGETHER):
        add_all(response, response.nodes, entities[first : first + _ADDED_TOGETHER])
        size, count = response.ByteSize(), len(response.nodes)
        if size <= PAGE_BYTES:
            continue
        while size > PAGE_BYTES and count:
            count -= 1
            # With the tag and the shortest length.
            size -= response.nodes[count].ByteSize() + 2
        del response.nodes[count:]
        break
    return response
