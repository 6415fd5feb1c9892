"""Certificates that are renewed on disk are served on both ports, without a restart."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from gateway_entities.client import AsyncGatewayClient
from gateway_entities.errors import GatewayError
from gateway_entities.server import current_tls
from gateway_entities.server import server as server_module
from gateway_entities.server.server import Server
from gateway_entities.server.tls import Tls
from tests.certificates import Authority, Pair
from tests.server.raw import request
from tests.users import secret_volume


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(autouse=True)
def fresh_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "_HEALTH_METRICS_AGE_S", 0.0)


def renew(authority: Authority, folder: Path) -> int:
    """Put a new certificate into a folder, each file at its place in one step, and return its serial number."""
    pair = authority.sign("renewed", "gateway", "127.0.0.1", "localhost")
    for source, name in ((pair.cert, "tls.crt"), (pair.key, "tls.key")):
        shutil.copy(source, folder / "part")
        (folder / "part").rename(folder / name)
    return serial_of(pair.cert.read_bytes())


def serial_of(pem: bytes) -> int:
    return x509.load_pem_x509_certificate(pem).serial_number


async def served(server: Server) -> tuple[int, int]:
    """Return the serial numbers of the certificates for new connections to the gRPC and the HTTP port."""

    def look(target: str) -> int:
        host, _, port = target.partition("//")[2].partition(":")
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["h2" if target.startswith("grpc") else "http/1.1"])
        with socket.create_connection((host, int(port)), timeout=10) as plain, context.wrap_socket(plain) as secured:
            return serial_of(ssl.DER_cert_to_PEM_cert(secured.getpeercert(binary_form=True) or b"").encode())

    grpc, http = await asyncio.gather(*(asyncio.to_thread(look, each) for each in (server.grpc_target, server.http_target)))
    return grpc, http


@contextlib.asynccontextmanager
async def serving(folder: Path, tls: Tls) -> AsyncIterator[Server]:
    addresses = dict.fromkeys(("grpc", "http", "health"), "127.0.0.1:0")
    server = Server(f"sqlite:///{folder}/gateway.sqlite", tls=tls, **addresses)
    await server.start()
    try:
        yield server
    finally:
        await server.stop(0)


async def metric(server: Server, name: str) -> float:
    assert server.health_target is not None
    text = (await asyncio.to_thread(request, server.health_target, "GET", "/metrics")).body.decode()
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(f"gateway_entities_tls_{name} "))


async def test_a_renewed_certificate_is_served_on_both_ports_within_the_interval(tmp_path, authority, monkeypatch):
    monkeypatch.setattr(current_tls, "INTERVAL_S", 0.05)
    first = renew(authority, tmp_path)
    async with serving(tmp_path, Tls(tmp_path / "tls.crt", tmp_path / "tls.key")) as server:
        assert await served(server) == (first, first)
        async with AsyncGatewayClient(server.grpc_target, ca_file=authority.cert) as client:
            await client.list_secrets()
            second = renew(authority, tmp_path)
            async with asyncio.timeout(10):
                while await served(server) != (second, second):
                    await asyncio.sleep(0.02)
            # Connections that are open go on.
            await client.list_secrets()
        assert await metric(server, "certificate_expiry_seconds") > 1e9


async def test_files_that_do_not_belong_together_leave_the_former_certificate_in_use(tmp_path, authority, caplog):
    caplog.set_level(logging.INFO, "gateway_entities")
    first = renew(authority, tmp_path)
    async with serving(tmp_path, Tls(tmp_path / "tls.crt", tmp_path / "tls.key")) as server:
        pair = authority.sign("other", "gateway", "127.0.0.1")
        shutil.copy(pair.cert, tmp_path / "tls.crt")
        for _ in range(2):
            await server.reload()
        assert await served(server) == (first, first)
        assert await metric(server, "reload_failed") == 1
        errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
        assert len(errors) == 1
        assert f"{tmp_path}/tls.crt and {tmp_path}/tls.key are not a certificate and its key" in errors[0]
        shutil.copy(pair.key, tmp_path / "tls.key")
        await server.reload()
        other = serial_of(pair.cert.read_bytes())
        assert await served(server) == (other, other)
        assert await metric(server, "reload_failed") == 0


@pytest.mark.parametrize("fault", ["missing", "empty", "not private", "not PEM"])
async def test_an_unusable_file_leaves_the_former_certificate_in_use(tmp_path, authority, fault):
    first = renew(authority, tmp_path)
    key = tmp_path / "tls.key"
    async with serving(tmp_path, Tls(tmp_path / "tls.crt", key)) as server:
        good = key.read_bytes()
        match fault:
            case "missing":
                key.unlink()
            case "not private":
                key.chmod(0o644)
            case _:
                key.write_bytes(b"" if fault == "empty" else b"secret text")
        # A file whose content is the same is not loaded, so the certificate changes as well.
        shutil.copy(authority.sign("next", "gateway", "127.0.0.1").cert, tmp_path / "tls.crt")
        await server.reload()
        assert await served(server) == (first, first)
        assert await metric(server, "reload_failed") == 1
        key.write_bytes(good)
        key.chmod(0o600)
        last = renew(authority, tmp_path)
        await server.reload()
        assert await served(server) == (last, last)


async def test_the_volume_of_a_pod_is_replaced_while_it_is_read(tmp_path, authority, monkeypatch):
    volume = tmp_path / "volume"
    volume.mkdir()
    pairs = [authority.sign(name, "gateway", "127.0.0.1") for name in ("one", "two", "three")]
    contents = [{"tls.crt": pair.cert.read_bytes(), "tls.key": pair.key.read_bytes()} for pair in pairs]

    def fill(files: dict[str, bytes]) -> None:
        secret_volume(volume, files, owner=os.geteuid(), group=os.getegid(), mode=0o400)

    fill(contents[0])
    async with serving(tmp_path, Tls(volume / "tls.crt", volume / "tls.key")) as server:
        fill(contents[1])
        # The next renewal comes between the certificate's reading and that of its key.
        load, waiting = Tls._load, [contents[2]]

        def load_late(self: Tls, read: Any) -> Any:
            if waiting:
                fill(waiting.pop())
            return load(self, read)

        monkeypatch.setattr(Tls, "_load", load_late)
        await server.reload()
        wanted = serial_of(contents[2]["tls.crt"])
        assert await served(server) == (wanted, wanted)
        assert await metric(server, "reload_failed") == 0


async def test_the_authority_of_client_certificates_is_replaced_too(tmp_path, authority):
    renew(authority, tmp_path)
    clients = [Authority(tmp_path / name, name) for name in ("former", "later")]
    client_ca = tmp_path / "clients.pem"
    shutil.copy(clients[0].cert, client_ca)
    former, later = (each.sign("client", "carol") for each in clients)
    async with serving(tmp_path, Tls(tmp_path / "tls.crt", tmp_path / "tls.key", client_ca)) as server:

        async def is_served(target: str, pair: Pair) -> bool:
            files = {"ca_file": authority.cert, "cert_file": pair.cert, "key_file": pair.key}
            async with AsyncGatewayClient(target, retry_timeout=0, timeout=10, **files) as client:
                try:
                    await client.list_secrets()
                except GatewayError:
                    return False
                return True

        for target in (server.grpc_target, server.http_target):
            assert (await is_served(target, former), await is_served(target, later)) == (True, False)
        shutil.copy(clients[1].cert, client_ca)
        await server.reload()
        for target in (server.grpc_target, server.http_target):
            assert (await is_served(target, former), await is_served(target, later)) == (False, True)


async def test_without_tls_there_is_nothing_to_reload(tmp_path):
    server = Server(f"sqlite:///{tmp_path}/gateway.sqlite", grpc="127.0.0.1:0", http="127.0.0.1:0")
    await server.reload()
    await server.start()
    await server.reload()
    await server.stop(0)
