"""gRPC in forked children. In processes of their own: a gRPC server on asyncio, as other tests run, rules out forks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from gateway_entities import GatewayClient
from tests.interop.language import ROOT
from tests.transports.forwarder import forwarding
from tests.transports.test_killed import server

CHILDREN = 6


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with server(tmp_path_factory.mktemp("fork") / "gateway.sqlite") as (_, targets):
        with GatewayClient(targets["grpc"]) as client:
            secret = client.create_secret("key", {"api_key": "sk-0123456789abcdef"}, provider="openai")
            for number in range(CHILDREN + 1):
                client.create_model_definition(
                    f"m-{number}", secret_id=secret.secret_id, provider="openai", model_name=f"m-{number}"
                )
        yield targets["grpc"]


_CALLS = """
import asyncio, os, sys, threading, time
from gateway_entities import AsyncGatewayClient, GatewayClient, GatewayError
from tests.forks import in_children

target, children = sys.argv[1], int(sys.argv[2])

class Blocking:
    # Each call has the client's own event loop, as a child's has to be new.
    def __init__(self, target):
        self.client = AsyncGatewayClient(target, timeout=5)
        self.runner = None
    def __getattr__(self, name):
        async def call(*arguments, **options):
            return await getattr(self.client, name)(*arguments, **options)
        if self.runner is None:
            self.runner = asyncio.Runner()
        return lambda *arguments, **options: self.runner.run(call(*arguments, **options))

client = GatewayClient(target, timeout=5) if sys.argv[3] == "sync" else Blocking(target)
ids = {each.name: each.model_definition_id for each in client.list_model_definitions()}

def names(number, calls=15):
    if sys.argv[3] == "async":
        client.runner = None
    return [client.get_model_definition(model_definition_id=ids[f"m-{number}"]).name for _ in range(calls)]
"""

_BETWEEN_CALLS = """
results = in_children(children, names, meanwhile=lambda: None)
assert results == [[f"m-{number}"] * 15 for number in range(children)], results
assert client.get_model_definition(model_definition_id=ids[f"m-{children}"]).name == f"m-{children}"
client.close()
"""

_DURING_CALLS = """
stop = threading.Event()
own = []

def use():
    while not stop.is_set():
        own.append(client.get_model_definition(model_definition_id=ids[f"m-{children}"]).name)

threads = [threading.Thread(target=use) for _ in range(4)]
for thread in threads:
    thread.start()
for _ in range(3):
    results = in_children(children, names)
    assert results == [[f"m-{number}"] * 15 for number in range(children)], results
stop.set()
for thread in threads:
    thread.join()
assert set(own) == {f"m-{children}"}
"""


def run(*scripts: str, arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "".join(scripts), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_children_have_connections_of_their_own(running, mode):
    with forwarding(int(running.rpartition(":")[2])) as forwarder:
        target = f"grpc://127.0.0.1:{forwarder.port}"
        run(_CALLS, _BETWEEN_CALLS, arguments=[target, str(CHILDREN), mode])
        assert forwarder.accepted == 1 + CHILDREN


def test_a_process_may_fork_while_its_threads_make_calls(running):
    run(_CALLS, _DURING_CALLS, arguments=[running, str(CHILDREN), "sync"])


def test_a_fork_waits_for_the_calls_in_flight():
    """Without gRPC, whose threads may crash a child that is forked during a call."""
    run(
        """
import threading, time
from gateway_entities.errors import GatewayError
from gateway_entities.transports.channels import Channels
from tests.forks import in_children

channels = Channels(lambda: "a channel")

def call(_number):
    try:
        return channels.begin().channel
    except GatewayError as error:
        return [error.code.name, error.reason]

link = channels.begin()
ended = threading.Timer(0.3, lambda: channels.end(link, time.monotonic(), None))
ended.start()
began = time.monotonic()
assert in_children(1, call) == ["a channel"]
assert 0.2 < time.monotonic() - began < 0.9

link = channels.begin()
began = time.monotonic()
assert in_children(1, call) == [["FAILED_PRECONDITION", "FORKED_IN_CALL"]]
assert 0.9 < time.monotonic() - began < 5
assert channels.begin().channel == "a channel"
""",
        arguments=[],
    )
