"""What a client shows of who it is, and to whom."""

from __future__ import annotations

import pickle

import pytest

from gateway_entities.client import AsyncGatewayClient, GatewayClient
from gateway_entities.errors import Code, GatewayError

TOKEN = "gwe_0123456789abcdef_Canary0000000000000000000000000000000000000"
KINDS = [GatewayClient, AsyncGatewayClient]


def refused(kind, *arguments, **options) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        kind(*arguments, **options)
    told = repr(caught.value) + str(caught.value) + repr(pickle.dumps(caught.value))
    assert "Canary" not in told
    return caught.value


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "target",
    ["grpc://gateway.example:1", "http://gateway.example", "mlflow+http://10.0.0.1", "grpc://192.0.2.1:1", "http://[2001:db8::1]",
     "http://localhost.example", "http://127.0.0.1.example:1", "grpc://[::ffff:192.0.2.1]:1"],
)  # fmt: skip
def test_a_token_crosses_no_network_in_clear(kind, target):
    error = refused(kind, target, token=TOKEN)
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "INSECURE_TOKEN")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "target",
    ["grpc://localhost:1", "http://127.0.0.1:1", "http://[::1]:1", "grpc://127.9.9.9:1", "grpcs://gateway.example:1",
     "https://gateway.example", "mlflow+https://gateway.example", "mlflow+http://LOCALHOST:5000"],
)  # fmt: skip
def test_a_token_goes_to_this_machine_and_over_tls(kind, target):
    client = kind(target, token=TOKEN)
    assert "Canary" not in repr(client)
    assert "Canary" not in str(vars(client).get("_transport"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("token", ["", "Canary with spaces", "Canary\r\nx: y", "Canaryé", 7, b"Canary", "=Canary"])
def test_a_text_that_is_no_token(kind, token):
    assert (refused(kind, "https://gateway.example", token=token).reason) == "BAD_TOKEN"


@pytest.mark.parametrize("kind", KINDS)
def test_one_token_is_enough(kind):
    error = refused(kind, "https://gateway.example", token=TOKEN, metadata={"authorization": "Bearer Canary"})
    assert error.code is Code.INVALID_ARGUMENT


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", ["grpc", "http", "mlflow+http"])
def test_certificates_are_for_tls(kind, scheme, tmp_path):
    error = refused(kind, f"{scheme}://localhost:1", ca_file=tmp_path / "ca.pem")
    assert error.code is Code.INVALID_ARGUMENT
    assert f"{scheme}s://" in error.message


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", ["grpcs", "https", "mlflow+https"])
@pytest.mark.parametrize("option", ["ca_file", "cert_file"])
@pytest.mark.parametrize("content", [None, b"", b"no certificate", b"\xff"])
def test_an_unusable_file_is_named(kind, scheme, option, content, tmp_path):
    path = tmp_path / "file.pem"
    if content is not None:
        path.write_bytes(content)
    error = refused(kind, f"{scheme}://localhost:1", **{option: path})
    assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "TLS_FILE")
    assert str(path) in error.message


@pytest.mark.parametrize("option", ["ca_file", "cert_file"])
def test_a_file_without_an_end_is_refused(option):
    error = refused(GatewayClient, "https://localhost:1", **{option: "/dev/zero"})
    assert error.reason == "TLS_FILE"
    assert "/dev/zero has more than 16777216 bytes" in error.message


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_comes_with_its_certificate(kind, tmp_path):
    assert refused(kind, "https://localhost:1", key_file=tmp_path / "key.pem").code is Code.INVALID_ARGUMENT


@pytest.mark.parametrize("kind", KINDS)
class TestTokenOfTheEnvironment:
    @pytest.fixture(autouse=True)
    def variable(self, monkeypatch):
        monkeypatch.setenv("GATEWAY_ENTITIES_TOKEN", f"\ufeff{TOKEN}")

    def test_it_is_sent_where_none_is_given(self, kind):
        assert sent(kind("https://gateway.example")) == f"Bearer {TOKEN}"
        assert sent(kind("https://gateway.example", token="given")) == "Bearer given"
        assert sent(kind("https://gateway.example", metadata={"authorization": "Basic x"})) == "Basic x"

    def test_an_empty_one_is_none(self, kind, monkeypatch):
        monkeypatch.setenv("GATEWAY_ENTITIES_TOKEN", "")
        assert sent(kind("https://gateway.example")) is None

    @pytest.mark.parametrize("target", ["mlflow+https://mlflow.example", "mlflow+http://mlflow.example"])
    def test_it_is_not_for_servers_of_mlflow(self, kind, target):
        assert sent(kind(target)) is None

    def test_it_crosses_no_network_in_clear(self, kind):
        error = refused(kind, "http://gateway.example")
        assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "INSECURE_TOKEN")
        assert "GATEWAY_ENTITIES_TOKEN" in error.message

    def test_a_text_that_is_no_token(self, kind, monkeypatch):
        monkeypatch.setenv("GATEWAY_ENTITIES_TOKEN", "Canary with spaces")
        error = refused(kind, "https://gateway.example")
        assert error.reason == "BAD_TOKEN"
        assert "GATEWAY_ENTITIES_TOKEN" in error.message


def sent(client):
    return client._metadata.get("authorization")
