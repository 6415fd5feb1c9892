"""The server, or the database, is killed at random moments while others write; every acknowledged write is there."""

from __future__ import annotations

import pytest

from tests import profiles
from tests.server.consistency.crashes import crash
from tests.server.consistency.server_process import ServerProcess
from tests.stores import sqlite_place


def test_kills_of_the_server(tmp_path):
    place = sqlite_place(tmp_path / "gateway.sqlite")
    kills = profiles.count(20, 3)
    with ServerProcess(place, tmp_path / "log").running() as server:
        toll = crash(place, server, kills, seed=profiles.SEED)
    assert toll.acknowledged > kills
    assert toll.revisions >= toll.acknowledged
    assert place.execute("PRAGMA integrity_check") == [("ok",)]
    assert place.execute("PRAGMA foreign_key_check") == []


@pytest.mark.parametrize("kills", [profiles.count(2, 1)])
def test_kills_of_postgresql(postgresql_place, tmp_path, kills):
    with ServerProcess(postgresql_place, tmp_path / "log").running() as server:
        toll = crash(postgresql_place, server, kills, seed=profiles.SEED)
    assert toll.acknowledged > kills
    assert toll.revisions >= toll.acknowledged
