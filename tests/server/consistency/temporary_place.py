"""Store locations for the modules of this folder when they run as programs, without fixtures."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.stores import Place, postgresql_place, sqlite_place


@contextmanager
def temporary_place(kind: str) -> Iterator[tuple[Place, Path]]:
    """Yield the location of a store and a temporary folder; for PostgreSQL with a new server."""
    with tempfile.TemporaryDirectory(prefix="gateway-consistency-") as name:
        folder = Path(name)
        if kind == "sqlite":
            yield sqlite_place(folder / "gateway.sqlite"), folder
            return
        from tests.postgresql import INSTALL, find_programs, running_postgresql

        programs = find_programs()
        if programs is None:
            raise SystemExit(f"PostgreSQL is not installed: {INSTALL}")
        with running_postgresql(programs) as server, postgresql_place(server, folder / "key") as place:
            yield place, folder
