"""The nodes: those of this server in memory, and those of the others from their reports."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeVar

from gateway_entities.entities import GatewayNode, GatewayNodeState
from gateway_entities.errors import GatewayError
from gateway_entities.server.service.errors import exhausted
from gateway_entities.server.store.repositories.node import ReportHead

if TYPE_CHECKING:
    from gateway_entities.server.store import Store, Transaction

MAX_NODES: Final = 10_000
"""Nodes of one server, at most."""
MAX_OF_TOKEN: Final = 5_000
"""Nodes of one token on one server, at most, so that one token cannot take them all."""
MAX_TEXT_BYTES: Final = 8 * 1024 * 1024
"""Bytes of the names, instances and reasons of the nodes of one server, at most: each report has them all."""
STAY_S: Final = 30.0
"""Seconds from a node's last call until it leaves."""
REPORT_S: Final = 0.2
"""Seconds, at least, between two reports."""
_REPEAT_S: Final = 5.0
"""Seconds, at most, until calls that change nothing are reported."""
_STALE_MS: Final = 60 * 60 * 1000
"""Age at which the report of a server that is gone is deleted."""

T = TypeVar("T")

_log = logging.getLogger(__name__)


class DigestSource(Protocol):
    """What the store's digests are compared with; as of ``watch.digests.Digests``."""

    def need(self) -> None:
        """Keep the digests of the next revisions."""

    def get(self, store_id: str, revision: int) -> str | None:
        """Return the digest of a revision, or None."""

    def has_had(self, store_id: str, revision: int) -> bool:
        """Return whether the store is known to have been at a revision."""
        ...


class NodeKey(NamedTuple):
    """The name of a node: of its token, and of its instance."""

    name: str
    instance: str


@dataclass(slots=True)
class Node:
    """What is known of a node.

    Attributes:
        seen: ``time.monotonic`` of this process at its last call.
        last_seen_at: the same in milliseconds since the Unix epoch, by the store's clock.
        applied: the last revision that it has applied, or None.
        digest: what it says its digest is there.
        verified: the last revision whose digest was the store's; never later than ``applied``.
        diverged: whether its digest was another one.
        refused: the last revision that it has refused, or None.
        reason: why.
    """

    seen: float
    last_seen_at: int
    applied: int | None = None
    digest: str | None = None
    verified: int | None = None
    diverged: bool = False
    refused: int | None = None
    reason: str | None = None

    def acknowledge(self, revision: int, digest: str) -> None:
        """Note a claim, which is to be verified. It takes back an earlier report that it refused the revision."""
        if self.refused is not None and self.refused <= revision:
            self.refused = self.reason = None
        if (self.applied, self.digest) == (revision, digest):
            return
        self.applied, self.digest, self.diverged = revision, digest, False
        if self.verified is not None and self.verified >= revision:
            # It has gone back, or its state at the same revision is another one.
            self.verified = None

    def refuse(self, revision: int, reason: str) -> None:
        """Note that it has refused a revision. It takes back a claim to have applied it."""
        self.refused, self.reason = revision, reason
        if self.applied is not None and self.applied >= revision:
            self.applied = self.digest = self.verified = None
            self.diverged = False

    def verify(self, store_id: str, digests: DigestSource) -> bool:
        """Compare the claim with the store's digest, if that is known; return whether this is news."""
        if self.applied is None or self.verified == self.applied or self.diverged:
            return False
        known = digests.get(store_id, self.applied)
        if known is None:
            return False
        if known == self.digest:
            self.verified = self.applied
        else:
            self.diverged = True
        return True

    def state(self, revision: int) -> GatewayNodeState:
        """Return how far the node is, relative to a revision."""
        if self.diverged:
            return GatewayNodeState.DIVERGED
        if self.verified is not None and self.verified >= revision:
            return GatewayNodeState.APPLIED
        if self.refused is not None and self.refused >= revision:
            return GatewayNodeState.REFUSED
        return GatewayNodeState.PENDING

    def settled(self) -> int:
        """Return the last revision relative to which the node has applied or refused; -1 for none."""
        done = [each for each in (self.verified, self.refused) if each is not None]
        return -1 if self.diverged else max(done, default=-1)

    def entity(self, key: NodeKey, revision: int) -> GatewayNode:
        """Return the node with its state relative to a revision."""
        return GatewayNode(
            name=key.name,
            instance=key.instance,
            state=self.state(revision),
            last_seen_at=self.last_seen_at,
            applied_revision=self.applied,
            digest=self.digest,
            refused_revision=self.refused,
            reason=self.reason,
        )


class _Report(NamedTuple):
    sequence: int
    nodes: dict[NodeKey, Node]


