"""Architecture of the package: import rules, cost of imports, names and lengths of modules.

The rules are read from the syntax trees, so an import inside a function or under TYPE_CHECKING counts like any other. Each
check takes the folder to look at: the package for the real tests, a tree in tmp_path to show that the check can fail.
"""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.import_rules import OURS, THEIRS

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "gateway_entities"
GENERATED = "gatewayentities"

GENERATED_MAY_IMPORT = {"google", "grpc", GENERATED}
# Converters and rules do no I/O and read neither clock nor environment.
PURE = {"entities", "rules"}
IMPURE = {"asyncio", "datetime", "io", "logging", "os", "pathlib", "random", "socket", "subprocess", "threading", "time"}
IMPORTING_CALLS = {"importlib.import_module", "import_module", "__import__"}
HEAVY = {
    *("grpc", "httptools", "anyio", "starlette", "uvicorn", "sqlalchemy", "alembic", "cryptography", "click", "rich"),
    *("ruamel", "psycopg", "prometheus_client", "opentelemetry", "matplotlib"),
}
VAGUE_NAME = re.compile(r"(?:.*_)?(?:util|utils|helper|helpers|common|misc|v2)")
MOST_LINES = 450


class Import(NamedTuple):
    """One module that one line imports."""

    path: Path
    line: int
    target: str


def parts(path: Path, root: Path) -> list[str]:
    """Return the dotted name of a file below root, split; a package's is its folder's."""
    names = list(path.relative_to(root).with_suffix("").parts)
    return names[:-1] if names[-1] == "__init__" else names


