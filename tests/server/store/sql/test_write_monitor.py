"""Since when writes do not get through."""

from __future__ import annotations

import time
from contextlib import suppress

from gateway_entities.errors import GatewayError
from gateway_entities.server.store.sql.database import BUSY
from gateway_entities.server.store.sql.write_monitor import WriteMonitor


def test_a_later_failure_does_not_hide_how_long_an_earlier_write_waited() -> None:
    monitor = WriteMonitor(0.2)
    with suppress(GatewayError), monitor.observe():
        time.sleep(0.2)
        with suppress(GatewayError), monitor.observe():
            raise BUSY.error()
        raise BUSY.error()
    assert monitor.error() is not None


def test_a_success_ends_it() -> None:
    monitor = WriteMonitor(0)
    with suppress(GatewayError), monitor.observe():
        raise BUSY.error()
    assert monitor.error() is not None
    with monitor.observe():
        pass
    assert monitor.error() is None
