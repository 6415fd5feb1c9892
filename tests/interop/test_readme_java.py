"""The README's Java example compiles with the stubs and a transport, and talks to a running gateway."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from gateway_entities import GatewayClient, GatewayEndpointModelConfig, GatewayModelLinkageType
from gateway_entities.testing import gateway
from tests.interop.language import ROOT
from tests.interop.languages.java import LANGUAGE

README = (ROOT / "README.md").read_text(encoding="utf-8")


def ran(command: list[str]) -> str:
    """Run a program, and return what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_example_lists_endpoints(tmp_path: Path) -> None:
    if missing := LANGUAGE.missing():
        pytest.skip("; ".join(missing))
    # Beside the testee are the jar of the stubs, and those of what it and they depend on.
    libraries = Path(LANGUAGE.command()[-1]).parent / "lib"
    example = re.search(r"^```java\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert example is not None
    source = tmp_path / "Example.java"
    with gateway() as running:
        with GatewayClient(running.grpc_target) as client:
            secret = client.create_secret("key", {"api_key": "sk-not-a-real-key"})
            model = client.create_model_definition("chat", secret_id=secret.secret_id, provider="p", model_name="m")
            primary = GatewayEndpointModelConfig(model.model_definition_id, GatewayModelLinkageType.PRIMARY)
            client.create_endpoint("support", [primary])
        place = running.grpc_target.removeprefix("grpc://")
        source.write_text(example[1].replace("127.0.0.1:50051", place), encoding="utf-8")
        ran(["javac", "-cp", f"{libraries}/*", "-d", str(tmp_path), str(source)])
        assert ran(["java", "-cp", f"{tmp_path}{os.pathsep}{libraries}/*", "Example"]) == "support 1\n"
