"""The lanes of a server: each kind of call has worker threads of its own."""

from __future__ import annotations

from typing import Any, Final

from gateway_entities.methods import (
    ACKNOWLEDGE_GATEWAY_REVISION,
    LIST_GATEWAY_NODES,
    REFUSE_GATEWAY_REVISION,
    RESOLVE_GATEWAY_ENDPOINT,
    WAIT_FOR_GATEWAY_CONVERGENCE,
    Method,
)
from gateway_entities.server.rpc.lane import READ_METHODS, Lane
from gateway_entities.server.rpc.limits import Limits

_TOKEN_WORKERS: Final = 2
_RESOLVE_WORKERS: Final = 64
"""Calls that wait at the same time for one transaction to record their accesses."""
_LIST_WORKERS: Final = 1
"""Each that is busy delays every other call, because only one thread of a process runs Python."""
_NODE_WORKERS: Final = 2
_NODE_METHODS: Final = frozenset({ACKNOWLEDGE_GATEWAY_REVISION, REFUSE_GATEWAY_REVISION, LIST_GATEWAY_NODES})
"""They do not wait for the writer."""
_WAIT_WORKERS: Final = 1
"""For the beginning and the end of calls that wait. Those that end together share a response, which one thread makes."""


class Lanes:
    """The lanes.

    Attributes:
        reads: calls that read.
        writes: calls that write.
        tokens: authentication that has to read the store.
        resolutions: resolutions of endpoints.
        nodes: reports of nodes, and their list.
        waits: the beginning and the end of calls that wait for nodes.
        lists: lists without pages, which take seconds of processor time.
    """

    def __init__(self, limits: Limits) -> None:
        """Create the lanes. The limits are the numbers of threads for reads and writes, and the maximum wait for one."""
        seconds = limits.queue_timeout_s
        self.reads = Lane("read", limits.read_workers, seconds)
        self.writes = Lane("write", limits.write_workers, seconds)
        self.tokens = Lane("token", _TOKEN_WORKERS, seconds)
        self.resolutions = Lane("resolve", _RESOLVE_WORKERS, seconds)
        self.nodes = Lane("node", _NODE_WORKERS, seconds)
        self.waits = Lane("wait", _WAIT_WORKERS, seconds)
        self.lists = Lane("whole list", _LIST_WORKERS, seconds)

    def of(self, method: Method[Any, Any]) -> Lane:
        """Return the lane of the calls of an RPC."""
        if method in _NODE_METHODS:
            return self.nodes
        if method is WAIT_FOR_GATEWAY_CONVERGENCE:
            return self.waits
        if method is RESOLVE_GATEWAY_ENDPOINT:
            return self.resolutions
        return self.reads if method in READ_METHODS else self.writes

    def close(self) -> None:
        """Wait for the functions that run in each lane. Those in the queues never do."""
        for lane in (self.reads, self.writes, self.tokens, self.resolutions, self.nodes, self.waits, self.lists):
            lane.close()
