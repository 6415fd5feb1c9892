"""Each mutation takes effect exactly once, despite lost responses and repeated requests."""

from __future__ import annotations

from tests import profiles
from tests.server.consistency.losses import lose
from tests.server.consistency.server_process import ServerProcess

MUTATIONS = profiles.count(2000, 240)


def test_each_mutation_takes_effect_exactly_once(place, tmp_path):
    with ServerProcess(place, tmp_path / "log").running() as server:
        found = lose(server, MUTATIONS, seed=profiles.SEED)
    assert found.wanted.total() + found.spends == MUTATIONS
    assert found.effects == found.wanted
    assert set(found.effects.values()) == {1}
    assert found.spent == found.spends > 0
    assert 0.2 < (found.lost + found.repeated) / found.requests < 0.4, (
        "the proxies have lost responses and repeated requests"
    )
