"""Fixtures of the server's tests."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway_entities.server.service import GatewayService
from gateway_entities.server.telemetry.access_log import LOGGER
from tests.server.configurations import Open
from tests.server.fake_clock import FakeClock
from tests.stores import KINDS, postgresql_place, sqlite_place


class Lines(logging.Handler):
    """Collects log records."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()
        self._records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        with self._changed:
            self._records.append(record)
            self._changed.notify_all()

    def take(self, count: int = 1) -> list[logging.LogRecord]:
        """Wait for so many records and return all: a record is logged after the response."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._records) >= count, timeout=10)
            taken, self._records = self._records, []
        assert len(taken) == count, [record.getMessage() for record in taken]
        return taken

    def one(self) -> dict[str, object]:
        [record] = self.take()
        return record.request  # type: ignore[attr-defined]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """The access log from now on."""
    log, handler = logging.getLogger(LOGGER), Lines()
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    yield handler
    log.setLevel(before)
    log.removeHandler(handler)


@pytest.fixture(params=KINDS)
def stores(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Opens new, empty stores."""
    opened: list[Any] = []
    places: list[Any] = []

    def open_one() -> GatewayService:
        if request.param == "postgresql":
            key = tmp_path_factory.mktemp("keys") / "gateway.key"
            places.append(postgresql_place(request.getfixturevalue("postgresql"), key, with_tables=True))
            place = places[-1].__enter__()
        else:
            place = sqlite_place(tmp_path_factory.mktemp("store") / "gateway.db", with_tables=True)
        opened.append(place.open())
        return GatewayService(opened[-1])

    yield open_one
    for store in opened:
        store.close()
    for place in places:
        place.__exit__(None, None, None)


@pytest.fixture
def service(stores: Open) -> GatewayService:
    return stores()


@pytest.fixture
def make_fake_clock(tmp_path: Path) -> Callable[[], FakeClock]:
    """A factory of clocks for server processes."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        pytest.skip("faketime is not installed: apt-get install faketime")
    numbers = itertools.count()
    return lambda: FakeClock(found[0], tmp_path / f"offset{next(numbers)}")


@pytest.fixture
def fake_clock(make_fake_clock: Callable[[], FakeClock]) -> FakeClock:
    return make_fake_clock()