def imports(path: Path, root: Path) -> Iterator[Import]:
    """Yield what a file imports, wherever in it, by absolute name; ``from package import module`` names the module."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(path, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = [node.module] if node.module else []
            if node.level:
                package = parts(path, root) if path.stem == "__init__" else parts(path, root)[:-1]
                base = package[: len(package) - node.level + 1] + base
            for alias in node.names:
                target = ".".join([*base, alias.name])
                folder = root.joinpath(*target.split("."))
                yield Import(path, node.lineno, target if is_module(folder) else ".".join(base))
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in IMPORTING_CALLS:
            name = node.args[0] if node.args else None
            known = isinstance(name, ast.Constant) and isinstance(name.value, str)
            yield Import(path, node.lineno, name.value if known else "a name made at run time")


def is_module(folder: Path) -> bool:
    """Return whether a dotted name stands for a module of ours."""
    return folder.with_suffix(".py").is_file() or folder.is_dir()


def within(name: str, areas: set[str]) -> bool:
    """Return whether a module is one of the areas or below one."""
    return any(name == area or name.startswith(f"{area}.") for area in areas)


def area_of(name: str) -> str | None:
    """Return the area that a module belongs to, by its name below the package; None if there is no rule for it."""
    fitting = [area for area in OURS if area and within(name, {area})]
    return max(fitting, key=len, default="" if not name else None)


def fault(found: Import, root: Path) -> str | None:
    """Return why an import is not allowed; None if it is."""
    name = ".".join(parts(found.path, root)[1:])
    area = area_of(name)
    first, _, rest = found.target.partition(".")
    if area is None:
        return f"no area in OURS holds {name}"
    if first in {PACKAGE, GENERATED}:
        allowed = OURS[area]
        target = "gen" if first == GENERATED else area_of(rest)
        fits = allowed is None or target == area or target in allowed or (first == PACKAGE and within(rest, allowed - {""}))
        return None if fits else f"{area or PACKAGE} may import {', '.join(sorted(allowed or ())) or 'nothing of ours'}"
    if first in sys.stdlib_module_names:
        return "entities and rules do no I/O" if area in PURE and first in IMPURE else None
    if first not in THEIRS:
        return "the library is not listed in THEIRS"
    if within(name, THEIRS[first]):
        return None
    return f"only {', '.join(sorted(THEIRS[first]))} may import {first}"


def describe(found: Import, root: Path, why: str) -> str:
    return f"{found.path.relative_to(root)}:{found.line} imports {found.target}: {why}"


def package_faults(root: Path) -> list[str]:
    found = [one for path in sorted((root / PACKAGE).rglob("*.py")) for one in imports(path, root)]
    # Once for each line, however many names it imports.
    return list(dict.fromkeys(describe(one, root, why) for one in found if (why := fault(one, root))))


def generated_faults(root: Path) -> list[str]:
    return [
        describe(one, root, "generated code may import protobuf and grpc")
        for path in sorted((root / GENERATED).rglob("*.py"))
        for one in imports(path, root)
        if (first := one.target.partition(".")[0]) not in GENERATED_MAY_IMPORT and first not in sys.stdlib_module_names
    ]


def circles(root: Path) -> list[str]:
    """Return the circles of imports between modules of the package; an import inside a function counts."""
    graph: dict[str, set[str]] = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        module = ".".join(parts(path, root))
        targets = {one.target for one in imports(path, root) if one.target.partition(".")[0] == PACKAGE}
        graph[module] = targets - {module}
    found: list[str] = []
    state: dict[str, str] = {}

    def visit(module: str, trail: tuple[str, ...]) -> None:
        if module in trail:
            found.append(" -> ".join((*trail[trail.index(module) :], module)))
        elif module not in state:
            for target in sorted(graph.get(module, ())):
                visit(target, (*trail, module))
            state[module] = "done"

    for module in graph:
        visit(module, ())
    return found


def importers(root: Path, library: str) -> list[str]:
    """Return the files below the package that import a library."""
    return [
        path.relative_to(root).as_posix()
        for path in sorted((root / PACKAGE).rglob("*.py"))
        if any(one.target.partition(".")[0] == library for one in imports(path, root))
    ]


def name_and_length_faults(root: Path) -> list[str]:
    faults: list[str] = []
    for path in sorted(path for folder in (PACKAGE, "tests", "proto", ".ci") for path in (root / folder).rglob("*.py")):
        where = path.relative_to(root)
        vague = [name for name in where.with_suffix("").parts if VAGUE_NAME.fullmatch(name)]
        faults += [f"{where}: {name} says nothing about what is in it" for name in vague]
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MOST_LINES:
            faults.append(f"{where}: {lines} lines, more than {MOST_LINES}")
    return faults


def modules_with_all(root: Path) -> list[str]:
    return [
        ".".join(parts(path, root))
        for path in sorted((root / PACKAGE).rglob("*.py"))
        if "__all__" in (source := path.read_text(encoding="utf-8"))
        and any(
            isinstance(node, ast.Name) and node.id == "__all__" and isinstance(node.ctx, ast.Store)
            for node in ast.walk(ast.parse(source))
        )
    ]


def report(faults: list[str]) -> str:
    return "\n".join(["", *faults])


def test_imports_follow_the_rules() -> None:
    faults = package_faults(ROOT)
    assert not faults, report(faults)


def test_the_documentation_shows_the_rules() -> None:
    """The table of docs/architecture.md sums up the areas inside each package."""
    table = re.findall(r"^\| (`[\w`, .]+`) \| ([^|]+) \|$", (ROOT / "docs" / "architecture.md").read_text(), re.MULTILINE)
    rows = {name: allowed for names, allowed in table for name in re.findall(r"`([\w.]+)`", names) if name in OURS}
    assert rows.keys() == {area for area in OURS if area and "." not in area and area != "__main__"}
    for package, allowed in rows.items():
        inside = [names for area, names in OURS.items() if within(area, {package})]
        if None in inside:
            assert allowed == "everything"
            continue
        written = set(re.findall(r"`(\w+)`", allowed)) | ({"gen"} if "generated code" in allowed else set())
        assert written == {name.partition(".")[0] for names in inside for name in names or ()} - {package}, package


def test_no_modules_import_each_other() -> None:
    found = circles(ROOT)
    assert not found, report(found)


def test_a_circle_of_imports_is_found(small_tree: Path) -> None:
    assert circles(small_tree) == []
    (small_tree / PACKAGE / "transports/base.py").write_text("def f():\n    from .connect import Connect\n")
    assert circles(small_tree) == [f"{PACKAGE}.transports.base -> {PACKAGE}.transports.connect -> {PACKAGE}.transports.base"]


def test_generated_code_imports_only_protobuf_and_grpc() -> None:
    root = ROOT / "gen" / "python"
    assert list((root / GENERATED).rglob("*_pb2.py"))
    faults = generated_faults(root)
    assert not faults, report(faults)


def test_grpc_is_imported_in_exactly_two_files() -> None:
    assert importers(ROOT, "grpc") == [f"{PACKAGE}/server/grpc.py", f"{PACKAGE}/transports/grpc.py"]


def test_the_http_parser_is_imported_in_exactly_two_files() -> None:
    files = ("server/http/protocol.py", "transports/http1/response.py")
    assert importers(ROOT, "httptools") == [f"{PACKAGE}/{name}" for name in files]


def test_names_and_lengths() -> None:
    faults = name_and_length_faults(ROOT)
    assert not faults, report(faults)


@pytest.mark.parametrize("module", modules_with_all(ROOT))
def test_every_public_name_exists(module: str) -> None:
    loaded = importlib.import_module(module)
    missing = [name for name in loaded.__all__ if not hasattr(loaded, name)]
    assert not missing
    assert len(set(loaded.__all__)) == len(loaded.__all__)


def test_public_names_are_in_all() -> None:
    assert PACKAGE in modules_with_all(ROOT)


def test_importing_the_package_is_cheap() -> None:
    """``python -m tests.benchmarks import-time`` measures it in milliseconds."""
    command = [sys.executable, "-c", f"import {PACKAGE}, sys; print(*sys.modules)"]
    modules = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert PACKAGE in modules
    assert not {name for name in modules if name.partition(".")[0] in HEAVY}
    assert not {name for name in modules if within(name, {f"{PACKAGE}.server", f"{PACKAGE}.cli", f"{PACKAGE}.testing"})}


BROKEN = [
    (
        "entities/secret.py",
        "from gateway_entities.server import store",
        "entities may import entities._native, errors, gen, text",
    ),
    ("entities/secret.py", "def f():\n    import grpc", "only server.grpc, transports.grpc may import grpc"),
    ("entities/secret.py", "import time", "entities and rules do no I/O"),
    ("entities/secret.py", "from ..client import _base", "entities may import entities._native, errors, gen, text"),
    ("rules/secret.py", "from gateway_entities.methods import METHODS", "rules may import entities, errors, gen"),
    ("errors.py", "from gateway_entities import GatewayError", "errors may import nothing of ours"),
    ("errors.py", "from gatewayentities.v1 import secret_pb2", "errors may import nothing of ours"),
    ("methods.py", "import gateway_entities.errors", "methods may import _method, gen"),
    ("transports/connect.py", "from gateway_entities import entities", "transports may import"),
    ("transports/base.py", "from gateway_entities.transports import grpc", "transports.base may import errors, methods"),
    ("transports/http1/pool.py", "from .. import grpc", "transports.http1 may import errors"),
    ("client/_base.py", "from gateway_entities.transports import connect", "client may import"),
    ("client/_base.py", "from gateway_entities.server.service import GatewayService", "client may import"),
    ("client/_base.py", "import grpc.aio", "only server.grpc, transports.grpc may import grpc"),
    (
        "client/_base.py",
        "import importlib\nimportlib.import_module('grpc')",
        "only server.grpc, transports.grpc may import grpc",
    ),
    ("wire/schemas/compare.py", "from gateway_entities.wire.messages.check import check", "wire.schemas may import"),
    ("wire/messages/check.py", "from gateway_entities.wire.schemas.compare import compare", "wire.messages may import"),
    ("server/rpc/dispatcher.py", "from gateway_entities.client import GatewayClient", "server.rpc may import"),
    ("server/rpc/dispatcher.py", "from gateway_entities.server.http import app", "server.rpc may import"),
    ("server/rpc/dispatcher.py", "import sqlalchemy as sa", "may import sqlalchemy"),
    ("server/rpc/dispatcher.py", "import requests", "the library is not listed in THEIRS"),
    ("server/service/secret.py", "from gateway_entities.server.http import app", "server.service may import"),
    ("server/service/secret.py", "from gateway_entities.server.watch import feed", "server.service may import"),
    ("server/store/sql/schema.py", "from ..repositories import secret", "server.store.sql may import errors, extras"),
    ("server/store/crypto/keyring.py", "from ..repositories import secret", "server.store.crypto may import"),
    ("server/store/store.py", "from ..rpc.dispatcher import Dispatcher", "server.store may import entities, errors"),
    ("server/store/sql/schema.py", "import starlette", "may import starlette"),
    ("extra.py", "import json", "no area in OURS holds extra"),
    (
        "__init__.py",
        "from gateway_entities.server.server import Server",
        "gateway_entities may import client, entities, errors",
    ),
]


@pytest.fixture
def small_tree(tmp_path: Path) -> Path:
    """Create a tree without faults, with a module in most areas."""
    sources = {
        "__init__.py": "from gateway_entities.errors import GatewayError\n__all__ = ['GatewayError']",
        "errors.py": "class GatewayError(Exception): ...",
        "methods.py": "from gatewayentities.v1 import secret_pb2",
        "entities/__init__.py": "from gateway_entities.entities.secret import GatewaySecretInfo",
        "entities/secret.py": "from .. import errors\nfrom ..errors import GatewayError\nimport dataclasses",
        "rules/secret.py": "from gateway_entities.entities import GatewaySecretInfo",
        "transports/base.py": "from .. import errors",
        "transports/connect.py": "from .base import Transport\ndef f():\n    from .http1 import pool",
        "transports/grpc.py": "import grpc",
        "transports/http1/pool.py": "from ..target import Target",
        "transports/target.py": "",
        "transports/http1/response.py": "import httptools",
        "client/_base.py": "from gateway_entities.transports.base import Transport",
        "wire/messages/check.py": "from gateway_entities.rules import secret",
        "wire/schemas/compare.py": "",
        "server/http/app.py": "import starlette\nfrom ..rpc.dispatcher import Dispatcher",
        "server/rpc/dispatcher.py": "from ..store.store import Store\nfrom ..service.secret import get",
        "server/service/secret.py": "from gateway_entities.server import store",
        "server/grpc.py": "import grpc.aio",
        "server/store/store.py": "from .repositories import secret",
        "server/store/repositories/secret.py": "from ..sql import schema\nfrom ..crypto import keyring",
        "server/store/crypto/keyring.py": "import cryptography",
        "server/store/sql/schema.py": "import sqlalchemy",
        "cli/app.py": "import click, rich\nfrom ..server import grpc\nfrom ..client import _base",
    }
    for name, source in sources.items():
        path = tmp_path / PACKAGE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source + "\n")
    return tmp_path


def test_a_tree_without_faults_passes(small_tree: Path) -> None:
    assert package_faults(small_tree) == []
    assert importers(small_tree, "grpc") == [f"{PACKAGE}/server/grpc.py", f"{PACKAGE}/transports/grpc.py"]
    assert name_and_length_faults(small_tree) == []
    assert modules_with_all(small_tree) == [PACKAGE]


@pytest.mark.parametrize(("name", "source", "why"), BROKEN)
def test_a_wrong_import_is_found(small_tree: Path, name: str, source: str, why: str) -> None:
    (small_tree / PACKAGE / name).write_text(source + "\n")
    faults = package_faults(small_tree)
    assert len(faults) == 1, report(faults)
    assert faults[0].startswith(f"{PACKAGE}/{name}:{len(source.splitlines())} imports ")
    assert why in faults[0]


@pytest.mark.parametrize(
    ("name", "source", "why"),
    [
        (f"{PACKAGE}/utils.py", "", "says nothing"),
        ("tests/helpers/secrets.py", "", "says nothing"),
        (f"{PACKAGE}/client/calls_v2.py", "", "says nothing"),
        ("tests/test_long.py", "\n" * (MOST_LINES + 1), f"{MOST_LINES + 1} lines"),
    ],
)
def test_a_vague_name_or_a_long_file_is_found(small_tree: Path, name: str, source: str, why: str) -> None:
    path = small_tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    faults = name_and_length_faults(small_tree)
    assert len(faults) == 1, report(faults)
    assert faults[0].startswith(name)
    assert why in faults[0]


def test_generated_code_that_imports_the_package_is_found(tmp_path: Path) -> None:
    path = tmp_path / GENERATED / "v1" / "secret_pb2.py"
    path.parent.mkdir(parents=True)
    path.write_text("import grpc\nfrom gateway_entities import errors\n")
    assert len(generated_faults(tmp_path)) == 1
