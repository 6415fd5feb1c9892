"""``gateway-entities completion``: the script, and that it completes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

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
