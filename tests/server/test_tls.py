"""TLS and client certificates on both ports, and which addresses a server may listen on."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway_entities.client import AsyncGatewayClient, GatewayClient
from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.server import Server
from gateway_entities.server.store.admin.token_manager import open_tokens
from gateway_entities.server.store.repositories.token import AccessScope
from gateway_entities.server.tls import Tls
from tests.certificates import Authority, Pair, write_key

VALUE = {"api_key": "sk-0123456789abcdef"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def certified(authority: Authority) -> Pair:
    return authority.sign("server", "gateway", "localhost", "127.0.0.1")


@pytest.fixture
def tls(certified: Pair) -> Tls:
    return Tls(certified.cert, certified.key)


@pytest.fixture
def mutual(tls: Tls, authority: Authority) -> Tls:
    return replace(tls, client_ca_file=authority.cert)


@contextlib.contextmanager
def serving(folder: Path, **options: Any) -> Iterator[Server]:
    """Run a server in a thread of its own, so that blocking clients can call it."""
    server = Server(f"sqlite:///{folder}/gateway.sqlite", **({"grpc": "127.0.0.1:0", "http": "127.0.0.1:0"} | options))
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def run() -> None:
        try:
            await server.start()
        except Exception as error:
            started.set_exception(error)
            return
        leave = asyncio.Event()
        started.set_result((asyncio.get_running_loop(), leave))
        await leave.wait()
        await server.stop(0)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        loop, leave = started.result()
        try:
            yield server
        finally:
            loop.call_soon_threadsafe(leave.set)
    finally:
        thread.join()


def targets(server: Server) -> tuple[str, str, str]:
    return server.grpc_target, server.http_target, f"mlflow+{server.http_target}"


@pytest.fixture(params=["blocking", "asyncio"])
def listed(request: pytest.FixtureRequest) -> Callable[..., list[Any]]:
    """A function that lists the secrets of a target, with a sync or an async client."""

    def blocking(target: str, **options: Any) -> list[Any]:
        with GatewayClient(target, timeout=10, **options) as client:
            return client.list_secrets()

    async def with_asyncio(target: str, **options: Any) -> list[Any]:
        async with AsyncGatewayClient(target, timeout=10, **options) as client:
            return await client.list_secrets()

    if request.param == "blocking":
        return blocking
    return lambda target, **options: asyncio.run(with_asyncio(target, **options))


def refused(call: Callable[[], Any]) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        call()
    return caught.value


def test_clients_that_trust_the_authority_are_served_and_others_do_not_connect(tmp_path, tls, authority, listed):
    stranger = Authority(tmp_path / "other", "other")
    with serving(tmp_path, tls=tls) as server:
        assert server.grpc_target.startswith("grpcs://127.0.0.1:")
        assert server.http_target.startswith("https://127.0.0.1:")
        for target in targets(server):
            assert listed(target, ca_file=authority.cert) == []
        for target in targets(server)[:2]:
            for options in ({"ca_file": stranger.cert}, {}):
                start = time.monotonic()
                error = refused(lambda t=target, o=options: listed(t, **o))
                assert (error.code, error.reason) == (Code.UNAVAILABLE, "UNTRUSTED_CERTIFICATE")
                assert time.monotonic() - start < 5, "it is not retried"
            assert refused(lambda t=target: listed(t.replace("s://", "://"), retry_timeout=0)).code in {
                Code.UNAVAILABLE,
                Code.UNKNOWN,
            }


def test_a_certificate_for_another_host_is_rejected(tmp_path, authority, listed):
    pair = authority.sign("elsewhere", "gateway", "gateway.example")
    with serving(tmp_path, tls=Tls(*pair)) as server:
        for target in targets(server)[:2]:
            error = refused(lambda t=target: listed(t, ca_file=authority.cert))
            assert (error.code, error.reason) == (Code.UNAVAILABLE, "UNTRUSTED_CERTIFICATE")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_later_are_accepted(tmp_path, tls, authority, version):
    with serving(tmp_path, tls=tls) as server:
        for target in (server.grpc_target, server.http_target):
            context = ssl.create_default_context(cafile=authority.cert)
            context.minimum_version = context.maximum_version = version
            host, _, port = target.partition("//")[2].partition(":")
            with (
                socket.create_connection((host, int(port)), timeout=10) as plain,
                context.wrap_socket(plain, server_hostname=host) as secured,
            ):
                assert secured.version() == version.name.replace("_", ".")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tls_1_1_is_refused(tmp_path, tls, authority):
    with serving(tmp_path, tls=tls) as server:
        for target in (server.grpc_target, server.http_target):
            context = ssl.create_default_context(cafile=authority.cert)
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
            # OpenSSL 3 does not offer it otherwise.
            context.set_ciphers("ALL:@SECLEVEL=0")
            host, _, port = target.partition("//")[2].partition(":")
            with socket.create_connection((host, int(port)), timeout=10) as plain, pytest.raises(OSError, match=r"."):
                context.wrap_socket(plain, server_hostname=host)


def test_client_certificates_are_required(tmp_path, mutual, authority, listed):
    client = authority.sign("client", "carol")
    stranger = Authority(tmp_path / "other", "other").sign("stranger", "carol")
    with serving(tmp_path, tls=mutual) as server:
        for target in targets(server):
            assert listed(target, ca_file=authority.cert, cert_file=client.cert, key_file=client.key) == []
        for target in targets(server)[:2]:
            without = refused(lambda t=target: listed(t, ca_file=authority.cert, retry_timeout=0))
            assert without.code is Code.UNAVAILABLE
            with_another = refused(
                lambda t=target: listed(
                    t, ca_file=authority.cert, cert_file=stranger.cert, key_file=stranger.key, retry_timeout=0
                )
            )
            assert with_another.code is Code.UNAVAILABLE


@pytest.mark.parametrize("port", ["grpc", "http"])
def test_the_actor_is_the_common_name_of_the_certificate_until_there_are_tokens(tmp_path, mutual, authority, port):
    client = authority.sign("client", "carol")
    options = {"ca_file": authority.cert, "cert_file": client.cert, "key_file": client.key}
    with serving(tmp_path, tls=mutual) as server:
        target = server.grpc_target if port == "grpc" else server.http_target
        with GatewayClient(target, **options) as opened:
            assert opened.create_secret("s", VALUE, created_by="mallory").created_by == "carol"
    with open_tokens(f"sqlite:///{tmp_path}/gateway.sqlite") as manager:
        token = manager.create("alice", AccessScope.WRITE).text
    with serving(tmp_path, tls=mutual) as server:
        target = server.grpc_target if port == "grpc" else server.http_target
        with GatewayClient(target, **options) as opened:
            assert refused(opened.list_secrets).reason == "TOKEN_MISSING"
        with GatewayClient(target, token=token, **options) as opened:
            assert opened.create_secret("t", VALUE).created_by == "alice"


@pytest.mark.parametrize("port", ["grpc", "http"])
@pytest.mark.parametrize("name", [None, "a\nb"])
def test_a_certificate_without_a_common_name_is_rejected(tmp_path, mutual, authority, port, name):
    client = authority.sign("nobody", name)
    with serving(tmp_path, tls=mutual) as server:
        target = server.grpc_target if port == "grpc" else server.http_target
        with GatewayClient(target, ca_file=authority.cert, cert_file=client.cert, key_file=client.key) as opened:
            error = refused(opened.list_secrets)
    assert (error.code, error.reason) == (Code.UNAUTHENTICATED, "CERTIFICATE_NAME")


def test_beyond_loopback_it_starts_only_with_tls_and_authentication(tmp_path, tls, mutual):
    everywhere = {"grpc": "0.0.0.0:0", "http": "0.0.0.0:0"}
    assert refused(lambda: Server(f"sqlite:///{tmp_path}/g.sqlite", **everywhere)).reason == "NOT_LOOPBACK"

    def start(**options: Any) -> None:
        with serving(tmp_path, **everywhere, **options):
            pass

    assert refused(lambda: start(tls=tls)).reason == "NO_TOKEN"
    start(tls=tls, require_token=True)
    start(tls=mutual)
    with open_tokens(f"sqlite:///{tmp_path}/gateway.sqlite", create=True) as manager:
        manager.create("alice", AccessScope.READ)
    start(tls=tls)


def test_beyond_loopback_callers_need_a_token(tmp_path, tls, authority, listed):
    with open_tokens(f"sqlite:///{tmp_path}/gateway.sqlite", create=True) as manager:
        token = manager.create("alice", AccessScope.READ).text
    with serving(tmp_path, tls=tls, grpc="0.0.0.0:0", http="0.0.0.0:0") as server:
        for target in targets(server):
            reached = target.replace("0.0.0.0", "127.0.0.1")
            assert listed(reached, ca_file=authority.cert, token=token) == []
            assert refused(lambda t=reached: listed(t, ca_file=authority.cert)).code is Code.UNAUTHENTICATED


@pytest.mark.parametrize("port", ["grpc", "http"])
def test_one_port_beyond_loopback_is_enough_to_need_tls(tmp_path, port):
    error = refused(lambda: Server(f"sqlite:///{tmp_path}/g.sqlite", **{port: "192.0.2.1:0"}))
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "NOT_LOOPBACK")


def asked(server: Server, authority: Authority, host: str | None) -> int:
    address = server.http_target.partition("//")[2]
    context = ssl.create_default_context(cafile=authority.cert)
    with contextlib.closing(http.client.HTTPSConnection(address, timeout=10, context=context)) as connection:
        connection.putrequest("GET", "/metrics", skip_host=True)
        if host is not None:
            connection.putheader("Host", host)
        connection.endheaders()
        return connection.getresponse().status


def test_with_tls_every_host_name_is_allowed_unless_some_are_given(tmp_path, tls, authority):
    with serving(tmp_path, tls=tls) as server:
        assert asked(server, authority, "gateway.example") == 200
    with serving(tmp_path, tls=tls, allowed_hosts=["Gateway.Example"]) as server:
        assert asked(server, authority, "gateway.example:8443") == 200
        assert asked(server, authority, "127.0.0.1") == 200
        assert asked(server, authority, "evil.example") == 403


def test_a_key_that_others_can_read_is_refused(tmp_path, authority):
    pair = authority.sign("open", "gateway", "127.0.0.1")
    pair.key.chmod(0o640)
    error = refused(Tls(*pair).load)
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "TLS_FILE")
    assert f"chmod 600 {pair.key}" in error.message


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_named(tmp_path, authority, encoding):
    """OpenSSL reads the files itself, and takes such a file for one without a certificate."""
    pair = authority.sign("gateway", "gateway", "127.0.0.1")
    marked = tmp_path / "marked.pem"
    marked.write_text(pair.cert.read_text(), encoding=encoding)
    key = tmp_path / "marked.key"
    key.write_text(pair.key.read_text(), encoding=encoding)
    key.chmod(0o600)
    for tls in (Tls(marked, pair.key), Tls(pair.cert, key), Tls(*pair, marked)):
        assert "starts with a byte order mark; save it as plain ASCII" in refused(tls.load).message
    for files in ({"ca_file": marked}, {"cert_file": marked, "key_file": key}):
        error = refused(lambda files=files: GatewayClient("https://127.0.0.1:1", **files))
        assert "marked.pem starts with a byte order mark" in error.message


def wrong_files(folder: Path, authority: Authority, tls: Tls) -> dict[str, Tls]:
    other = authority.sign("unlike", "gateway", "127.0.0.1")
    locked, empty, text = folder / "locked.key", folder / "empty.pem", folder / "text.pem"
    write_key(locked, ec.generate_private_key(ec.SECP256R1()), b"passphrase")
    empty.write_bytes(b"")
    text.write_bytes("no certificate: é".encode())
    return {
        "another key": replace(tls, key_file=other.key),
        "a locked key": replace(tls, key_file=locked),
        "no certificate": replace(tls, cert_file=text),
        "a missing certificate": replace(tls, cert_file=folder / "missing"),
        "a missing key": replace(tls, key_file=folder / "missing"),
        "a missing authority": replace(tls, client_ca_file=folder / "missing"),
        "no authority": replace(tls, client_ca_file=text),
        "an empty authority": replace(tls, client_ca_file=empty),
    }


WRONG = (
    "another key",
    "a locked key",
    "no certificate",
    "a missing certificate",
    "a missing key",
    "a missing authority",
    "no authority",
    "an empty authority",
)


@pytest.mark.parametrize("wrong", WRONG)
def test_unusable_files_are_named(tmp_path, authority, tls, wrong):
    given = wrong_files(tmp_path, authority, tls)[wrong]
    with pytest.raises(GatewayError) as caught, serving(tmp_path, tls=given):
        pass
    assert (caught.value.code, caught.value.reason) == (Code.FAILED_PRECONDITION, "TLS_FILE")
    assert "PRIVATE KEY" not in caught.value.message
    assert not list(tmp_path.glob("gateway.sqlite*"))
