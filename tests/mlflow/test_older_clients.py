"""The clients of older releases of MLflow with our server. In the full profile they are installed, and run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import profiles
from tests.mlflow.releases import OLDER, PEER

ROOT = Path(__file__).resolve().parents[2]
CLIENT_TESTS = "tests/mlflow/test_rest_store.py"


def test_the_pinned_releases_are_those_of_the_extras_and_of_ci() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for package in ("mlflow", "mlflow-skinny"):
        assert f'"{package}>={OLDER[-1]},<={PEER}"' in pyproject
    assert f"mlflow_version={PEER}\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert f"mlflow-skinny=={OLDER[-1]}\n" in (ROOT / ".ci" / "oldest.txt").read_text(encoding="utf-8")


if profiles.NAME == "full":

    @pytest.mark.timeout(1500)
    @pytest.mark.parametrize("version", OLDER)
    def test_an_older_client_does_every_operation(version: str, tmp_path: Path) -> None:
        # What it requires is installed for the newest one.
        install = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--target",
            tmp_path,
            f"mlflow-skinny=={version}",
        ]
        subprocess.run(install, check=True, cwd=tmp_path)
        environment = {
            **os.environ,
            "PYTHONPATH": str(tmp_path),
            "GATEWAY_ENTITIES_TEST_MLFLOW_VERSION": version,
            "GATEWAY_ENTITIES_TEST_PROFILE": "default",
        }
        # Those of this run are for all of its tests.
        environment.pop("PYTEST_ADDOPTS", None)
        command = [sys.executable, "-m", "pytest", "-n0", "-q", "-p", "no:cacheprovider", CLIENT_TESTS]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
        assert "skipped" not in done.stdout
