"""The wall clock of server processes, set by libfaketime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

NOW = "+0"


class FakeClock:
    """The wall clock of the processes with this environment; their boot clock is the machine's."""

    def __init__(self, library: Path, file: Path) -> None:
        self._file = file
        self.environment: Mapping[str, str] = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }
        self.set(NOW)

    def set(self, offset: str) -> None:
        # Renamed, so that no process reads half a file.
        part = self._file.with_suffix(".part")
        part.write_text(offset + "\n")
        part.replace(self._file)
