"""Generated files are up to date, and the command that checks it finds each that is not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
STUBS = Path("gen", "python", "gatewayentities", "v1")
# What each name writes.
PLACES = {
    "client": "gateway_entities/client/_sync",
    "docs": "docs/reference/protos",
    "go": "gen/go",
    "methods": "gateway_entities/methods.py",
    "python": "gen/python",
    "ts": "gen/ts",
}
NAMES = [*PLACES, "testee"]

# The compilers of exact versions, which take more than a minute to install.
pytestmark = pytest.mark.programs


def generate(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    script = tree / "proto" / "generate.py"
    return subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, check=False)


def generate_if_possible(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Skip the test if the language's tools are missing, with their installation."""
    result = generate(tree, *arguments)
    if result.returncode != 0 and " is not installed: " in result.stderr:
        pytest.skip(result.stderr.strip())
    return result


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in (folder.rglob("*") if folder.is_dir() else [folder])
        if path.is_file() and not {"__pycache__", "target"}.intersection(path.parts)
    }


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Copy what the command reads and writes; the compilers' environment is shared."""
    for name in ("proto", "gen", "gateway_entities", PLACES["docs"], "tests/interop/proto"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (ROOT / ".cache").mkdir(exist_ok=True)
    (tmp_path / ".cache").symlink_to(ROOT / ".cache")
    return tmp_path


def test_everything_is_up_to_date_and_nothing_else_is_generated() -> None:
    result = generate_if_possible(ROOT, "--check")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("name", NAMES)
def test_a_run_writes_the_committed_bytes(tree: Path, name: str) -> None:
    """With the check of everything, each is generated twice, in different folders."""
    place = PLACES.get(name, "tests/interop/proto")
    for file in files(tree / place) if name in PLACES else ():
        (tree / place / file).unlink()
    result = generate_if_possible(tree, name)
    assert result.returncode == 0, result.stderr
    assert files(tree / place) == files(ROOT / place)


def test_java_generates_its_code_when_it_builds() -> None:
    tracked = subprocess.run(["git", "ls-files", "gen/java"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert tracked.stdout.split() == ["gen/java/pom.xml"]


def test_an_unknown_output_is_an_error(tree: Path) -> None:
    result = generate(tree, "cobol")
    assert result.returncode == 2
    assert "no cobol; there are go, python, ts, docs, methods, client, testee" in result.stderr


def test_a_language_without_its_tools_is_named(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    result = generate(tree, "--check", "go")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("go: go is not installed: ")


def test_a_check_names_each_stale_missing_and_extra_file(tree: Path) -> None:
    with (tree / STUBS / "secret_pb2.py").open("a") as file:
        file.write("# edited by hand\n")
    (tree / STUBS / "budget_pb2.pyi").unlink()
    (tree / STUBS / "leftover_pb2.py").write_text("")
    faults = ("missing", "budget_pb2.pyi"), ("extra", "leftover_pb2.py"), ("stale", "secret_pb2.py")
    assert_names(tree, *(f"{fault}: gen/python/gatewayentities/v1/{file}" for fault, file in faults))


def test_a_check_names_the_stale_files_of_a_changed_proto(tree: Path) -> None:
    source = tree / "proto" / "gatewayentities" / "v1" / "binding.proto"
    source.write_text(source.read_text() + "\n// Another is one more message.\nmessage Another {}\n")
    assert_names(
        tree, "stale: gen/python/gatewayentities/v1/binding_pb2.py", "stale: gen/python/gatewayentities/v1/binding_pb2.pyi"
    )


def test_a_check_names_a_constant_that_is_missing(tree: Path) -> None:
    source = tree / "proto" / "gatewayentities" / "v1" / "binding.proto"
    text = source.read_text()
    rpc = "rpc DeleteGatewayEndpointBinding("
    assert rpc in text
    source.write_text(text.replace(rpc, "rpc RemoveGatewayEndpointBinding("))
    assert_names(tree, "stale: gateway_entities/methods.py", name="methods")


def test_a_check_names_a_stale_module_of_the_blocking_client(tree: Path) -> None:
    with (tree / "gateway_entities" / "client" / "_async" / "tag.py").open("a") as file:
        file.write("\n    async def touch(self) -> None:\n        await self.close()\n")
    assert_names(tree, "stale: gateway_entities/client/_sync/tag.py", name="client")


def test_the_blocking_client_has_no_word_of_asyncio_left() -> None:
    for path in (ROOT / PLACES["client"]).glob("*.py"):
        head, _, code = path.read_text().partition("\n")
        assert head == f"# Generated from gateway_entities/client/_async/{path.name} by proto/generate.py. Do not edit."
        assert "async" not in code.lower()


def test_a_proto_that_does_not_compile_fails(tree: Path) -> None:
    source = tree / "proto" / "gatewayentities" / "v1" / "binding.proto"
    source.write_text(source.read_text() + "\nmessage {\n")
    before = files(tree / "gen")
    for arguments in (["python"], ["--check", "python"]):
        result = generate(tree, *arguments)
        assert result.returncode != 0
        assert "binding.proto" in result.stderr
    assert files(tree / "gen") == before


def assert_names(tree: Path, *faults: str, name: str = "python") -> None:
    """Check that the command fails, names exactly these files and changes none."""
    before = files(tree / "gen")
    result = generate(tree, "--check", name)
    assert result.returncode == 1
    assert result.stdout.splitlines() == [*faults, "run: python proto/generate.py"]
    assert files(tree / "gen") == before
