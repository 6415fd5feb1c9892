"""Proxies of the environment, with a small one on loopback: which targets go through one, and how."""

from __future__ import annotations

import base64
import os

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.transports.deadline import Deadline
from gateway_entities.transports.http1.pool import AsyncConnectionPool, ConnectionPool, HttpRequest
from gateway_entities.transports.http1.proxy import Proxy, proxy_for
from gateway_entities.transports.target import Target
from tests.certificates import Authority
from tests.transports.conftest import Blocking, blocking
from tests.transports.proxy_server import proxy_server
from tests.transports.raw_server import raw_server, read_request

NAME = "gateway.test"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    """Forget the variables of the machine."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def context(authority, monkeypatch):
    """The TLS context of a server with the name."""
    import ssl

    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*authority.sign("gateway", "gateway", NAME))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.cert))
    return made


@pytest.fixture(params=["sync", "async"])
def connect(request):
    """Opens pools to the name, at the port of a server."""
    opened = []

    def start(url):
        target = Target.parse(url.replace("127.0.0.1", NAME))
        opened.append(blocking(request.param, lambda: ConnectionPool(target), lambda: AsyncConnectionPool(target)))
        return opened[-1].__enter__()

    yield start
    for each in opened:
        each.__exit__(None, None, None)


def get(pool, timeout=10.0):
    response = pool.request(
        HttpRequest("POST", "/a?b=c", [("host", NAME), ("authorization", "t0ken")], b"body"), Deadline(timeout)
    )
    return response.status, response.body


def error_of(pool):
    with pytest.raises(GatewayError) as caught:
        get(pool)
    return caught.value


def recording(requests):
    def talk(sock):
        while received := read_request(sock):
            requests.append(received)
            sock.sendall(OK)

    return talk


@pytest.mark.parametrize("credentials", [None, "user:p@ss:w/rd"])
def test_https_goes_through_a_tunnel(connect, context, monkeypatch, credentials):
    requests = []
    with raw_server(recording(requests), context=context) as target, proxy_server(credentials) as (proxy, url):
        login = "user:p%40ss:w%2Frd@" if credentials else ""
        monkeypatch.setenv("HTTPS_PROXY", url.replace("://", f"://{login}"))
        pool = connect(target)
        assert [get(pool) for _ in range(3)] == [(200, b"ok")] * 3
    [head] = proxy.heads
    port = Target.parse(target).port
    assert head.startswith(b"CONNECT %s:%d HTTP/1.1\r\nhost: %s:%d" % (NAME.encode(), port, NAME.encode(), port))
    assert len(requests) == 3
    assert not any(b"proxy-" in request for request in requests)
    assert b"t0ken" not in head


@pytest.mark.parametrize("credentials", [None, "user:secret"])
def test_http_requests_go_to_the_proxy_in_absolute_form(connect, monkeypatch, credentials):
    requests = []
    with raw_server(recording(requests)) as target, proxy_server(credentials) as (proxy, url):
        monkeypatch.setenv("http_proxy", url.replace("://", f"://{credentials}@") if credentials else url)
        pool = connect(target)
        assert [get(pool) for _ in range(3)] == [(200, b"ok")] * 3
    port = Target.parse(target).port
    assert all(
        head.startswith(b"POST http://%s:%d/a?b=c HTTP/1.1\r\nhost: " % (NAME.encode(), port)) for head in proxy.heads
    )
    assert all(request.startswith(b"POST /a?b=c HTTP/1.1\r\n") and request.endswith(b"body") for request in requests)
    assert len(proxy.heads) == len(requests) == 3


@pytest.mark.parametrize("secured", [True, False])
def test_a_proxy_that_wants_other_credentials_is_named_without_them(connect, context, monkeypatch, secured):
    requests = []
    with (
        raw_server(recording(requests), context=context if secured else None) as target,
        proxy_server("user:right") as (_, url),
    ):
        monkeypatch.setenv("HTTPS_PROXY" if secured else "HTTP_PROXY", url.replace("://", "://user:wr0ng@"))
        pool = connect(target)
        error = error_of(pool)
        assert (error.code, error.reason) == (Code.FAILED_PRECONDITION, "PROXY_REFUSED")
        assert url.removeprefix("http://") in error.message
        route = (pool.wrapped if isinstance(pool, Blocking) else pool)._route
        for text in (str(error), repr(error), str(route), repr(route.proxy), str(route.proxy)):
            assert "wr0ng" not in text
            assert "Basic" not in text
    assert not requests


def test_a_server_that_the_proxy_cannot_reach_is_unavailable(connect, monkeypatch, free_port):
    with proxy_server() as (_, url):
        monkeypatch.setenv("HTTPS_PROXY", url)
        error = error_of(connect(f"https://{NAME}:{free_port}"))
    assert error.code is Code.UNAVAILABLE
    assert "502" in error.message
    assert f"https://{NAME}:{free_port} through the proxy" in error.message


def test_a_proxy_that_cannot_be_reached_is_named(connect, monkeypatch, free_port):
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:secret@127.0.0.1:{free_port}")
    error = error_of(connect(f"https://{NAME}"))
    assert error.code is Code.UNAVAILABLE
    assert f"127.0.0.1:{free_port}" in error.message
    assert "secret" not in error.message


@pytest.mark.parametrize(
    "response",
    [
        b"",
        b"HTTP/1.1 200",
        b"SSH-2.0-server\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nearly",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 20_000,
    ],
)
def test_a_proxy_that_does_not_speak_http_is_unavailable(connect, monkeypatch, response):
    def talk(sock):
        read_request(sock)
        sock.sendall(response)

    with raw_server(talk) as url:
        monkeypatch.setenv("HTTPS_PROXY", url)
        assert error_of(connect(f"https://{NAME}")).code is Code.UNAVAILABLE


def test_the_deadline_holds_while_a_proxy_opens_a_tunnel(connect, monkeypatch):
    def talk(sock):
        while sock.recv(65536):
            pass

    with raw_server(talk) as url:
        monkeypatch.setenv("HTTPS_PROXY", url)
        pool = connect(f"https://{NAME}")
        with pytest.raises(GatewayError) as caught:
            get(pool, timeout=0.2)
        assert caught.value.code is Code.DEADLINE_EXCEEDED


PROXY = "http://proxy.test:3128"


def chosen(target, **environment):
    found = proxy_for(Target.parse(target), environment)
    return found and str(found)


@pytest.mark.parametrize(
    ("target", "environment", "proxy"),
    [
        ("https://gw.example", {}, None),
        ("https://gw.example", {"HTTPS_PROXY": PROXY}, "proxy.test:3128"),
        ("https://gw.example", {"https_proxy": PROXY, "HTTPS_PROXY": "http://other:1"}, "proxy.test:3128"),
        ("https://gw.example", {"https_proxy": "", "HTTPS_PROXY": PROXY}, None),
        ("https://gw.example", {"HTTP_PROXY": PROXY}, None),
        ("http://gw.example", {"HTTPS_PROXY": PROXY}, None),
        ("http://gw.example", {"HTTP_PROXY": PROXY}, "proxy.test:3128"),
        ("mlflow+http://gw.example", {"HTTP_PROXY": PROXY}, "proxy.test:3128"),
        ("mlflow+https://gw.example", {"HTTPS_PROXY": PROXY}, "proxy.test:3128"),
        ("https://gw.example", {"ALL_PROXY": PROXY}, "proxy.test:3128"),
        ("https://gw.example", {"HTTPS_PROXY": "http://a:1", "ALL_PROXY": PROXY}, "a:1"),
        # A caller of a CGI program sets it.
        ("http://gw.example", {"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, None),
        ("http://gw.example", {"http_proxy": PROXY, "REQUEST_METHOD": "GET"}, "proxy.test:3128"),
        ("https://gw.example", {"HTTPS_PROXY": "proxy.test"}, "proxy.test:80"),
        ("https://gw.example", {"HTTPS_PROXY": "http://[::1]:3128/"}, "[::1]:3128"),
        # What is meant for this machine stays on it.
        ("http://localhost:8080", {"HTTP_PROXY": PROXY}, None),
        ("http://127.0.0.5:8080", {"HTTP_PROXY": PROXY}, None),
        ("https://[::1]:8080", {"HTTPS_PROXY": PROXY}, None),
        ("https://[::ffff:127.0.0.1]:8080", {"HTTPS_PROXY": PROXY}, None),
        ("https://localhost.", {"HTTPS_PROXY": PROXY}, None),
        ("https://gw.example", {"HTTPS_PROXY": "HTTP://proxy.test:3128"}, "proxy.test:3128"),
        ("unix:///run/gw.sock", {"HTTP_PROXY": PROXY, "ALL_PROXY": PROXY}, None),
    ],
)
def test_the_proxy_of_a_target(target, environment, proxy):
    assert chosen(target, **environment) == proxy


@pytest.mark.parametrize(
    ("exceptions", "direct"),
    [
        ("*", True),
        ("", False),
        ("gw.example", True),
        ("GW.Example", True),
        ("other.example, gw.example", True),
        ("other.example gw.example", True),
        ("example", True),
        (".example", True),
        ("*.example", True),
        ("w.example", False),
        ("gw.example.com", False),
        ("gw.example:8443", True),
        ("gw.example:443", False),
        ("10.0.0.0/8", False),
    ],
)
@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
def test_exceptions_by_name(exceptions, direct, name):
    found = chosen("https://gw.example:8443", HTTPS_PROXY=PROXY, **{name: exceptions})
    assert (found is None) is direct


@pytest.mark.parametrize(
    ("target", "exceptions", "direct"),
    [
        ("https://10.1.2.3", "10.0.0.0/8", True),
        ("https://11.1.2.3", "10.0.0.0/8", False),
        ("https://10.1.2.3", "10.1.2.3", True),
        ("https://10.1.2.3", "2.3", False),
        ("https://10.1.2.3", "::ffff:10.1.2.3", True),
        ("https://[::ffff:10.1.2.3]", "10.0.0.0/8", True),
        ("https://10.1.2.3:8443", "10.1.2.3:8443", True),
        ("https://10.1.2.3:8443", "10.1.2.3:443", False),
        ("https://[2001:db8::5]", "2001:db8::/32", True),
        ("https://[2001:db8::5]", "2001:0db8::5", True),
        ("https://[2001:db8::5]:1", "[2001:db8::5]:1", True),
        ("https://[2001:db8::5]:1", "[2001:db8::5]:2", False),
        ("https://10.1.2.3", "10.0.0.0/99,x/8", False),
    ],
)
def test_exceptions_by_address(target, exceptions, direct):
    assert (chosen(target, HTTPS_PROXY=PROXY, NO_PROXY=exceptions) is None) is direct


@pytest.mark.parametrize(
    "value",
    ["socks5://user:secret@p:1080", "https://user:secret@p:443", "http://user:secret@p:0", "http://user:secret@", "x y"],
)
def test_a_proxy_that_cannot_be_used_is_an_error_without_its_value(value):
    with pytest.raises(GatewayError) as caught:
        chosen("https://gw.example", ALL_PROXY=value)
    assert (caught.value.code, caught.value.reason) == (Code.FAILED_PRECONDITION, "BAD_PROXY")
    assert "ALL_PROXY" in caught.value.message
    assert "secret" not in caught.value.message


def test_credentials_keep_bytes_that_are_not_text():
    proxy = proxy_for(Target.parse("https://gw.example"), {"HTTPS_PROXY": "http://u:\udcff%FC@p:1"})
    assert proxy is not None
    assert proxy.authorization is not None
    assert base64.b64decode(proxy.authorization.removeprefix("Basic ")) == b"u:\xff\xfc"


def test_a_proxy_prints_without_credentials():
    proxy = Proxy("p", 1, "Basic c2VjcmV0")
    assert (str(proxy), repr(proxy)) == ("p:1", "<Proxy p:1>")
