"""The four transports behind one blocking interface, and servers on loopback with the responses of a test."""

from __future__ import annotations

import asyncio
import base64
import datetime
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.rpc.status_pb2 import Status

from gateway_entities.client import AsyncGatewayClient, GatewayClient
from gateway_entities.errors import GatewayError
from gateway_entities.transports import open_async_transport, open_transport

Respond = Callable[["Incoming"], bytes]
"""Returns the bytes of a response message, or raises the GatewayError to send."""


class Incoming:
    """A received request: the milliseconds to its deadline, and a function that waits until the caller disconnects."""

    def __init__(
        self, path: str, body: bytes, metadata: Mapping[str, str], timeout_ms: float | None, gone: Callable[[], bool]
    ):
        self.path, self.body, self.metadata, self.timeout_ms, self.gone = path, body, metadata, timeout_ms, gone


class GrpcServer:
    """A gRPC server whose every method returns the test's response."""

    scheme = "grpc"

    def __init__(self, respond: Respond, port: int = 0, host: str = "127.0.0.1") -> None:
        self._respond = respond
        self._pool = ThreadPoolExecutor(8)
        self._server = grpc.server(self._pool)
        self._server.add_generic_rpc_handlers((self,))
        self.port = self._server.add_insecure_port(f"{host}:{port}")
        self._server.start()
        self.target = f"grpc://{host}:{self.port}"

    def service(self, details: Any) -> Any:
        def serve(body: bytes, context: Any) -> bytes:
            left = context.time_remaining()
            gone = threading.Event()
            context.add_callback(gone.set)
            timeout_ms = None if left is None or left > 1e6 else left * 1000
            incoming = Incoming(details.method, body, dict(context.invocation_metadata()), timeout_ms, lambda: gone.wait(10))
            try:
                return self._respond(incoming)
            except GatewayError as error:
                status = Status(code=error.code.number, message=error.message, details=error.details())
                context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
                return context.abort(next(s for s in grpc.StatusCode if s.value[0] == error.code.number), error.message)

        return grpc.unary_unary_rpc_method_handler(serve)

    def stop(self) -> None:
        self._server.stop(0).wait()
        self._pool.shutdown()


class HttpServer(ThreadingHTTPServer):
    """A Connect server whose every method returns the test's response."""

    scheme = "http"
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, respond: Respond, port: int = 0) -> None:
        self._open: set[socket.socket] = set()
        self.connections = 0
        super().__init__(("127.0.0.1", port), _handler(respond))
        self.port = self.server_address[1]
        self.target = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def get_request(self) -> tuple[socket.socket, Any]:
        found = super().get_request()
        self._open.add(found[0])
        self.connections += 1
        return found

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore callers that disconnect."""

    def hang_up(self) -> None:
        for sock in list(self._open):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()
        self.hang_up()


def _handler(respond: Respond) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            metadata = {key.lower(): value for key, value in self.headers.items()}
            timeout = metadata.get("connect-timeout-ms")
            incoming = Incoming(self.path, body, metadata, float(timeout) if timeout else None, self.gone)
            status, kind = 200, "application/proto"
            try:
                data = respond(incoming)
            except GatewayError as error:
                details = [
                    {"type": d.type_url.rpartition("/")[2], "value": base64.b64encode(d.value).decode().rstrip("=")}
                    for d in error.details()
                ]
                status, kind = error.code.http_status, "application/json"
                data = json.dumps({"code": error.code.connect, "message": error.message, "details": details}).encode()
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def gone(self) -> bool:
            self.connection.settimeout(10)
            try:
                return self.connection.recv(1) == b""
            except ConnectionError:
                return True

        def log_message(self, *args: object) -> None:
            pass

    return Handler


class Blocking:
    """An async transport, or client, as a blocking one: its loop runs in a thread, and every coroutine is waited for."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        self.wrapped = make()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.wrapped, name)

        def run(*args: Any, **kwargs: Any) -> Any:
            return asyncio.run_coroutine_threadsafe(found(*args, **kwargs), self.loop).result()

        return run

    def stop(self) -> None:
        self.close()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


PAIRS = ["grpc-sync", "grpc-async", "http-sync", "http-async"]


@pytest.fixture(params=PAIRS)
def pair(request: pytest.FixtureRequest) -> str:
    """A protocol, and sync or async."""
    return str(request.param)


@pytest.fixture
def serve(pair: str) -> Iterator[Callable[..., GrpcServer | HttpServer]]:
    """Starts servers of the pair's protocol."""
    started: list[GrpcServer | HttpServer] = []

    def start(respond: Respond, port: int = 0) -> GrpcServer | HttpServer:
        started.append((GrpcServer if pair.startswith("grpc") else HttpServer)(respond, port))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@contextmanager
def blocking(mode: str, make_sync: Callable[[], Any], make_async: Callable[[], Any]) -> Iterator[Any]:
    """Yield one or the other, to be called in the same way, and close it."""
    if mode == "sync":
        made = make_sync()
        try:
            yield made
        finally:
            made.close()
    else:
        wrapped = Blocking(make_async)
        try:
            yield wrapped
        finally:
            wrapped.stop()


@pytest.fixture
def connect(pair: str) -> Iterator[Callable[[str], Any]]:
    """Opens transports of the pair, with blocking methods."""
    opened: list[Any] = []

    def start(target: str) -> Any:
        opened.append(
            blocking(pair.split("-")[1], lambda: open_transport(target), lambda: open_async_transport(target)),
        )
        return opened[-1].__enter__()

    yield start
    for context in opened:
        context.__exit__(None, None, None)


@pytest.fixture
def client(pair: str) -> Iterator[Callable[..., Any]]:
    """Opens clients of the pair, with blocking methods."""
    opened: list[Any] = []

    def start(target: str, **options: Any) -> Any:
        make = [lambda: GatewayClient(target, **options), lambda: AsyncGatewayClient(target, **options)]
        opened.append(blocking(pair.split("-")[1], *make))
        return opened[-1].__enter__()

    yield start
    for context in opened:
        context.__exit__(None, None, None)


@pytest.fixture
def free_port() -> int:
    """A port on loopback without a listener."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate of 127.0.0.1 and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*form))
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def tls(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    """The TLS context of a server with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context
