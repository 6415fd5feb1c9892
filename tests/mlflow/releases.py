"""The releases of MLflow that the tests know."""

from __future__ import annotations

import os
from typing import Final

PEER: Final = "3.18.0"
"""The release whose facts are in the tests."""
OLDER: Final = ("3.12.0", "3.17.2")
"""Releases whose clients work with our server as well. The first is the oldest with guardrails."""
CHOSEN: Final = os.environ.get("GATEWAY_ENTITIES_TEST_MLFLOW_VERSION")
"""The release that must be installed; None for any of them."""
