"""What concurrent clients of two servers see under faults is linearizable."""

from __future__ import annotations

import math
import time
from contextlib import nullcontext

import pytest

from tests import profiles
from tests.server.consistency.histories import record, report
from tests.stores import KINDS, postgresql_place, sqlite_place

HISTORIES = profiles.count(250, 1)
"""For each store, in blocks that may run side by side."""
BLOCK = 5
OPERATIONS = 100 if profiles.PROFILE.share is None else 1000
BLOCK_S = 6.0 if profiles.NAME == "ci" else math.inf
"""Time after which a block begins no other history: all blocks of the profile ``ci`` fit into a minute on two cores."""


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first", range(0, HISTORIES, BLOCK))
def test_histories_are_linearizable(request, tmp_path, kind, first):
    started = time.monotonic()
    for number in range(first, min(first + BLOCK, HISTORIES)):
        if number > first and time.monotonic() - started > BLOCK_S:
            break
        folder = tmp_path / str(number)
        folder.mkdir()
        if kind == "sqlite":
            placing = nullcontext(sqlite_place(folder / "gateway.sqlite", with_tables=True))
        else:
            server = request.getfixturevalue("postgresql")
            placing = postgresql_place(server, folder / "gateway.key", with_tables=True)
        with placing as place:
            result = record(place, folder, OPERATIONS, seed := profiles.SEED + number)
        if result.violations:
            (folder / "history.txt").write_text(report(result))
        shown = "\n".join(map(str, result.violations[:5]))
        assert not result.violations, f"seed {seed}, {folder / 'history.txt'}:\n{shown}"
        assert result.history.faults
        assert any(attempt.is_lost for attempt in result.history.attempts)