class Nodes:
    """The nodes of a store. Thread-safe; its thread, which writes the reports, starts with the first node.

    Attributes:
        digests: the store's digests; None until it is set, and until then no node has applied anything.
    """

    def __init__(self, store: Store) -> None:
        self.digests: DigestSource | None = None
        self._store = store
        self._server_id = uuid.uuid4().hex
        self._lock = threading.Lock()
        self._own: dict[NodeKey, Node] = {}
        # How many of them each token has, and the bytes of their texts.
        self._of_token = Counter[str]()
        self._text_bytes = 0
        self._store_id = ""
        self._observer: Callable[[], None] | None = None
        self._changed = threading.Event()
        self._is_news = False
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._sequence = 0
        self._is_failing = False
        self._offset_ms: int | None = None
        self._reading = threading.Lock()
        self._read_at = float("-inf")
        self._others: dict[str, _Report] = {}

    @property
    def count(self) -> int:
        """The number of nodes of this server."""
        return len(self._own)

    def observe(self, observer: Callable[[], None]) -> None:
        """Call a function, in any thread, when a node of this server is new or says something else than before."""
        self._observer = observer

    def acknowledge(self, store_id: str, key: NodeKey, revision: int, digest: str) -> None:
        """Note that a node has applied a revision.

        Raises:
            GatewayError: RESOURCE_EXHAUSTED; there are too many nodes.
        """
        with self._lock:
            node, is_new = self._seen(store_id, key, 0)
            before = (node.applied, node.digest, node.refused)
            self._text_bytes -= _size(node.reason)
            node.acknowledge(revision, digest)
            self._text_bytes += _size(node.reason)
            is_verified = self.digests is not None and node.verify(store_id, self.digests)
            is_new = is_new or is_verified or before != (node.applied, node.digest, node.refused)
            self._is_news |= is_new
        self._wake(is_new=is_new)

    def refuse(self, store_id: str, key: NodeKey, revision: int, reason: str) -> None:
        """Note that a node has refused a revision; errors as of ``acknowledge``."""
        with self._lock:
            node, is_new = self._seen(store_id, key, _size(reason))
            is_new = is_new or (node.refused, node.reason) != (revision, reason)
            self._text_bytes += _size(reason) - _size(node.reason)
            node.refuse(revision, reason)
            self._is_news |= is_new
        self._wake(is_new=is_new)

    def list(self, transaction: Transaction, store_id: str) -> list[tuple[NodeKey, Node]]:
        """Return the nodes of all servers that have not left, in order of name and instance."""
        return self._present(transaction, store_id, lambda found: sorted((key, _copy(node)) for key, node in found.items()))

    def settled(self, transaction: Transaction, store_id: str) -> int:
        """Return what ``settled_by`` returns of them, at a small part of the cost of ``list``."""
        return self._present(transaction, store_id, lambda found: settled_by(found.values()))

    def _present(self, transaction: Transaction, store_id: str, use: Callable[[dict[NodeKey, Node]], T]) -> T:
        if self.digests is not None:
            self.digests.need()
        found: dict[NodeKey, Node] = {}
        with self._reading:
            self._read_others(transaction, store_id)
            others = [report.nodes for report in self._others.values()]
        with self._lock:
            self._verify()
            own = {key: node for key, node in self._own.items() if self._store_id == store_id}
            for nodes in (*others, own):
                for key, node in nodes.items():
                    # A node may have gone to another server: its last call counts.
                    if key not in found or node.last_seen_at >= found[key].last_seen_at:
                        found[key] = node
            left = time.monotonic() - STAY_S
            return use({key: node for key, node in found.items() if node.seen > left})

    def close(self) -> None:
        """Write the last report, so that a server that starts now knows the nodes."""
        self._closing.set()
        self._changed.set()
        if self._thread is not None:
            self._thread.join()

    def _seen(self, store_id: str, key: NodeKey, reason_bytes: int) -> tuple[Node, bool]:
        """Return a node that calls, and whether it is a new one."""
        if self.digests is not None:
            self.digests.need()
        if store_id != self._store_id:
            # Of the former store.
            self._own.clear()
            self._of_token.clear()
            self._text_bytes = 0
            self._store_id = store_id
        now = time.monotonic()
        node = self._own.get(key)
        is_new = node is None
        added = reason_bytes + (_size(key.name) + _size(key.instance) if node is None else -_size(node.reason))
        if added > 0 and self._text_bytes + added > MAX_TEXT_BYTES:
            raise exhausted(
                f"The names, instances and reasons of the server's nodes have {MAX_TEXT_BYTES} bytes, its maximum. Give "
                "shorter ones.",
                "TOO_MANY_NODES",
            )
        if node is None:
            if len(self._own) >= MAX_NODES:
                raise exhausted(f"The server has {MAX_NODES} nodes, and takes no more.", "TOO_MANY_NODES")
            if self._of_token[key.name] >= MAX_OF_TOKEN:
                raise exhausted(f"The token has {MAX_OF_TOKEN} nodes, and the server takes no more.", "TOO_MANY_NODES")
            node = self._own[key] = Node(now, 0)
            self._of_token[key.name] += 1
            self._text_bytes += _size(key.name) + _size(key.instance)
        node.seen = now
        node.last_seen_at = self._time_of(now)
        if self._thread is None and not self._closing.is_set():
            self._thread = threading.Thread(target=self._run, name="gateway-nodes", daemon=True)
            self._thread.start()
        return node, is_new

    def _time_of(self, moment: float) -> int:
        offset = self._offset_ms
        return round(moment * 1000) + (round((time.time() - time.monotonic()) * 1000) if offset is None else offset)

    def _wake(self, *, is_new: bool) -> None:
        self._changed.set()
        if is_new and self._observer is not None:
            self._observer()

    def _verify(self) -> None:
        if self.digests is not None:
            for node in self._own.values():
                self._is_news |= node.verify(self._store_id, self.digests)

    def _read_others(self, transaction: Transaction, store_id: str) -> None:
        now = time.monotonic()
        if now - self._read_at < REPORT_S:
            return
        heads = [head for head in transaction.node_reports.heads(store_id) if head.server_id != self._server_id]
        found: dict[str, _Report] = {}
        for head in heads:
            known = self._others.get(head.server_id)
            if known is None or known.sequence != head.sequence:
                # By the store's clock, but no older than the last look, which did not see it. Afterwards this clock
                # alone has the age, so that a step of the store's does not matter.
                most_ms = _STALE_MS if known is None else (now - self._read_at) * 1000
                age_ms = min(max(transaction.now - head.written_at, 0), most_ms)
                text = transaction.node_reports.nodes(head.server_id)
                known = _Report(head.sequence, {} if text is None else _decode(text, now - age_ms / 1000))
            found[head.server_id] = known
        self._others, self._read_at = found, now

    def _run(self) -> None:
        reported_at = float("-inf")
        while not self._closing.is_set():
            self._changed.wait(_REPEAT_S)
            self._changed.clear()
            began = time.monotonic()
            with self._lock:
                self._verify()
                unverified = any(
                    node.applied is not None and node.verified != node.applied and not node.diverged
                    for node in self._own.values()
                )
                left = [key for key, node in self._own.items() if node.seen <= began - STAY_S]
                for key in left:
                    self._forget(key)
                due = self._is_news or left or began - reported_at >= _REPEAT_S
            if due:
                self._report()
                reported_at = began
            # Bounded work: a tenth of the time at most.
            self._closing.wait(max(REPORT_S, 9 * (time.monotonic() - began)))
            if unverified:
                self._changed.set()
        self._report()

    def _forget(self, key: NodeKey) -> None:
        node = self._own.pop(key)
        self._text_bytes -= _size(key.name) + _size(key.instance) + _size(node.reason)
        self._of_token[key.name] -= 1
        if not self._of_token[key.name]:
            del self._of_token[key.name]

    def _report(self) -> None:
        with self._lock:
            self._is_news = False
            self._sequence += 1
            store_id, nodes = self._store_id, _encode(self._own.items())
            is_empty = not self._own
        try:
            with self._store.report() as transaction:
                self._offset_ms = transaction.now - round(time.monotonic() * 1000)
                transaction.node_reports.prune(transaction.now - _STALE_MS)
                if is_empty:
                    transaction.node_reports.remove(self._server_id)
                else:
                    head = ReportHead(self._server_id, self._sequence, transaction.now)
                    transaction.node_reports.put(head, store_id, nodes)
            self._is_failing = False
        except Exception as error:
            self._is_news = True
            self._log_failure(error)

    def _log_failure(self, error: Exception) -> None:
        if self._is_failing:
            return
        self._is_failing = True
        if isinstance(error, GatewayError):
            _log.warning("the nodes of this server cannot be reported to the store: %s", error.message)
        else:
            _log.error("the nodes of this server cannot be reported to the store", exc_info=error)


def settled_by(nodes: Iterable[Node]) -> int:
    """Return the last revision that each of some nodes has applied or refused; without nodes it is after all others."""
    return min((node.settled() for node in nodes), default=sys.maxsize)


def _size(text: str | None) -> int:
    return 0 if text is None else len(text.encode())


def _copy(node: Node) -> Node:
    return Node(**{name: getattr(node, name) for name in Node.__slots__})


def _encode(nodes: Iterable[tuple[NodeKey, Node]]) -> str:
    now = time.monotonic()
    return json.dumps(
        [
            [
                *key,
                round((now - n.seen) * 1000),
                n.last_seen_at,
                n.applied,
                n.digest,
                n.verified,
                n.diverged,
                n.refused,
                n.reason,
            ]
            for key, n in nodes
        ],
        # As many bytes as are counted, not three times as many.
        ensure_ascii=False,
        separators=(",", ":"),
    )


def _decode(text: str, written: float) -> dict[NodeKey, Node]:
    return {
        NodeKey(name, instance): Node(written - age_ms / 1000, *rest) for name, instance, age_ms, *rest in json.loads(text)
    }
