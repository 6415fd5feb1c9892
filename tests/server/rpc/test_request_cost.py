"""Rejecting a large request is cheap, in time and in memory."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.server.rpc.request_cost import REQUESTS

MAX_SECONDS = 0.3
MAX_MIB = 100
"""Of memory on top of the process's own: for several such requests at the same time."""


def test_rejecting_four_megabytes_is_cheap():
    command = [sys.executable, "-m", "tests.server.rpc.request_cost"]
    output = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    (_, _, _, before), *measured = json.loads(output)
    assert [name for name, *_ in measured] == list(REQUESTS)
    assert {code for _, code, *_ in measured} == {"INVALID_ARGUMENT"}
    assert {name: seconds for name, _, seconds, _ in measured if seconds > MAX_SECONDS} == {}
    assert {name: peak - before for name, *_, peak in measured if peak - before > MAX_MIB} == {}
