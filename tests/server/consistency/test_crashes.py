"""Acknowledged mutations survive kills of the server or the database at random moments."""

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
        outcome = crash(place, server, kills, seed=profiles.SEED)
    assert outcome.acknowledged > kills
    assert outcome.revisions >= outcome.acknowledged
    assert place.execute("PRAGMA integrity_check") == [("ok",)]
    assert place.execute("PRAGMA foreign_key_check") == []


@pytest.mark.parametrize("kills", [profiles.count(2, 1)])
def test_kills_of_postgresql(postgresql_place, tmp_path, kills):
    with ServerProcess(postgresql_place, tmp_path / "log").running() as server:
        outcome = crash(postgresql_place, server, kills, seed=profiles.SEED)
    assert outcome.acknowledged > kills
    assert outcome.revisions >= outcome.acknowledged
