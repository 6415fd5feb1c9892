"""Valid targets, and the errors of invalid ones."""

from __future__ import annotations

import subprocess
import sys

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.transports import open_async_transport, open_transport
from gateway_entities.transports.target import TARGET_FORMS, Target


@pytest.mark.parametrize(
    ("target", "parsed"),
    [
        ("grpc://localhost:50051", ("grpc", "localhost", 50051)),
        ("grpcs://gateway.example.com:443/", ("grpcs", "gateway.example.com", 443)),
        ("http://127.0.0.1:8080", ("http", "127.0.0.1", 8080)),
        ("http://gateway", ("http", "gateway", 80)),
        ("https://gateway.example.com.", ("https", "gateway.example.com.", 443)),
        ("http://[::1]:8080", ("http", "::1", 8080)),
        ("http://127.0.0.1:8080/", ("http", "127.0.0.1", 8080)),
        ("https://gw.example/llm", ("https", "gw.example", 443, "/llm")),
        ("mlflow+http://127.0.0.1:5000/mlflow/", ("mlflow+http", "127.0.0.1", 5000, "/mlflow")),
        ("https://gw.example/a/b-c_d.e~f/%7Eg", ("https", "gw.example", 443, "/a/b-c_d.e~f/%7Eg")),
        ("unix:///run/gw.sock", ("unix", "localhost", 0, "", "/run/gw.sock")),
        ("grpc+unix:///run/a b/100%.sock", ("grpc+unix", "localhost", 0, "", "/run/a b/100%.sock")),
        (f"unix:///{'a' * 106}", ("unix", "localhost", 0, "", f"/{'a' * 106}")),
    ],
)
def test_valid_targets(target, parsed):
    assert Target.parse(target) == Target(*parsed)


def test_a_target_prints_as_it_was_written():
    for text in (
        "grpc://[::1]:50051",
        "https://gateway.example.com:443",
        "mlflow+https://gateway.example.com:443/mlflow",
        "unix:///run/gw.sock",
        "grpc+unix:///run/gw.sock",
    ):
        assert str(Target.parse(text)) == text


@pytest.mark.parametrize(
    "target",
    [
        "",
        "localhost:50051",
        "grpc://localhost",
        "grpc://:50051",
        "grpc://localhost:0",
        "grpc://localhost:65536",
        "grpc://local host:1",
        "GRPC://localhost:1",
        "http://",
        "grpc://localhost:8080/path",
        "http://h/%2e%2E",
        "http://h/a/%2E",
        "http://h/a%2fb",
        "http://h/%00",
        "http://[:::]:1",
        "unix:///tmp/",
        "http://localhost:8080/a//b",
        "http://localhost:8080/a/../b",
        "http://localhost:8080/.",
        "http://localhost:8080/a b",
        "http://localhost:8080/a%2",
        "http://localhost:8080/a\u00fc",
        "http://localhost:8080/a?b",
        "http://localhost:8080/a#b",
        "http://localhost:8080/a\r\nx: y",
        "http://user:80/hunter2@localhost:8080",
        "unix://run/gw.sock",
        "unix:/run/gw.sock",
        "unix:///run/gw,1.sock",
        "unix:///run/gw\n.sock",
        "unix:///run/gw\0.sock",
        f"unix:///{'a' * 107}",
        "https+unix:///run/gw.sock",
        "http://localhost:8080?q",
        "http://user:hunter2@localhost:8080",
        "http://b\u00fccher.example",
        f"http://{'a' * 64}.example",
        "http://a..b",
        "ftp://localhost:21",
        "http://localhost:8080\n",
        None,
        5,
        b"http://localhost",
    ],
)
@pytest.mark.parametrize("opens", [open_transport, open_async_transport])
def test_the_error_of_an_invalid_target_names_the_valid_forms(target, opens):
    with pytest.raises(GatewayError) as caught:
        opens(target)
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert TARGET_FORMS in caught.value.message
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize(
    ("target", "loaded", "absent"), [("grpc://h:1", "grpc", "httptools"), ("http://h:1", "httptools", "grpc")]
)
def test_only_the_library_that_a_target_needs_is_imported(target, loaded, absent):
    code = f"""
import sys
from gateway_entities.transports import open_transport
assert not {{"grpc", "httptools", "anyio", "asyncio"}} & set(sys.modules)
open_transport({target!r}).close()
assert {loaded!r} in sys.modules and {absent!r} not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
