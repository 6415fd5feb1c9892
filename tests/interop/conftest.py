"""Every test here uses other languages.

Timeouts allow for builds: a language's first test builds its programs while others wait.
"""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(1500))
            item.add_marker(pytest.mark.programs)
