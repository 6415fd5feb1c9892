"""Concurrent editors of one endpoint lose no update."""

from __future__ import annotations

from contextlib import ExitStack

from tests import profiles
from tests.client.server_client_pairs import PAIRS
from tests.server.consistency.editors import edit
from tests.server.consistency.server_process import ServerProcess

EDITORS, UPDATES = profiles.whole(8, 4), profiles.count(10, 4)


def test_no_update_is_lost(place, tmp_path):
    with ServerProcess(place, tmp_path / "log").running() as server:
        for pair in PAIRS:
            found = edit([server], [pair], EDITORS, UPDATES)
            assert (found.survived, found.logged) == (EDITORS * UPDATES, EDITORS * UPDATES), pair


def test_no_update_is_lost_across_servers(place, tmp_path):
    """Over all transports, sync and async, concurrently."""
    with ExitStack() as stack:
        servers = [stack.enter_context(ServerProcess(place, tmp_path / f"log{n}").running()) for n in range(2)]
        found = edit(servers, PAIRS, EDITORS, UPDATES)
    assert (found.survived, found.logged) == (EDITORS * UPDATES, EDITORS * UPDATES)
