"""Fixtures and settings of all tests."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from tests import profiles

if TYPE_CHECKING:
    from tests.postgresql import PostgreSQL
    from tests.stores import Place

# On a busy machine an example may take long. Where hypothesis detects a CI server, its defaults for the other settings draw
# the same examples in each run.
settings.register_profile(
    profiles.NAME,
    max_examples=profiles.PROFILE.examples,
    deadline=None,
    derandomize=False,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.load_profile(profiles.NAME)

# Hundreds of test processes would each compile the package.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


_WITH_PROGRAMS = "uses programs beside Python: GATEWAY_ENTITIES_TEST_PROFILE=variants runs it, or says what to install"


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return twice the number of processors, because half of the tests' time is waiting for servers and processes."""
    return 2 * (os.cpu_count() or 1)


def pytest_configure(config: pytest.Config) -> None:
    """Seed hypothesis where a run draws a share, and undo an ignored SIGINT, which the tests' processes would inherit."""
    if profiles.PROFILE.share is not None and config.getoption("--hypothesis-seed") is None:
        config.option.hypothesis_seed = str(profiles.SEED)
    # A shell starts what runs in its background with the signal ignored.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep what the profile has: one variant of each test, no other programs. What the command line names is kept."""
    from tests.variants import case_of, drawn, uses_programs

    if not profiles.PROFILE.programs and config.args_source is not pytest.Config.ArgsSource.ARGS:
        for item in items:
            if uses_programs(item):
                item.add_marker(pytest.mark.skip(reason=_WITH_PROGRAMS))
    if profiles.PROFILE.variants or any("::" in argument for argument in config.args):
        return
    chosen = drawn(map(case_of, items), profiles.SEED)
    left_out = [item for position, item in enumerate(items) if position not in chosen]
    if left_out:
        items[:] = [item for position, item in enumerate(items) if position in chosen]
        config.hook.pytest_deselected(items=left_out)


def pytest_report_header() -> str:
    return f"profile {profiles.NAME}, seed {profiles.SEED}"


@pytest.fixture(scope="session")
def tool() -> Callable[[str, str], Path]:
    """Return a function that finds a program, or skips the test with its installation."""

    def find(name: str, install: str) -> Path:
        # The programs of an inactive virtual environment are in the folder of its Python.
        places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        found = shutil.which(name, path=places)
        if found is None:
            pytest.skip(f"{name} is not installed: {install}")
        return Path(found)

    return find


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server for tests. A test that stops it must start it again."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'psycopg[binary]'")
    from tests.postgresql import INSTALL, find_programs, running_postgresql

    programs = find_programs()
    if programs is None:
        pytest.skip(f"PostgreSQL is not installed: {INSTALL}")
    with running_postgresql(programs) as server:
        yield server


@pytest.fixture
def with_tables(request: pytest.FixtureRequest) -> bool:
    """Whether the place of a store has the tables, whose creation is slow: tests with these fixtures do not test it."""
    return not {"store", "small", "keys", "filled", "backup"}.isdisjoint(request.fixturenames)


@pytest.fixture
def postgresql_place(postgresql: PostgreSQL, tmp_path: Path, with_tables: bool) -> Iterator[Place]:
    """A new database on it, for a store."""
    from tests.stores import postgresql_place

    with postgresql_place(postgresql, tmp_path / "postgresql.key", with_tables=with_tables) as place:
        yield place


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path, with_tables: bool) -> Any:
    """A place for a store, SQLite and PostgreSQL in turn."""
    from tests.stores import sqlite_place

    if request.param == "sqlite":
        return sqlite_place(tmp_path / "gateway.sqlite", with_tables=with_tables)
    return request.getfixturevalue("postgresql_place")
