"""The examples of the guide to other languages build outside this repository and call a running gateway."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway_entities import GatewayClient
from gateway_entities.testing import Gateway, gateway
from tests.documentation import ROOT, block
from tests.interop.language import Language
from tests.interop.languages import go, java, ts
from tests.test_documentation import create_support

GUIDE = "docs/guides/languages.md"


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    with gateway() as running:
        with GatewayClient(running.grpc_target) as client:
            create_support(client)
        yield running


def example(heading: str, language: str, running: Gateway) -> str:
    text = block(GUIDE, heading, language).replace("http://127.0.0.1:8080", running.http_target)
    return text.replace("127.0.0.1:50051", running.grpc_target.removeprefix("grpc://"))


def commands(heading: str) -> list[str]:
    """Return the shell command of a section, with the repository's real path."""
    text = block(GUIDE, heading, "sh").replace("../gateway-entities", shlex.quote(str(ROOT)))
    return ["sh", "-c", text]


def run(command: list[str], folder: Path) -> list[str]:
    """Run a program and return its output lines."""
    # The test's folder may be below another Go workspace.
    environment = {**os.environ, "GOWORK": "off"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def need(language: Language) -> None:
    if missing := language.missing():
        pytest.skip("; ".join(missing))


def test_go(running: Gateway, tmp_path: Path) -> None:
    need(go.LANGUAGE)
    (tmp_path / "main.go").write_text(example("Go", "go", running), encoding="utf-8")
    assert run(commands("Go"), tmp_path) == ["support 1"]


def test_typescript(running: Gateway, tmp_path: Path) -> None:
    need(ts.LANGUAGE)
    # npm names the package after the folder.
    folder = tmp_path / "example"
    folder.mkdir()
    (folder / "example.ts").write_text(example("TypeScript", "ts", running), encoding="utf-8")
    assert run(commands("TypeScript"), folder)[-2:] == ["support 1", "3 resources at revision 3"]


def test_java(running: Gateway, tmp_path: Path) -> None:
    need(java.LANGUAGE)
    # The jars of the stubs and of all dependencies are in the testee's folder.
    libraries = f"{Path(java.LANGUAGE.command()[-1]).parent}/lib/*"
    (tmp_path / "Example.java").write_text(example("Java", "java", running), encoding="utf-8")
    run(["javac", "-cp", libraries, "-d", ".", "Example.java"], tmp_path)
    assert run(["java", "-cp", f".{os.pathsep}{libraries}", "Example"], tmp_path) == ["support 1"]
