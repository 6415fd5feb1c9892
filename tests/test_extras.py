"""What an error says when the libraries of an extra are not installed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gateway_entities import extras

ROOT = Path(__file__).resolve().parent.parent
BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {%r}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocked())
"""


def without(library: str, code: str) -> subprocess.CompletedProcess[str]:
    """Run code where a library is not installed."""
    command = [sys.executable, "-c", BLOCKED % library + code]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("library", "arguments", "extra"),
    [
        ("uvicorn", ["serve"], "server"),
        ("sqlalchemy", ["db", "check"], "server"),
        ("matplotlib", ["spend", "list", "--plot", "report.svg"], "plot"),
        ("psycopg", ["db", "check", "--store", "postgresql://localhost/x"], "server,postgresql"),
    ],
)
def test_a_command_says_how_to_install_what_it_lacks(library: str, arguments: list[str], extra: str) -> None:
    done = without(library, f"import gateway_entities.cli as c; sys.argv[1:] = {arguments!r}; c.main()")
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert f"pip install 'gateway-entities[{extra}] @ git+https://" in done.stderr, done.stderr
    assert f"pip install '.[{extra}]'" in done.stderr


def test_the_advice_is_that_of_the_readme() -> None:
    """No release is published, so the bare name installs nothing, or something else."""
    (command,) = re.findall(r"^pip install .*$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert command in extras.advice("server")
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "gateway_entities").rglob("*.py")]
    assert not [
        source for source in sources if re.search(r"pip install '?gateway-entities(\[[a-z,]+\])?(?! @)['; ]", source)
    ]


def test_the_gateway_for_tests_names_the_extra_that_it_needs() -> None:
    done = without("sqlalchemy", "import gateway_entities.testing")
    error = done.stderr.strip().splitlines()[-1]
    assert error.startswith("ModuleNotFoundError: gateway_entities.testing needs the extra server (no module sqlalchemy); ")
    assert extras.advice("server") in error


def test_the_readme_s_commands_leave_the_program_on_the_path() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.index("\n. .venv/bin/activate\n") < re.search(r"^gateway-entities ", text, re.MULTILINE).start()  # type: ignore[union-attr]
