"""The script that fails CI for skips without a listed reason."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent.parent / ".ci" / "skips.py"
PASSES = "def test_passes(): pass\n"
SKIPS = "import pytest\ndef test_skips(): pytest.skip('no such program')\n"
SKIPS_ALL = "import pytest\npytest.skip('no such module', allow_module_level=True)\n"
EXPECTS_FAILURE = "import pytest\n@pytest.mark.xfail(reason='a known fault')\ndef test_fails_as_ever(): assert 0\n"
FAILS = "def test_fails(): assert 0\n"

Judge = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Return a function that runs pytest on these test files and the script on its report."""

    def run(*sources: str, allowed: str = "") -> subprocess.CompletedProcess[str]:
        for number, source in enumerate(sources):
            (tmp_path / f"test_{number}.py").write_text(source)
        (tmp_path / "allowed").write_text(f"# The list.\n\n{allowed}\n")
        report = tmp_path / "small.xml"
        pytest_command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-c",
            "/dev/null",
            "--rootdir",
            ".",
            f"--junitxml={report}",
            ".",
        ]
        # Without this suite's plugins, pytest starts much faster.
        plain = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
        subprocess.run(pytest_command, cwd=tmp_path, env=plain, capture_output=True, check=False)
        return subprocess.run(
            [sys.executable, SCRIPT, "allowed", report], cwd=tmp_path, capture_output=True, text=True, check=False
        )

    return run


def test_a_run_without_skips_passes(judge: Judge) -> None:
    result = judge(PASSES)
    assert result.returncode == 0
    assert result.stdout.splitlines()[-1] == "1 passed, 0 failed, 0 skipped"


@pytest.mark.parametrize(
    ("source", "said"),
    [(SKIPS, "no such program"), (SKIPS_ALL, "no such module"), (EXPECTS_FAILURE, "test_fails_as_ever")],
)
def test_a_skip_that_is_not_listed_fails(judge: Judge, source: str, said: str) -> None:
    result = judge(PASSES, source)
    assert result.returncode == 1
    assert said in result.stdout
    assert result.stdout.splitlines()[-1] == "1 passed, 0 failed, 1 skipped"


def test_a_listed_skip_passes(judge: Judge) -> None:
    assert judge(PASSES, SKIPS, allowed="test_skips: .*no such program  # It is never there.").returncode == 0


@pytest.mark.parametrize(
    ("allowed", "said"),
    [
        ("no such program", "no reason given"),
        ("no such program  # Never there.\nanother  # Nor this.", "nothing needs another"),
    ],
)
def test_a_wrong_list_fails(judge: Judge, allowed: str, said: str) -> None:
    result = judge(PASSES, SKIPS, allowed=allowed)
    assert result.returncode == 1
    assert said in result.stdout


def test_a_failure_fails(judge: Judge) -> None:
    result = judge(PASSES, FAILS)
    assert result.returncode == 1
    assert result.stdout.splitlines()[-1] == "1 passed, 1 failed, 0 skipped"


def test_a_run_without_tests_fails(judge: Judge) -> None:
    result = judge("")
    assert result.returncode == 1
    assert "no test passed" in result.stdout


def test_a_run_without_a_report_fails(tmp_path: Path) -> None:
    (tmp_path / "allowed").write_text("")
    command = [sys.executable, SCRIPT, tmp_path / "allowed", tmp_path / "crashed.xml"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "crashed: it left no report" in result.stdout
