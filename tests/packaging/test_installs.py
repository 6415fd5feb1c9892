"""Wheel, sdist and editable install all work and type-check outside the repository."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway_entities.testing import gateway
from tests.packaging.conftest import KINDS, ROOT, Built, run

# The origin of both packages, and whether server modules were imported.
ORIGINS = """
import importlib.util, json
import gateway_entities, gatewayentities.v1, gatewayentities.v1.secret_pb2, gatewayentities.v1.secret_pb2_grpc
names = ("sqlalchemy", "starlette", "uvicorn", "cryptography", "pytest")
found = [name for name in names if importlib.util.find_spec(name)]
print(json.dumps([gateway_entities.__file__, gatewayentities.v1.__file__, found]))
"""


@pytest.fixture
def consumer(tmp_path: Path) -> Path:
    return Path(shutil.copy(ROOT / "tests" / "packaging" / "consumer.py", tmp_path))


@pytest.mark.parametrize("kind", KINDS)
def test_both_packages_import_from_the_install(built: Built, installed: dict[str, Path], kind: str, tmp_path: Path) -> None:
    python = installed[kind]
    ours, generated, extra = json.loads(run(python, "-c", ORIGINS, folder=tmp_path).stdout)
    home = built.tree if kind == "editable" else python.parent.parent
    assert Path(ours).is_relative_to(home)
    assert Path(generated).is_relative_to(home)
    assert extra == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_consumer_talks_to_a_gateway(installed: dict[str, Path], kind: str, consumer: Path) -> None:
    with gateway() as running:
        targets = (running.grpc_target, running.http_target)
        assert run(installed[kind], consumer, *targets, folder=consumer.parent).stdout == "works\n"


@pytest.mark.parametrize("kind", KINDS)
def test_a_consumer_passes_mypy(
    tool: Callable[[str, str], Path], installed: dict[str, Path], kind: str, consumer: Path
) -> None:
    mypy = tool("mypy", "pip install '.[lint]'")
    run(mypy, "--strict", "--python-executable", installed[kind], consumer, folder=consumer.parent)


@pytest.mark.parametrize("kind", KINDS)
def test_a_consumer_passes_pyright(
    tool: Callable[[str, str], Path], installed: dict[str, Path], kind: str, consumer: Path
) -> None:
    pyright = tool("pyright", "pip install '.[lint]'")
    (consumer.parent / "pyrightconfig.json").write_text(
        json.dumps({"typeCheckingMode": "strict", "include": ["consumer.py"]})
    )
    run(pyright, "--pythonpath", installed[kind], folder=consumer.parent)


def test_the_command_is_installed(installed: dict[str, Path]) -> None:
    program = installed["wheel"].parent / "gateway-entities"
    assert "quickstart" in run(program, "--help", folder=program.parent).stdout
