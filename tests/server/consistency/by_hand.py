"""What the tests get from fixtures, for the same code when it is run by hand."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.stores import Place, postgresql_place, sqlite_place


@contextmanager
def place_by_hand(kind: str) -> Iterator[tuple[Place, Path]]:
    """Make a place for a store, on a PostgreSQL server of its own if it is for that, and a folder beside it."""
    with tempfile.TemporaryDirectory(prefix="gateway-exactness-") as name:
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
