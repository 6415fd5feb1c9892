"""Contents of the wheel and the sdist."""

from __future__ import annotations

import json
import sys
import tarfile
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import gateway_entities
from gateway_entities.entities._native.compile import file_name
from tests.packaging.conftest import ROOT, Built, run

CODEC = f"gateway_entities/entities/_native/{file_name()}"


def files_below(folder: Path) -> set[str]:
    # Without what builds leave: the hook's bytecode, and the native codec that an editable install compiles in place.
    made = {".so", ".pyc"}
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and path.suffix not in made}


def wheel_contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_has_both_packages_only(built: Built) -> None:
    names = wheel_contents(built.wheel).keys()
    ours = {f"gateway_entities/{name}" for name in files_below(built.tree / "gateway_entities")}
    generated = {f"gatewayentities/{name}" for name in files_below(built.tree / "gen" / "python" / "gatewayentities")}
    metadata = {name for name in names if ".dist-info/" in name}
    assert names - {CODEC} == ours | generated | metadata
    assert {name.rpartition("/")[2] for name in metadata} == {"METADATA", "WHEEL", "RECORD", "LICENSE", "entry_points.txt"}


def test_the_wheel_is_typed_and_has_the_migrations(built: Built) -> None:
    names = wheel_contents(built.wheel).keys()
    assert {"gateway_entities/py.typed", "gatewayentities/py.typed", "gatewayentities/v1/secret_pb2.pyi"} <= names
    migrations = {name for name in names if name.startswith("gateway_entities/server/store/sql/migrations/versions/")}
    assert migrations - {"gateway_entities/server/store/sql/migrations/versions/__init__.py"}


def test_the_sdist_has_the_sources_and_the_tests(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for folder in ("gateway_entities", "gen", "proto", "tests", "docs"):
        assert {f"{folder}/{name}" for name in files_below(built.tree / folder)} <= names
    assert {"pyproject.toml", "buf.yaml", "zensical.toml", "README.md", "CONTRIBUTING.md", "LICENSE"} <= names


def test_every_package_has_the_same_version(built: Built) -> None:
    assert built.wheel.name.split("-")[1] == gateway_entities.__version__
    pom = ElementTree.parse(ROOT / "gen" / "java" / "pom.xml")
    assert pom.findtext("{*}version") == gateway_entities.__version__
    package = json.loads((ROOT / "gen" / "ts" / "package.json").read_text(encoding="utf-8"))
    assert package["version"] == gateway_entities.__version__


def test_the_sdist_builds_the_same_wheel(built: Built, tmp_path: Path) -> None:
    # The first releases of Python 3.11 cannot unpack without a warning from the later ones.
    run("tar", "-xzf", built.sdist, folder=tmp_path)
    tree = next(tmp_path.iterdir())
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", tmp_path, folder=tree)
    assert wheel_contents(next(tmp_path.glob("*.whl"))) == wheel_contents(built.wheel)
