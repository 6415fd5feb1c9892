"""Lower bound of a server: ``python -m tests.benchmarks.echo grpc|http FOLDER``.

It reads a request and responds with the number of bytes in the path: ``/bench/echo-1200``. At ``/bench/commit-1200`` it
first commits a row to a SQLite file in FOLDER, as durably as our store does: the lower bound of a write.
"""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import sys
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import uvicorn


class Echo:
    """Responses of both servers."""

    def __init__(self, folder: Path) -> None:
        self._connection = sqlite3.connect(folder / "echo.sqlite", isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, content BLOB)")
        self._answers: dict[str, bytes] = {}

    def respond(self, path: str, body: bytes) -> bytes:
        """Return the response to a request at a path."""
        found = self._answers.get(path)
        if found is None:
            found = self._answers[path] = bytes(int(path.rpartition("-")[2]))
        if path.startswith("/bench/commit"):
            self._connection.execute("INSERT INTO rows (content) VALUES (?)", (body,))
        return found


class _Handlers(grpc.GenericRpcHandler):
    def __init__(self, echo: Echo) -> None:
        self._echo = echo
        self._handlers: dict[str, Any] = {}

    def service(self, handler_call_details: Any) -> Any:
        path = handler_call_details.method
        if path not in self._handlers:

            async def respond(body: bytes, _context: Any) -> bytes:
                return self._echo.respond(path, body)

            self._handlers[path] = grpc.unary_unary_rpc_method_handler(respond)
        return self._handlers[path]


async def serve_grpc(echo: Echo) -> None:
    """Serve until the process is killed."""
    server = grpc.aio.server(options=[("grpc.max_send_message_length", -1)])
    server.add_generic_rpc_handlers([_Handlers(echo)])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"grpc://127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


async def serve_http(echo: Echo) -> None:
    """Serve until the process is killed."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        response = echo.respond(scope["path"], body)
        headers = [(b"content-type", b"application/proto"), (b"content-length", b"%d" % len(response))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": response})

    # asyncio disables Nagle's algorithm only if the protocol is given; with it a response can wait 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(100)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(app, lifespan="off", ws="none", interface="asgi3", access_log=False, log_level="error")
    await uvicorn.Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    asyncio.run({"grpc": serve_grpc, "http": serve_http}[sys.argv[1]](Echo(Path(sys.argv[2]))))
