"""The bare limit of a watch stream: ``python -m tests.benchmarks.bare_stream`` prints its target and serves.

A grpc.aio server whose only work is to pass each message that is published to every stream.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import grpc
import grpc.aio

PUBLISH = "/bench/publish"


class BareServer(NamedTuple):
    """A running server.

    Attributes:
        grpc_target: its address.
        pid: its process id.
    """

    grpc_target: str
    pid: int


class _Handlers(grpc.GenericRpcHandler):
    def __init__(self) -> None:
        self._message = b""
        self._next: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def service(self, handler_call_details: Any) -> Any:
        if handler_call_details.method == PUBLISH:
            return grpc.unary_unary_rpc_method_handler(self._publish)
        return grpc.unary_stream_rpc_method_handler(self._watch)

    async def _publish(self, message: bytes, _context: Any) -> bytes:
        self._message = message
        self._next.set_result(None)
        self._next = asyncio.get_running_loop().create_future()
        return b""

    async def _watch(self, _request: bytes, _context: Any) -> AsyncIterator[bytes]:
        while True:
            if self._message:
                yield self._message
            await asyncio.shield(self._next)


async def _serve() -> None:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers([_Handlers()])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"grpc://127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


@contextmanager
def bare_server() -> Iterator[BareServer]:
    """Run a server in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.bare_stream"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield BareServer(process.stdout.readline().strip(), process.pid)
        finally:
            process.kill()


if __name__ == "__main__":
    asyncio.run(_serve())
