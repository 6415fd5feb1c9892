"""Servers for many watchers, and the processes of the watchers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import IO, Final

from tests.benchmarks.our_server import OurServer, our_server
from tests.benchmarks.process_tree import memory_of
from tests.benchmarks.stage import Stage
from tests.benchmarks.watch_readers import TOKEN

PER_PROCESS: Final = 1000
_ROOM: Final = "20000"
_WARM: Final = 50
"""Watchers before the first measurement of memory: the first ones import and allocate what all share."""

Times = dict[int, float]
"""The monotonic time at which the last watcher had a revision."""


@contextmanager
def roomy_server(stage: Stage, *, endpoints: int = 0, with_token: bool = False) -> Iterator[tuple[OurServer, str | None]]:
    """Run our server with room for many watchers; yield it with its token.

    Args:
        stage: the stage.
        endpoints: the number of endpoints in its store.
        with_token: whether every call needs the token.
    """
    folder = stage.make_folder("watched")
    url = f"sqlite:///{folder}/gateway.sqlite"
    if endpoints:
        from gateway_entities.server.store import open_store
        from tests.benchmarks import example

        store = open_store(url)
        example.fill(store, endpoints)
        store.close()
    token = _create_token(url) if with_token else None
    limits = ["--http-connections", _ROOM, "--http-connections-per-peer", _ROOM, "--grpc-connections", _ROOM]
    with our_server(folder, *limits, "--streams", _ROOM) as server:
        yield server, token


def _create_token(url: str) -> str:
    from gateway_entities.server.store.admin.token_manager import open_tokens
    from gateway_entities.server.store.repositories.token import AccessScope

    with open_tokens(url, create=True) as tokens:
        return tokens.create("bench", AccessScope.ADMIN | AccessScope.RESOLVE | AccessScope.NODE).text


class Watchers:
    """Watchers in processes of their own."""

    def __init__(self, outputs: Sequence[IO[str]]) -> None:
        self._outputs = outputs
        self._last: dict[str, list[Times]] = {"update": [{} for _ in outputs], "resolved": [{} for _ in outputs]}
        for output in outputs:
            # The first ones have updates before the last have started.
            while (line := output.readline()) != "ready\n":
                if not line:
                    raise RuntimeError("the watchers do not start")

    def until(self, revision: int, what: str = "update") -> float:
        """Return the monotonic time at which the last watcher had an update to a revision, or had ``resolved`` after it."""
        times: list[float] = []
        for number, output in enumerate(self._outputs):
            known = self._last[what][number]
            while not (later := [found for found in known if found >= revision]):
                kind, found, moment = output.readline().split()
                self._last[kind][number][int(found)] = float(moment)
            times.append(known[min(later)])
            for found in [found for found in known if found < revision]:
                del known[found]
        return max(times)


@contextmanager
def watching(
    target: str, count: int, *, endpoint_id: str | None = None, token: str | None = None, acknowledge: bool = False
) -> Iterator[Watchers]:
    """Run watchers, PER_PROCESS of them in each process.

    Args:
        target: the server's.
        count: the number.
        endpoint_id: an endpoint that each of them resolves after an update; None for none.
        token: their token.
        acknowledge: whether they acknowledge their updates, each as a node of the token.
    """
    environment = os.environ if token is None else {**os.environ, TOKEN: token}
    with ExitStack() as stack:
        outputs: list[IO[str]] = []
        for first in range(0, count, PER_PROCESS):
            command = [sys.executable, "-m", "tests.benchmarks.watch_readers", target, str(min(PER_PROCESS, count - first))]
            command += [] if endpoint_id is None else ["--endpoint", endpoint_id]
            command += ["--acknowledge"] if acknowledge else []
            process = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment))
            stack.callback(process.kill)
            assert process.stdout is not None
            outputs.append(process.stdout)
        yield Watchers(outputs)


def memory_each(target: str, pid: int, count: int) -> float:
    """Return the KiB of a server for each of a number of watchers."""
    with watching(target, _WARM):
        time.sleep(0.5)
        before = memory_of(pid, "Anonymous")
        with watching(target, count):
            time.sleep(0.5)
            return (memory_of(pid, "Anonymous") - before) * 1024 / count
