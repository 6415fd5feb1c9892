"""Every example of the documentation runs, in the order of its page, against a new gateway."""

from __future__ import annotations

import contextlib
import doctest
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway_entities import GatewayClient, GatewayEndpointModelConfig, GatewayModelLinkageType
from gateway_entities.server.service import nodes
from gateway_entities.testing import Gateway, gateway
from tests.documentation import PAGES, ROOT, Block, block, blocks

CI = ".ci/run"
INSTALLS = "tests/packaging/test_installs.py"
LANGUAGES = "tests/interop/test_examples.py"
# Examples that other tests run.
ELSEWHERE = {
    ("README.md", "Install", "sh"): INSTALLS,
    ("README.md", "Quickstart", "sh"): CI,
    ("README.md", "Tests", "sh"): CI,
    ("docs/guides/containers.md", "A pod", "yaml"): "tests/cli/server/test_serve.py",
    ("docs/guides/gateway.md", "A gateway in one screen", "python"): "tests/mirror/test_small_gateway.py",
    ("docs/guides/gateway.md", "A gateway in one screen", "sh"): "tests/mirror/test_small_gateway.py",
    ("docs/guides/wire.md", "On GitHub", "yaml"): "tests/cli/wire/test_compare_against.py",
    ("docs/guides/wire.md", "In pre-commit", "yaml"): "tests/cli/wire/test_check_schema.py",
    ("docs/guides/languages.md", "Go", "go"): LANGUAGES,
    ("docs/guides/languages.md", "Go", "sh"): LANGUAGES,
    ("docs/guides/languages.md", "Java", "java"): LANGUAGES,
    ("docs/guides/languages.md", "TypeScript", "ts"): LANGUAGES,
    ("docs/guides/languages.md", "TypeScript", "sh"): LANGUAGES,
}
HERE = {"python", "sh"}


def examples(page: str) -> list[Block]:
    return [each for each in blocks(page) if each.language in HERE and each[:3] not in ELSEWHERE]


def outputs(page: str) -> Iterator[tuple[Block, str]]:
    """Yield each example with the output that the page shows after it; "" for none."""
    found = blocks(page)
    for each, following in zip(found, (*found[1:], None), strict=True):
        if each in examples(page):
            shown = following is not None and following.language == "text" and following.heading == each.heading
            yield each, following.text if following and shown else ""


@pytest.fixture
def running() -> Iterator[Gateway]:
    with gateway() as running:
        yield running


def create_support(client: GatewayClient) -> None:
    """Create the resources that a page's examples assume."""
    secret = client.create_secret("openai-key", {"api_key": "sk-not-a-real-key"}, provider="openai")
    model = client.create_model_definition("chat", secret_id=secret.secret_id, provider="openai", model_name="gpt-4o")
    client.create_endpoint(
        "support", [GatewayEndpointModelConfig(model.model_definition_id, GatewayModelLinkageType.PRIMARY)]
    )


def run_python(each: Block, text: str, folder: Path) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.chdir(folder):
        exec(compile(text, f"{each.page}: {each.heading}", "exec"), {"__name__": "example"})
    return printed.getvalue()


def run_shell(text: str, running: Gateway) -> str:
    """Run commands in the folder that the server was started in."""
    # A server would not exit; its help does, and still rejects unknown options.
    lines = (f"{line} --help >/dev/null" if "gateway-entities serve" in line else line for line in text.splitlines())
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "GATEWAY_ENTITIES_TARGET": running.grpc_target,
    }
    done = subprocess.run(
        ["sh", "-e", "-c", "\n".join(lines)],
        cwd=running.store_path.parent,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, f"{text}{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("page", [page for page in PAGES if examples(page)])
def test_the_examples_of_a_page_run(
    page: str, running: Gateway, tool: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The mirror of an example has ended when the next one waits for all nodes.
    monkeypatch.setattr(nodes, "STAY_S", 1.0)
    tool("curl", "apt-get install curl")
    tool("gateway-entities", "pip install -e '.[test]'")
    if not any(re.search(r'create_endpoint\("support"|endpoint create support', each.text) for each in examples(page)):
        with GatewayClient(running.grpc_target) as client:
            create_support(client)
    same = doctest.OutputChecker()
    for each, shown in outputs(page):
        text = each.text.replace("grpc://127.0.0.1:50051", running.grpc_target)
        text = text.replace("http://127.0.0.1:8080", running.http_target)
        folder = running.store_path.parent
        printed = run_python(each, text, folder) if each.language == "python" else run_shell(text, running)
        options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        assert not shown or same.check_output(shown, printed, options), f"{text}\n{printed}"


def test_every_example_is_run_somewhere() -> None:
    found = {each[:3] for page in PAGES for each in blocks(page)}
    assert ELSEWHERE.keys() <= found
    unknown = {each for each in found - ELSEWHERE.keys() if each[2] not in {*HERE, "json", "text", "toml"}}
    assert not unknown
    assert all((ROOT / place).is_file() for place in ELSEWHERE.values())


def test_every_path_in_the_text_is_there() -> None:
    """A recipe's paths have a placeholder: ``thing`` or ``<language>``."""
    written = re.compile(r"`((?:\.ci|docs|gateway_entities|gen|proto|tests)/[\w./-]*)`")
    paths = {(page, path) for page in PAGES for path in written.findall((ROOT / page).read_text(encoding="utf-8"))}
    assert len(paths) > 50
    assert not {(page, path) for page, path in paths if "thing" not in path and not (ROOT / path).exists()}


def test_every_test_that_the_security_policy_names_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", (ROOT / "SECURITY.md").read_text())
    assert len(named) > 40
    assert [(file, name) for file, name in named if f"def {name}" not in (ROOT / file).read_text()] == []


def test_json_and_toml_can_be_read() -> None:
    readers = {"json": json.loads, "toml": tomllib.loads}
    for page in PAGES:
        for each in blocks(page):
            if each.language in readers:
                readers[each.language](each.text)


def test_the_settings_of_the_pytest_plugin_check_messages_and_schemas(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(block("docs/guides/wire.md", "In pytest", "toml"))
    (tmp_path / "tests" / "recorded").mkdir(parents=True)
    shutil.copy(ROOT / "tests/wire/vectors/HEAD/GatewayModelDefinition.full.binpb", tmp_path / "tests" / "recorded")
    shutil.copytree(ROOT / "proto" / "gatewayentities", tmp_path / "proto" / "gatewayentities")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
