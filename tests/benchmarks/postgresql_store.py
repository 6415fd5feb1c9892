"""The same calls with a PostgreSQL store."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

from tests.benchmarks import calls, lists
from tests.benchmarks.row import Row, Subjects
from tests.benchmarks.stage import Stage


def _prepare(name: str, transport: str, callers: int, count: int, stage: Stage, stack: ExitStack) -> Subjects:
    how = (name, transport, "sync", callers)
    changes = name == "create"
    server = stage.our_server(count, "postgresql-changed" if changes else "postgresql")
    subjects = Subjects(
        calls.sample(stage, stack, server, *how),
        peer=calls.sample(stage, stack, stage.our_server(count, "sqlite-changed" if changes else "sqlite"), *how),
        limit=calls.limit(stage, stack, server, *how),
    )
    if changes:
        subjects.notes.append("PostgreSQL runs as in the tests, with fsync off; the peer and the limit are durable")
    return subjects


def _row(name: str, transport: str, callers: int, count: int) -> Row:
    size = f"-{count}" if name == "list" else ""
    return Row(
        f"postgresql-{name}{size}-{transport}-{callers}",
        f"{name}{f' of {count:,}' if size else ''}, {transport}, concurrency {callers}, PostgreSQL",
        "ms",
        partial(_prepare, name, transport, callers, count),
        "the same on SQLite",
        calls.COMMIT if name == "create" else calls.ECHO,
        quick=callers == 1 and transport == "http" and name != "list",
    )


ROWS = (
    *(_row("get", transport, callers, calls.COUNT) for transport in calls.TRANSPORTS for callers in (1, 8)),
    *(_row("create", transport, callers, calls.COUNT) for transport in calls.TRANSPORTS for callers in (1, 8)),
    *(_row("list", transport, 1, lists.MANY) for transport in calls.TRANSPORTS),
)
