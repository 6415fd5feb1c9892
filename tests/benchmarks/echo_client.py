"""Bare calls to an echo, with the libraries and settings of our clients but none of our code."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from gateway_entities.transports.connect import request_headers
from gateway_entities.transports.deadline import Deadline
from gateway_entities.transports.http1.pool import AsyncConnectionPool, ConnectionPool, HttpRequest
from gateway_entities.transports.target import Target

ROOT = Path(__file__).resolve().parent.parent.parent


@contextmanager
def echo_server(transport: str, folder: Path) -> Iterator[Target]:
    """Run an echo in a separate process."""
    command = [sys.executable, "-m", "tests.benchmarks.echo", transport, str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            assert process.stdout is not None
            yield Target.parse(process.stdout.readline().strip())
        finally:
            process.kill()


def blocking(target: Target, path: str, body: bytes, stack: ExitStack) -> Callable[[], bytes]:
    """Return a function that makes one call. Thread-safe."""
    if target.scheme == "grpc":
        import grpc

        channel = stack.enter_context(grpc.insecure_channel(target.authority, _options()))
        send = channel.unary_unary(path)
        return lambda: send(body)
    connections = ConnectionPool(target)
    stack.callback(connections.close)
    request = HttpRequest("POST", path, request_headers(target.authority, None, None), body)
    return lambda: connections.request(request, Deadline(None)).body


def with_asyncio(
    target: Target, path: str, body: bytes, stack: ExitStack, runner: asyncio.Runner
) -> Callable[[], Awaitable[object]]:
    """Return a coroutine function that makes one call on the runner's loop."""
    if target.scheme == "grpc":
        return runner.run(_on_channel(target, path, body, stack, runner))
    connections = AsyncConnectionPool(target)
    stack.callback(lambda: runner.run(connections.close()))
    request = HttpRequest("POST", path, request_headers(target.authority, None, None), body)
    return lambda: connections.request(request, Deadline(None))


async def _on_channel(
    target: Target, path: str, body: bytes, stack: ExitStack, runner: asyncio.Runner
) -> Callable[[], Awaitable[object]]:
    import grpc.aio

    channel = grpc.aio.insecure_channel(target.authority, _options())
    stack.callback(lambda: runner.run(channel.close()))
    send = channel.unary_unary(path)

    async def call() -> bytes:
        return await send(body)

    return call


def _options() -> object:
    from gateway_entities.transports import grpc as ours

    return ours._OPTIONS
