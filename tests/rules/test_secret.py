"""Rules of secrets: values, settings, and api_base."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.message import Message

from gateway_entities import rules
from gateway_entities.errors import Code, GatewayError
from gatewayentities.v1.secret_pb2 import CreateGatewaySecretRequest as CreateSecret
from gatewayentities.v1.secret_pb2 import UpdateGatewaySecretRequest as UpdateSecret

ANYTHING = "naïve \u202e 🙂 'quoted' \n"


@pytest.mark.parametrize("request_type", [CreateSecret, UpdateSecret])
def test_secret_values(check: Any, request_type: type[Message]) -> None:
    assert check(request_type, secret_value={"api_key": "v", ANYTHING: " "}) == []
    assert check(request_type, secret_value={"": "v", "k": "", "n": "canary\0"}) == [
        ('secret_value[""]', "must not have an empty key"),
        ('secret_value["k"]', "must not have an empty value"),
        ('secret_value["n"]', "must not contain NUL characters"),
    ]
    reserved = ["api_base", "base_url", "custom_llm_provider", "fallbacks", "model_list"]
    assert check(request_type, secret_value=dict.fromkeys(reserved, "canary")) == [
        (f'secret_value["{key}"]', "is reserved; put the provider's address into auth_config as api_base")
        for key in reserved
    ]
    assert check(request_type, auth_config=dict.fromkeys(reserved, " ")) == [
        (f'auth_config["{key}"]', "is reserved; give the provider's address as api_base") for key in reserved[1:]
    ]


def test_a_long_key_is_cut_in_its_path(check: Any) -> None:
    ((path, _),) = check(CreateSecret, secret_value={"k" * 9999: ""})
    assert path == f'secret_value["{"k" * 57}..."]'


UNLESS = ", unless the server is started with --allow-api-base for its host"
PUBLIC = f"must not name an address that is not public{UNLESS}"
CANONICAL = "must spell an IP address in its canonical form, such as 192.0.2.1 or [2001:db8::1]"
SPELLING = "must not contain spaces, backslashes or control characters"
HOST = "must name a host in letters, digits, hyphens and dots"


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com",
        "HTTPS://API.example.com:8443/v1?x=y",
        "  https://api.example.com/ \n",
        "https://my_host.example.com.",
        "https://xn--bcher-kva.example",
        "https://8.8.8.8/v1",
        "https://[2606:4700::1111]:443/",
        "https://[::ffff:8.8.8.8]/",
        "https://intranet",
        "",
        "   ",
    ],
)
def test_valid_api_base(check: Any, url: str) -> None:
    assert check(CreateSecret, auth_config={"api_base": url}) == check(UpdateSecret, auth_config={"api_base": url}) == []


@pytest.mark.parametrize(
    ("url", "description"),
    [
        ("api.example.com", "must be an https address, such as https://api.example.com/v1"),
        ("http://api.example.com", f"must be an https address, such as https://api.example.com/v1{UNLESS}"),
        ("ftp://api.example.com", "must be an https address, such as https://api.example.com/v1"),
        ("https://[::1", "must be a well-formed https address"),
        ("https://a:99999", "must be a well-formed https address"),
        ("https://user@a.example", "must not contain a user name or password"),
        ("https://user:pw@a.example", "must not contain a user name or password"),
        ("https://@a.example", "must not contain a user name or password"),
        ("https:///v1", "must name a host"),
        ("https://:443/", "must name a host"),
        ("https://a b.example", SPELLING),
        ("https://a.ex\tample", SPELLING),
        ("https://127.0.0.1\\.example.com/", SPELLING),
        ("https://bücher.example", HOST),
        ("https://127。0。0。1", HOST),
        ("https://a..example", HOST),
        ("https://-a.example", HOST),
        ("https://" + "a" * 64 + ".example", HOST),
        ("https://localhost:8000", PUBLIC),
        ("https://api.LOCALHOST.", PUBLIC),
        ("https://127.1", CANONICAL),
        ("https://0177.0.0.1", CANONICAL),
        ("https://2130706433", CANONICAL),
        ("https://0x7f000001", CANONICAL),
        ("https://127.0.0.0x1", CANONICAL),
        ("https://127.0.0.1.", CANONICAL),
        ("https://127.0.0.1", PUBLIC),
        ("https://0.0.0.0", PUBLIC),
        ("https://10.1.2.3", PUBLIC),
        ("https://100.64.0.1", PUBLIC),
        ("https://169.254.169.254", PUBLIC),
        ("https://224.0.0.1", PUBLIC),
        ("https://[::1]", PUBLIC),
        ("https://[fe80::1%25eth0]", PUBLIC),
        ("https://[fd00::1]", PUBLIC),
        ("https://[ff02::1]", PUBLIC),
        ("https://[::127.0.0.1]", PUBLIC),
        ("https://[::ffff:10.0.0.1]", PUBLIC),
        ("https://[2002:7f00:1::]", PUBLIC),
        ("https://[64:ff9b::7f00:1]", PUBLIC),
        ("https://[64:ff9b:1::1]", PUBLIC),
        ("https://[2606:4700::1111%251]", PUBLIC),
    ],
)
def test_invalid_api_base(check: Any, url: str, description: str) -> None:
    assert check(CreateSecret, auth_config={"api_base": url}) == [('auth_config["api_base"]', description)]


ALLOWED = rules.AllowedAddresses(["localhost:11434", "vllm.models.svc", "10.0.0.7", "[fd00::7]:8000", "Example.COM.:443"])


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://localhost:11434/v1", True),
        ("https://LOCALHOST.:11434", True),
        ("http://localhost", False),
        ("http://localhost:11435", False),
        ("http://user@localhost:11434", False),
        ("ftp://localhost:11434", False),
        ("http://other.localhost:11434", False),
        ("http://127.0.0.1:11434", False),
        ("http://vllm.models.svc", True),
        ("http://vllm.models.svc:8000/v1", True),
        ("http://a.vllm.models.svc", False),
        ("http://vllm.models.svc.attacker.example", False),
        ("http://10.0.0.7:9000", True),
        ("http://10.0.0.8", False),
        ("http://[::ffff:10.0.0.7]", False),
        ("http://167772167", False),
        ("http://[fd00:0::7]:8000", True),
        ("http://[fd00::7]", False),
        ("http://example.com:443", True),
        ("http://example.com", False),
        ("https://example.com", True),
        ("https://api.example.com", True),
        ("https://127.0.0.1", False),
    ],
)
def test_the_addresses_that_a_server_allows(url: str, allowed: bool) -> None:
    for request in (
        CreateSecret(secret_name="s", secret_value={"k": "v"}, auth_config={"api_base": url}),
        UpdateSecret(secret_id="s-1", auth_config={"api_base": url}),
    ):
        if allowed:
            rules.validate(request, ALLOWED)
            continue
        with pytest.raises(GatewayError) as caught:
            rules.validate(request, ALLOWED)
        assert [violation.field for violation in caught.value.field_violations] == ['auth_config["api_base"]']


def test_an_allowed_address_hides_no_other_violation() -> None:
    with pytest.raises(GatewayError) as caught:
        rules.validate(CreateSecret(auth_config={"api_base": "http://localhost:11434", "base_url": "x"}), ALLOWED)
    assert [violation.field for violation in caught.value.field_violations] == [
        "secret_name",
        "secret_value",
        'auth_config["base_url"]',
    ]


@pytest.mark.parametrize(
    "entry",
    [
        *("", ":80", "*", "*.svc", "http://localhost", "localhost/", "localhost:", "localhost:0", "localhost:65536"),
        *("localhost:x", "::1", "fd00::7:8000", "[::1", "[localhost]", "127.1", "10.0.0.0/8", "user@localhost", "a b"),
        "bücher.example",
    ],
)
def test_what_cannot_be_allowed(entry: str) -> None:
    with pytest.raises(GatewayError, match="is not a host") as caught:
        rules.AllowedAddresses([entry])
    assert (caught.value.code, caught.value.reason) == (Code.INVALID_ARGUMENT, "BAD_API_BASE")


def test_normalized_auth_config() -> None:
    assert rules.normalized_auth_config({"api_base": " https://a.example ", "x": " "}) == {
        "api_base": "https://a.example",
        "x": " ",
    }
    assert rules.normalized_auth_config({"api_base": " \t", "x": ""}) == {"x": ""}


@pytest.mark.parametrize("request_type", [CreateSecret, UpdateSecret])
def test_no_violation_shows_a_secret_value(check: Any, request_type: type[Message]) -> None:
    values = {"": "canary", "api_base": "canary", "n": "canary\0", "fallbacks": "https://canary.example"}
    settings = {"api_base": "https://canary:canary@a.example"}
    violations = check(request_type, secret_value=values, auth_config=settings)
    assert len(violations) == 5
    assert "canary" not in repr(violations)
