"""What all tests share."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# On a busy machine an example may take long without anything being wrong. In the ci profile a law of the entities has this
# many examples for each of them.
settings.register_profile("default", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), max_examples=920, print_blob=True)
settings.load_profile(os.environ.get("GATEWAY_ENTITIES_TEST_PROFILE", "default"))


@pytest.fixture(scope="session")
def tool() -> Callable[[str, str], Path]:
    """Return a function that finds a program, or skips the test and says how to install it."""

    def find(name: str, install: str) -> Path:
        # A virtual environment that is not activated has its programs beside its Python.
        places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        found = shutil.which(name, path=places)
        if found is None:
            pytest.skip(f"{name} is not installed: {install}")
        return Path(found)

    return find
