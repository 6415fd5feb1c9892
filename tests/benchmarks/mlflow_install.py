"""Check for MLflow."""

from __future__ import annotations

from importlib.util import find_spec

from tests.benchmarks.row import MissingError


def require_mlflow(*, server: bool) -> None:
    """Raise MissingError unless MLflow is installed, optionally with its server's requirements."""
    # mlflow-skinny has the command but not the server's requirements.
    if any(find_spec(module) is None for module in (("mlflow", "flask", "pytest") if server else ("mlflow",))):
        raise MissingError(f"{'the server of ' if server else ''}MLflow is not installed: pip install -e '.[bench]'")
