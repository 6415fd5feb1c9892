"""Which tests belong to which part of the package, and what is left out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = "gateway_entities"
# Generated: the generator's check compares them with their source.
GENERATED = (f"{PACKAGE}/methods.py", f"{PACKAGE}/client/_sync/")


class Room(NamedTuple):
    """A part of the package.

    Attributes:
        places: folders and files below the package.
        tests: folders and files below ``tests``: the room's own, then those of its neighbours.
    """

    places: tuple[str, ...]
    tests: tuple[str, ...]


ROOMS = {
    "errors": Room(
        ("__init__.py", "__main__.py", "_method.py", "errors.py", "extras.py", "files.py", "testing.py", "text.py"),
        (
            "test_errors.py",
            "test_testing.py",
            "test_extras.py",
            "test_files.py",
            "cli/test_secret.py",
            "mlflow_rest/test_errors.py",
            "contract/test_conventions.py",
        ),
    ),
    "entities": Room(("entities/",), ("entities", "client/test_signatures.py", "server/test_every_field.py")),
    "rules": Room(
        ("rules/",),
        ("rules", "client/test_bad_requests.py", "wire/messages/test_rules_matter.py", "wire/messages/test_check.py"),
    ),
    "mlflow_rest": Room(("mlflow_rest/",), ("mlflow_rest", "client/test_dialect.py", "server/http/test_app.py")),
    "transports": Room(("transports/",), ("transports", "client/test_credentials.py", "client/test_signatures.py")),
    "client": Room(("client/",), ("client", "transports/test_retries.py")),
    "mirror": Room(("mirror/",), ("mirror",)),
    "wire": Room(("wire/",), ("wire", "cli/wire")),
    "cli": Room(("cli/",), ("cli",)),
    "server": Room(
        ("server/",),
        (
            "server/test_grpc.py",
            "server/test_grpc_limits.py",
            "server/test_server.py",
            "server/test_readiness.py",
            "server/test_tls.py",
            "server/test_compactor.py",
            "server/test_drain.py",
            "cli/server/test_serve.py",
        ),
    ),
    "server.http": Room(("server/http/",), ("server/http", "mlflow_rest/test_errors.py", "server/test_server.py")),
    "server.rpc": Room(("server/rpc/",), ("server/rpc", "server/http/test_fast_path.py", "server/test_list_limits.py")),
    "server.service": Room(("server/service/",), ("server/service", "client/test_endpoints.py", "client/test_repeats.py")),
    "server.watch": Room(("server/watch/",), ("server/watch", "mirror/test_histories.py")),
    "server.telemetry": Room(("server/telemetry/",), ("server/telemetry", "server/test_canaries.py")),
    "server.store": Room(
        ("server/store/",),
        (
            "server/store/test_store.py",
            "server/store/test_open.py",
            "server/store/test_quota.py",
            "server/store/test_round_trip.py",
            "server/store/test_every_entity.py",
            "server/store/test_races.py",
        ),
    ),
    "server.store.sql": Room(("server/store/sql/",), ("server/store/sql", "server/store/test_open.py")),
    "server.store.repositories": Room(
        ("server/store/repositories/",), ("server/store/repositories", "server/store/test_every_entity.py", "server/service")
    ),
    "server.store.crypto": Room(
        ("server/store/crypto/",), ("server/store/crypto", "server/store/admin/test_key_manager.py")
    ),
    "server.store.admin": Room(
        ("server/store/admin/",), ("server/store/admin", "cli/server/test_db.py", "cli/server/test_keys.py")
    ),
}


def room_of(file: str) -> str | None:
    """Return the name of a file's room; None for generated code and files outside of the package."""
    if not file.startswith(f"{PACKAGE}/") or file.startswith(GENERATED):
        return None
    inner = file.removeprefix(f"{PACKAGE}/")
    fitting = [(len(place), name) for name, room in ROOMS.items() for place in room.places if inner.startswith(place)]
    return max(fitting)[1] if fitting else None


def source_files(root: Path = ROOT) -> Iterator[tuple[str, str]]:
    """Yield the room and the path below the root of each file that has one."""
    for path in sorted((root / PACKAGE).rglob("*.py")):
        file = path.relative_to(root).as_posix()
        room = room_of(file)
        if room is not None:
            yield room, file


def room_tests(room: str, root: Path = ROOT) -> list[str]:
    """Return the paths of a room's tests."""
    return [f"tests/{test}" for test in ROOMS[room].tests if (root / "tests" / test).exists()]


def selection(file: str, root: Path = ROOT) -> list[str]:
    """Return the paths of the tests for a change of a file: first the test of the same name, then the room's."""
    room = room_of(file)
    assert room is not None, f"{file} has no room"
    inner = Path(file).relative_to(PACKAGE)
    named = Path("tests") / inner.parent / f"test_{inner.stem}.py"
    paths = [named.as_posix()] if (root / named).exists() else []
    return list(dict.fromkeys([*paths, *room_tests(room, root)]))
