"""The README's Go example builds as it says, outside this repository, and talks to a running gateway."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from gateway_entities import GatewayClient, GatewayEndpointModelConfig, GatewayModelLinkageType
from gateway_entities.testing import gateway
from tests.interop.language import ROOT
from tests.interop.languages.go import LANGUAGE

README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str, holding: str) -> str:
    """Return the first block of a language that holds a text."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return next(text for text in blocks if holding in text)


def test_the_example_lists_endpoints(tmp_path: Path) -> None:
    if missing := LANGUAGE.missing():
        pytest.skip("; ".join(missing))
    build = block("sh", "go mod edit").replace("../gateway-entities", shlex.quote(str(ROOT)))
    with gateway() as running:
        with GatewayClient(running.grpc_target) as client:
            secret = client.create_secret("key", {"api_key": "sk-not-a-real-key"})
            model = client.create_model_definition("chat", secret_id=secret.secret_id, provider="p", model_name="m")
            primary = GatewayEndpointModelConfig(model.model_definition_id, GatewayModelLinkageType.PRIMARY)
            client.create_endpoint("support", [primary])
        example = block("go", "").replace("http://127.0.0.1:8080", running.http_target)
        (tmp_path / "main.go").write_text(example, encoding="utf-8")
        done = subprocess.run(
            # The folder of the test may lie below some other module or workspace.
            ["sh", "-c", build],
            cwd=tmp_path,
            env={**os.environ, "GOWORK": "off"},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
    assert (done.returncode, done.stdout) == (0, "support 1\n"), done.stderr
