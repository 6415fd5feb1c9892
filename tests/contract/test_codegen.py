"""gen/ is what proto/ gives, and the command that says so can say otherwise."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
STUBS = Path("gen", "python", "llm_gateway", "v1")


def generate(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    script = tree / "proto" / "generate.py"
    return subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, check=False)


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Copy what the command reads and writes; the compilers' environment is shared."""
    for name in ("proto", "gen"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    (ROOT / ".cache").mkdir(exist_ok=True)
    (tmp_path / ".cache").symlink_to(ROOT / ".cache")
    return tmp_path


def test_the_stubs_are_what_the_protos_give() -> None:
    result = generate(ROOT, "--check")
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_run_writes_the_same_bytes(tree: Path) -> None:
    shutil.rmtree(tree / "gen")
    runs: list[dict[str, bytes]] = []
    for _ in range(2):
        assert generate(tree).returncode == 0
        runs.append(files(tree / "gen"))
    assert runs[0] == runs[1] == files(ROOT / "gen")


def test_a_check_names_a_stale_file(tree: Path) -> None:
    with (tree / STUBS / "secret_pb2.py").open("a") as file:
        file.write("# edited by hand\n")
    assert_names(tree, "stale: gen/python/llm_gateway/v1/secret_pb2.py")


def test_a_check_names_a_missing_file(tree: Path) -> None:
    (tree / STUBS / "budget_pb2.pyi").unlink()
    assert_names(tree, "missing: gen/python/llm_gateway/v1/budget_pb2.pyi")


def test_a_check_names_an_extra_file(tree: Path) -> None:
    (tree / STUBS / "leftover_pb2.py").write_text("")
    assert_names(tree, "extra: gen/python/llm_gateway/v1/leftover_pb2.py")


def test_a_check_names_what_a_changed_proto_leaves_behind(tree: Path) -> None:
    source = tree / "proto" / "llm_gateway" / "v1" / "binding.proto"
    source.write_text(source.read_text() + "\n// Another is one more message.\nmessage Another {}\n")
    assert_names(tree, "stale: gen/python/llm_gateway/v1/binding_pb2.py", "stale: gen/python/llm_gateway/v1/binding_pb2.pyi")


def test_a_proto_that_does_not_compile_fails(tree: Path) -> None:
    source = tree / "proto" / "llm_gateway" / "v1" / "binding.proto"
    source.write_text(source.read_text() + "\nmessage {\n")
    before = files(tree / "gen")
    for arguments in ([], ["--check"]):
        result = generate(tree, *arguments)
        assert result.returncode != 0
        assert "binding.proto" in result.stderr
    assert files(tree / "gen") == before


def assert_names(tree: Path, *faults: str) -> None:
    """Check that the command fails, names exactly these files and changes none."""
    before = files(tree / "gen")
    result = generate(tree, "--check")
    assert result.returncode == 1
    assert result.stdout.splitlines() == [*faults, "run: python proto/generate.py"]
    assert files(tree / "gen") == before
