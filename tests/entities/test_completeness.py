"""Every message and enum has its Python class, and every public name is exported."""

from __future__ import annotations

import enum
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import gateway_entities
from gateway_entities import entities
from tests.entities.entity_types import KINDS, public
from tests.messages import ENUMS, REQUIRED, RESOURCES

every_entity = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def test_every_resource_message_has_an_entity():
    assert {kind.__name__ for kind in KINDS} == set(RESOURCES) == set(REQUIRED)


@every_entity
def test_an_entity_has_the_fields_of_its_message(kind: Any):
    assert set(public(kind)) == set(RESOURCES[kind.__name__].DESCRIPTOR.fields_by_name)


def test_every_enum_is_the_proto_s():
    ours = {name: kind for name, kind in vars(entities).items() if isinstance(kind, type) and issubclass(kind, enum.IntEnum)}
    assert ours.keys() == ENUMS.keys()
    for name, kind in ours.items():
        theirs = {value.name: value.number for value in ENUMS[name].values}
        assert {member.value for member in kind} == set(theirs.values())
        # Some have short names besides.
        assert theirs.items() <= {each: member.value for each, member in kind.__members__.items()}.items()


@every_entity
def test_a_field_is_optional_unless_required(kind: Any):
    """Maps and lists are neither: their absence is emptiness."""
    containers = {name for name in public(kind) if kind.__annotations__[name].startswith(("dict", "list", "SecretValue"))}
    optional = {name for name in public(kind) if "None" in kind.__annotations__[name]}
    assert set(public(kind)) - containers - optional == set(REQUIRED[kind.__name__])


@every_entity
def test_every_field_is_documented(kind: Any):
    documented = re.findall(r"^    (?:    )?(\w+): ", inspect.cleandoc(kind.__doc__).split("Attributes:")[1], re.MULTILINE)
    assert documented == public(kind)


@every_entity
def test_an_entity_has_slots(kind: Any):
    assert all("__dict__" not in vars(parent) for parent in kind.__mro__)


@pytest.mark.parametrize("package", [gateway_entities, entities])
def test_all_is_complete(package: Any):
    exported = {name: getattr(package, name) for name in package.__all__ if name not in {"NATIVE", "from_nanos", "to_nanos"}}
    assert all(map(inspect.isclass, exported.values()))
    assert {name for name, value in vars(package).items() if inspect.isclass(value)} <= set(exported)
    assert package.__all__ == sorted(package.__all__, key=lambda name: (not name.isupper(), name))


def test_the_package_exports_entities_errors_and_clients():
    clients = {"AsyncGatewayClient", "BudgetExceededError", "GatewayClient"}
    others = {"Code", "FieldViolation", "GatewayError", "NATIVE", "WireError"}
    assert set(gateway_entities.__all__) == {*entities.__all__, *clients, *others}


def test_packages_of_an_importer_do_not_hide_the_contract(tmp_path: Path):
    """A service that imports this package is often itself called so."""
    for name in ("llm_gateway", "gateway", "v1", "proto"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    code = "import gateway_entities, gatewayentities.v1.endpoint_pb2; print('imported')"
    found = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.stdout == "imported\n", found.stderr


def test_importing_the_package_imports_nothing_heavy():
    found = subprocess.run(
        [sys.executable, "-c", "import gateway_entities, json, sys; print(json.dumps(sorted(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    heavy = {
        "grpc",
        "httptools",
        "anyio",
        "asyncio",
        "starlette",
        "uvicorn",
        "sqlalchemy",
        "alembic",
        "sqlite3",
        "cryptography",
    }
    heavy |= {"rich", "click", "ssl", "http", "gateway_entities.server", "gateway_entities.transports.grpc"}
    assert heavy & set(json.loads(found.stdout)) == set()
