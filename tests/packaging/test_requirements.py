"""The bounds in pyproject.toml are the versions that CI tests."""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent.parent


def test_ci_tests_every_lower_bound() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    tested = ("server", "otel", "postgresql", "wire", "config", "plot", "test")
    wanted = [Requirement(line) for line in [*project["dependencies"], *(line for name in tested for line in extras[name])]]
    lines = (ROOT / ".ci" / "oldest.txt").read_text(encoding="utf-8").splitlines()
    oldest = {one.name: pin(one, "==") for one in map(Requirement, filter(is_requirement, lines))}
    bounds = {one.name: pin(one, ">=") for one in wanted if ">=" in str(one.specifier)}
    assert bounds == oldest


def test_every_requirement_has_a_lower_bound_or_a_pin() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    loose = [line for group in groups for line in group if ">=" not in line and "==" not in line]
    # An extra that includes another one requires this package itself.
    assert all(Requirement(line).name == project["name"] for line in loose)


def is_requirement(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#")


def pin(requirement: Requirement, operator: str) -> Version:
    return next(Version(one.version) for one in requirement.specifier if one.operator == operator)
