"""Without ca_file, every scheme trusts the certificate authorities of the system."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gateway_entities.client import AsyncGatewayClient, GatewayClient
from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.tls import Tls
from tests.certificates import Authority
from tests.stores import serving, sqlite_place
from tests.transports.conftest import blocking

SCHEMES = ["grpcs", "https"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def targets(authority: Authority, tmp_path_factory: pytest.TempPathFactory):
    pair = authority.sign("server", "gateway", "localhost", "127.0.0.1")
    place = sqlite_place(tmp_path_factory.mktemp("store") / "gateway.sqlite", with_tables=True)
    with serving(place, tls=Tls(pair.cert, pair.key)) as server:
        yield {"grpcs": server.grpc_target, "https": server.http_target}


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A system without authorities: an empty bundle and an empty folder."""
    (tmp_path / "bundle.pem").touch()
    (tmp_path / "certs").mkdir()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "bundle.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "certs"))
    return tmp_path


def list_secrets(mode: str, target: str) -> list[object]:
    with blocking(mode, lambda: GatewayClient(target, timeout=10), lambda: AsyncGatewayClient(target, timeout=10)) as client:
        return client.list_secrets()


@pytest.mark.parametrize("mode", ["sync", "async"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_authority_in_the_systems_bundle_is_trusted(system, authority, targets, scheme, mode):
    stranger = Authority(system / "stranger", "stranger")
    (system / "bundle.pem").write_bytes(stranger.cert.read_bytes() + authority.cert.read_bytes())
    assert list_secrets(mode, targets[scheme]) == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_authority_that_is_not_in_the_systems_bundle_is_not_trusted(system, targets, scheme):
    (system / "bundle.pem").write_bytes(Authority(system / "stranger", "stranger").cert.read_bytes())
    with pytest.raises(GatewayError) as caught:
        list_secrets("sync", targets[scheme])
    assert (caught.value.code, caught.value.reason) == (Code.UNAVAILABLE, "UNTRUSTED_CERTIFICATE")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_authority_in_one_of_the_systems_folders_is_trusted(system, authority, targets, scheme, tool, monkeypatch):

    openssl = tool("openssl", "apt install openssl")
    command = [openssl, "x509", "-noout", "-subject_hash", "-in", authority.cert]
    digest = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    (system / "more").mkdir()
    (system / "more" / f"{digest}.0").write_bytes(authority.cert.read_bytes())
    monkeypatch.setenv("SSL_CERT_DIR", os.pathsep.join([str(system / "certs"), str(system / "more")]))
    assert list_secrets("sync", targets[scheme]) == []


def test_a_file_that_openssl_does_not_look_up_is_not_trusted(system, authority, targets):
    (system / "certs" / "authority.pem").write_bytes(authority.cert.read_bytes())
    with pytest.raises(GatewayError) as caught:
        list_secrets("sync", targets["grpcs"])
    assert caught.value.reason == "NO_AUTHORITIES"


@pytest.mark.usefixtures("system")
def test_a_system_without_authorities_is_a_clear_error():
    with pytest.raises(GatewayError, match="SSL_CERT_FILE") as caught:
        GatewayClient("grpcs://gateway.example:443")
    assert (caught.value.code, caught.value.reason) == (Code.FAILED_PRECONDITION, "NO_AUTHORITIES")


@pytest.mark.usefixtures("system")
def test_the_systems_authorities_are_not_needed_with_ca_file(authority, targets):
    with GatewayClient(targets["grpcs"], timeout=10, ca_file=authority.cert) as client:
        assert client.list_secrets() == []
