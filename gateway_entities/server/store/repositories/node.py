"""Reports of servers about their nodes."""

from __future__ import annotations

from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select

from gateway_entities.server.store.sql import execute
from gateway_entities.server.store.sql.schema import node_reports

_own = node_reports.c

_ADD: Final = insert(node_reports)
_REMOVE: Final = delete(node_reports).where(_own.server_id == bindparam("server_id"))
_PRUNE: Final = delete(node_reports).where(_own.written_at < bindparam("before"))
_HEADS: Final = select(_own.server_id, _own.sequence, _own.written_at).where(_own.store_id == bindparam("store_id"))
_NODES: Final = select(_own.sequence, _own.nodes).where(_own.server_id == bindparam("server_id"))


class ReportHead(NamedTuple):
    """A report without its nodes.

    Attributes:
        server_id: the server: random, new at each of its starts.
        sequence: increases with each report of the server.
        written_at: milliseconds since the Unix epoch, UTC.
    """

    server_id: str
    sequence: int
    written_at: int


class NodeReports:
    """The reports within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, head: ReportHead, store_id: str, nodes: str) -> None:
        """Replace the report of a server."""
        self.remove(head.server_id)
        execute.run(self._connection, _ADD, {**head._asdict(), "store_id": store_id, "nodes": nodes})

    def remove(self, server_id: str) -> None:
        """Delete the report of a server, if there is one."""
        execute.run(self._connection, _REMOVE, {"server_id": server_id})

    def prune(self, before: int) -> None:
        """Delete the reports that were written before a time."""
        execute.run(self._connection, _PRUNE, {"before": before})

    def heads(self, store_id: str) -> list[ReportHead]:
        """Return the reports about a store, without their nodes."""
        return [ReportHead(*row) for row in execute.rows(self._connection, _HEADS, {"store_id": store_id})]

    def nodes(self, server_id: str) -> str | None:
        """Return the nodes of a server's report; None if there is none."""
        row = execute.row(self._connection, _NODES, {"server_id": server_id})
        return None if row is None else row[1]
