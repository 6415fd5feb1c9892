"""Cost of imports. Each runs in a new interpreter; the cost of an empty one is subtracted."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tests.benchmarks.mlflow_install import require_mlflow
from tests.benchmarks.row import MissingError, Row, Sample, Subjects
from tests.benchmarks.stage import Stage

_OURS = "import gateway_entities"
_CLIENT = "from gateway_entities import GatewayClient"
_PEER = "import mlflow.entities"
_MESSAGES = "from gatewayentities.v1 import binding_pb2, budget_pb2, endpoint_pb2, secret_pb2"
# Not ru_maxrss, which a new process inherits from its parent.
_MEASURE = """
import time
{subject}
print(time.process_time())
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def _prepare(figure: int, subject: str, stage: Stage, _stack: ExitStack) -> Subjects:
    if not Path("/proc/self/status").exists():
        raise MissingError("process memory needs Linux's /proc")
    subjects = Subjects(_over_nothing(subject, figure), limit=_over_nothing(_MESSAGES, figure))
    subjects.try_peer(lambda: _peer(figure))
    return subjects


def _peer(figure: int) -> Sample:
    require_mlflow(server=False)
    return _over_nothing(_PEER, figure)


def _over_nothing(subject: str, figure: int) -> Sample:
    return lambda: _run(subject)[figure] - _run("")[figure]


def _run(subject: str) -> tuple[float, float]:
    """Return the processor seconds and the peak MiB of one interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE.format(subject=subject)], capture_output=True, text=True, check=True
    )
    seconds, kib = done.stdout.split()
    return float(seconds), int(kib) / 1024


ROWS = tuple(
    Row(
        f"{name}-{kind}",
        f"{subject}: {what}",
        unit,
        partial(_prepare, figure, subject),
        _PEER,
        "the generated messages alone",
        quick=name == "import",
        # Memory hardly varies between runs.
        rounds=15 if kind == "time" else 3,
        warm=kind == "time",
    )
    for name, subject in (("import", _OURS), ("import-client", _CLIENT))
    for figure, (kind, what, unit) in enumerate((("time", "processor time", "ms"), ("memory", "peak memory", "MiB")))
)
