"""The README's examples run, in order, against a running gateway."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway_entities.testing import Gateway, gateway

README = Path(__file__).resolve().parent.parent / "README.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
PYTHON = [text for language, text in BLOCKS if language == "python"]
SHELL = [text for language, text in BLOCKS if language == "sh"]


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    with gateway() as running:
        yield running


def aimed(text: str, running: Gateway) -> str:
    """Return an example with the addresses of this gateway in place of the default ones."""
    return text.replace("grpc://127.0.0.1:50051", running.grpc_target).replace("http://127.0.0.1:8080", running.http_target)


@pytest.fixture(scope="module")
def examples_ran(running: Gateway) -> list[str]:
    """Runs every Python example, as separate programs would; what they print is not wanted."""
    for number, text in enumerate(PYTHON):
        exec(compile(aimed(text, running), f"README example {number}", "exec"), {"__name__": f"example_{number}"})
    return PYTHON


def test_python(examples_ran: list[str]) -> None:
    assert len(examples_ran) >= 5


@pytest.mark.parametrize(
    "path", ["/gatewayentities.v1.EndpointService/GetGatewayEndpoint", "/api/3.0/mlflow/gateway/endpoints/get"]
)
@pytest.mark.usefixtures("examples_ran")
def test_curl(running: Gateway, tool: Callable[[str, str], Path], path: str) -> None:
    tool("curl", "apt-get install curl")
    (command,) = (text for text in SHELL if text.startswith("curl") and path in text)
    done = subprocess.run(["sh", "-c", aimed(command, running)], capture_output=True, text=True, check=True, timeout=30)
    assert '"support"' in done.stdout


@pytest.mark.usefixtures("examples_ran")
def test_command_line(running: Gateway, tool: Callable[[str, str], Path]) -> None:
    program = tool("gateway-entities", "pip install -e '.[test]'")
    (command,) = (text for text in SHELL if text.startswith("gateway-entities endpoint"))
    command = aimed(command, running).replace("gateway-entities", str(program), 1)
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True, timeout=30)
    assert "support" in done.stdout
