"""The server process: start time on an empty store, and idle memory."""

from __future__ import annotations

import time
from contextlib import ExitStack

from tests.benchmarks.our_server import our_server
from tests.benchmarks.process_tree import IS_KNOWN, memory_of
from tests.benchmarks.row import MissingError, Row, Sample, Subjects
from tests.benchmarks.stage import Stage

_SETTLE_SECONDS = 1.0


def _prepare_start(stage: Stage, _stack: ExitStack) -> Subjects:
    def ours() -> float:
        with our_server(stage.make_folder("start")) as server:
            return server.started_in

    subjects = Subjects(ours, notes=["MLflow's: a single start"])
    # Too slow to start repeatedly.
    subjects.try_peer(lambda: _once(stage.mlflow_server.started_in))
    return subjects


def _prepare_memory(stage: Stage, _stack: ExitStack) -> Subjects:
    if not IS_KNOWN:
        raise MissingError("process memory needs Linux's /proc")

    def ours() -> float:
        with our_server(stage.make_folder("memory")) as server:
            time.sleep(_SETTLE_SECONDS)
            return memory_of(server.pid, "Rss")

    subjects = Subjects(
        ours, notes=["MLflow's: the parent, its workers and job runners, before the first call; shared pages once"]
    )
    subjects.try_peer(lambda: _once(stage.mlflow_server.idle_memory))
    return subjects


def _once(value: float) -> Sample:
    return lambda: value


_PEER = "MLflow's server"

ROWS = (
    Row("start", "server, start to ready, empty store", "s", _prepare_start, _PEER, rounds=7),
    Row("server-memory", "resident memory of the idle server", "MiB", _prepare_memory, _PEER, rounds=3, warm=False),
)
