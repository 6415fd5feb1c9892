"""``gateway-entities completion``: the script, and that it completes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway_entities.cli.app import cli


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_asks_this_program(shell: str) -> None:
    result = CliRunner().invoke(cli, ["completion", shell])
    assert result.exit_code == 0
    assert f"_GATEWAY_ENTITIES_COMPLETE={shell}_complete " in result.stdout
    assert "gateway-entities" in result.stdout


def test_another_shell_is_a_usage_error() -> None:
    result = CliRunner().invoke(cli, ["completion", "cmd"])
    assert result.exit_code == 2
    assert "bash" in result.stderr


def test_bash_completes_commands(tool: Callable[[str, str], Path], tmp_path: Path) -> None:
    bash = tool("bash", "apt-get install bash")
    program = tmp_path / "gateway-entities"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m gateway_entities "$@"\n')
    program.chmod(0o755)
    script = """
eval "$(gateway-entities completion bash)"
COMP_WORDS=(gateway-entities budget-policy "$1"); COMP_CWORD=2
_gateway_entities_completion gateway-entities
echo "${COMPREPLY[@]}"
"""
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [bash, "-c", script, "bash", "cre"], capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    assert done.stdout.split() == ["create"], done.stderr


def test_names_are_completed_from_the_gateway(target: str, models: list[dict[str, Any]], endpoint: dict[str, Any]) -> None:
    name = endpoint["name"].removesuffix("-endpoint")
    for words, expected in (
        (f"endpoint get {name}", [endpoint["name"]]),
        (f"endpoint attach {endpoint['name']} {name}", [model["name"] for model in models]),
        (f"secret delete {name}", [f"{name}-secret"]),
        ("endpoint get nothing-has-this-name", []),
    ):
        variables = {"_GATEWAY_ENTITIES_COMPLETE": "bash_complete", "COMP_WORDS": f"gateway-entities {words}"}
        variables |= {"COMP_CWORD": str(len(words.split())), "GATEWAY_ENTITIES_TARGET": target}
        done = CliRunner(env=variables).invoke(cli, prog_name="gateway-entities", complete_var="_GATEWAY_ENTITIES_COMPLETE")
        assert [line.removeprefix("plain,") for line in done.stdout.split()] == expected


def test_without_a_gateway_no_name_and_no_error() -> None:
    variables = {"_GATEWAY_ENTITIES_COMPLETE": "bash_complete", "COMP_WORDS": "gateway-entities endpoint get x"}
    variables |= {"COMP_CWORD": "3", "GATEWAY_ENTITIES_TARGET": "http://127.0.0.1:9"}
    done = CliRunner(env=variables).invoke(cli, prog_name="gateway-entities", complete_var="_GATEWAY_ENTITIES_COMPLETE")
    assert done.output.strip() == ""
