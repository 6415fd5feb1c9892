"""The build compiles the native codec where it can, and gives a complete package where it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from gateway_entities.entities._native.compile import CompileError, compile_codec, file_name
from tests.packaging.conftest import KINDS, Built, run

STATE = "import gateway_entities as g; print(g.NATIVE, g.GatewayEndpointTag.from_bytes(b'\\n\\1k').key)"

NO_COMPILER = {"CC": "/no/compiler", "PATH": "/no/compilers"}


@pytest.fixture(scope="module")
def _compiler(tmp_path_factory: pytest.TempPathFactory) -> None:
    try:
        compile_codec(tmp_path_factory.mktemp("codec") / file_name())
    except CompileError as error:
        pytest.skip(f"the native codec cannot be built: apt-get install gcc python3-dev ({error})")


def build(tree: Path, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=tree,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.usefixtures("_compiler")
@pytest.mark.parametrize("kind", KINDS)
def test_an_install_has_the_codec_and_can_do_without_it(installed: dict[str, Path], kind: str, tmp_path: Path) -> None:
    assert run(installed[kind], "-c", STATE, folder=tmp_path).stdout == "True k\n"
    assert run(installed[kind], "-c", STATE, folder=tmp_path, GATEWAY_ENTITIES_NATIVE="off").stdout == "False k\n"


@pytest.mark.usefixtures("_compiler")
def test_a_wheel_with_the_codec_is_for_one_python_and_has_no_path_of_the_machine(built: Built) -> None:
    assert not built.wheel.name.endswith("-none-any.whl")
    with zipfile.ZipFile(built.wheel) as archive:
        assert str(built.tree.parent).encode() not in archive.read(f"gateway_entities/entities/_native/{file_name()}")


@pytest.mark.parametrize(
    "environment", [{"GATEWAY_ENTITIES_NATIVE": "off"}, {"CC": "/no/compiler", "PATH": "/no/compilers"}]
)
def test_without_the_codec_the_package_is_complete_and_pure(
    built: Built, tmp_path: Path, environment: dict[str, str]
) -> None:
    done = build(built.tree, tmp_path, **environment)
    assert done.returncode == 0, done.stderr
    [wheel] = tmp_path.glob("*.whl")
    assert done.stdout + done.stderr == f"{wheel}\n"
    assert wheel.name.endswith("-py3-none-any.whl")
    # The tests' environment has what the package needs.
    state = run(sys.executable, "-c", f"import sys; sys.path.insert(0, {str(wheel)!r}); {STATE}", folder=tmp_path)
    assert state.stdout == "False k\n"


def test_a_codec_that_is_required_and_cannot_be_built_is_an_error(built: Built, tmp_path: Path) -> None:
    done = build(built.tree, tmp_path, **NO_COMPILER, GATEWAY_ENTITIES_NATIVE="require")
    assert done.returncode != 0
    assert "GATEWAY_ENTITIES_NATIVE=require, but the native codec cannot be built: there is no C compiler" in done.stderr
