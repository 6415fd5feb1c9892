"""Updates read from each kind of store: from any revision to the present one, and in pages."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.mirror import MirrorCore
from gateway_entities.server.store import Store
from gateway_entities.server.watch import reader
from tests.mirror.workload import Workload, assert_equal
from tests.server.service.conftest import Gateway
from tests.stores import KINDS, one_place

CHANGES = 40


@pytest.fixture(params=KINDS)
def gateway(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with one_place(request, tmp_path_factory) as place:
        store = place.open()
        try:
            yield Gateway(store, place)
        finally:
            store.close()


def apply(core: MirrorCore, store: Store, since: int) -> int:
    """Bring a mirror from a revision to the present one; return the number of messages."""
    update = reader.read_update(store, core.state.store_id, since)
    if update is None:
        return 0
    assert update.since == since
    for message in update.messages:
        core.apply(message)
    assert core.state.revision == update.revision
    return len(update.messages)


def test_an_update_leads_from_any_revision_to_the_present(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Single reads and pages give the same."""
    monkeypatch.setattr(reader, "_PAGE", 3)
    monkeypatch.setattr("gateway_entities.server.watch.update.MESSAGE_BYTES", 4096)
    workload = Workload(gateway, random.Random(7))
    cores = {"one": MirrorCore(), "few": MirrorCore(), "pages": MirrorCore()}
    since = dict.fromkeys(cores, reader.NOTHING)
    for number in range(CHANGES):
        expected, digest = workload.change()
        for name, core in cores.items():
            if name == "few" and number % 7 != 6:
                continue
            monkeypatch.setattr(reader, "_FEW", 0 if name == "pages" else 1000)
            apply(core, gateway.store, since[name])
            since[name] = expected.revision
            assert_equal(core.state, expected)
            assert core.digest() == digest
    late = MirrorCore()
    parts = apply(late, gateway.store, reader.NOTHING)
    assert late.digest() == cores["one"].digest()
    assert apply(late, gateway.store, late.state.revision) == 0
    assert parts > 1


def test_a_revision_that_the_store_never_had_is_refused(gateway: Gateway) -> None:
    gateway.secret()
    state = reader.read_state(gateway.store)
    for store_id, since in ((state.store_id, 2), ("other", 0)):
        with pytest.raises(GatewayError) as caught:
            reader.read_update(gateway.store, store_id, since)
        assert (caught.value.code, caught.value.reason) == (Code.OUT_OF_RANGE, "STORE_CHANGED")
