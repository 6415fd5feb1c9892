"""Stores on disk, and a factory of entities."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from gateway_entities.entities import (
    BudgetAction,
    BudgetDuration,
    BudgetDurationUnit,
    BudgetTargetScope,
    BudgetUnit,
    GatewayBudgetPolicy,
    GatewayEndpoint,
    GatewayEndpointBinding,
    GatewayEndpointModelMapping,
    GatewayModelDefinition,
    GatewayModelLinkageType,
    GatewayResourceType,
    GatewaySecretInfo,
)
from gateway_entities.server.store import Store, open_store
from tests.stores import Place


class Make:
    """Creates entities with ids, names and times derived from a number; fields can be overridden."""

    def secret(self, number: int = 1, **fields: object) -> GatewaySecretInfo:
        info = GatewaySecretInfo(f"s-{number:04}", f"secret {number}", {"api_key": "***"}, 1000 + number, 1000 + number)
        return replace(info, **fields)

    def definition(self, number: int = 1, **fields: object) -> GatewayModelDefinition:
        at = 2000 + number
        made = GatewayModelDefinition(f"d-{number:04}", f"definition {number}", None, None, "openai", "gpt-4o", at, at)
        return replace(made, **fields)

    def endpoint(self, number: int = 1, **fields: object) -> GatewayEndpoint:
        return replace(GatewayEndpoint(f"e-{number:04}", f"endpoint-{number}", 3000 + number, 3000 + number), **fields)

    def mapping(
        self, number: int = 1, endpoint: int = 1, definition: int = 1, **fields: object
    ) -> GatewayEndpointModelMapping:
        made = GatewayEndpointModelMapping(
            f"m-{number:04}",
            f"e-{endpoint:04}",
            f"d-{definition:04}",
            None,
            1.0,
            GatewayModelLinkageType.PRIMARY,
            None,
            4000 + number,
        )
        return replace(made, **fields)

    def binding(self, number: int = 1, endpoint: int = 1, **fields: object) -> GatewayEndpointBinding:
        at = 5000 + number
        made = GatewayEndpointBinding(f"e-{endpoint:04}", GatewayResourceType.SCORER, f"resource {number}", at, at)
        return replace(made, **fields)

    def policy(self, number: int = 1, **fields: object) -> GatewayBudgetPolicy:
        made = GatewayBudgetPolicy(
            f"bp-{number:04}",
            BudgetUnit.USD,
            12.5,
            BudgetDuration(BudgetDurationUnit.DAYS, 1),
            BudgetTargetScope.GLOBAL,
            BudgetAction.ALERT,
            6000 + number,
            6000 + number,
        )
        return replace(made, **fields)


@pytest.fixture
def make() -> Make:
    return Make()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Path of a SQLite file, for tests that are specific to SQLite."""
    return tmp_path / "gateway.sqlite"


@pytest.fixture
def sqlite_store(path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{path}", busy_timeout=5)
    yield store
    store.close()


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    """An empty store, on each kind of database."""
    store = place.open(busy_timeout=5)
    yield store
    store.close()


class Durable:
    """What was synchronized and renamed, in order: the operation, the path, and the size at that moment."""

    def __init__(self) -> None:
        self.done: list[tuple[str, Path, int]] = []

    def below(self, folder: Path) -> list[tuple[str, str, int]]:
        """Return what concerns a folder, with the names of files and 0 for the size of a folder."""
        found = [(what, path, size) for what, path, size in self.done if folder in {path, *path.parents}]
        return [(what, path.name, 0 if path == folder else size) for what, path, size in found]


@pytest.fixture
def durable(monkeypatch: pytest.MonkeyPatch) -> Durable:
    recorded = Durable()
    fsync, rename = os.fsync, os.rename

    def spy_fsync(descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        recorded.done.append(("sync", path, os.fstat(descriptor).st_size))
        fsync(descriptor)

    def spy_rename(source: Path, target: Path) -> None:
        recorded.done.append(("rename", Path(source), Path(source).stat().st_size))
        rename(source, target)

    monkeypatch.setattr(os, "fsync", spy_fsync)
    monkeypatch.setattr(os, "rename", spy_rename)
    return recorded


def open_files() -> list[str]:
    """Return the files and folders of tests that this process has open."""
    found: list[str] = []
    for name in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):
            found.append(os.readlink(f"/proc/self/fd/{name}"))
    return sorted(path for path in found if path.startswith(tempfile.gettempdir()))


@pytest.fixture(autouse=True, scope="module")
def no_file_left_open() -> Iterator[None]:
    """The tests of a module close what they open."""
    before = open_files()
    yield
    assert open_files() == before
