"""Python: protobuf's default runtime, upb, and this project's own transports."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.interop.language import Language

TESTEE = [sys.executable, "-m", "tests.interop.python.testee"]


def build(_cache: Path) -> list[str]:
    return TESTEE


# Our HTTP transport sends binary messages only.
LANGUAGE = Language("python", needs=(), build=build, targets=("grpc", "http"))
