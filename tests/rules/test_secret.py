"""Rules of secrets: values, settings, and api_base."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.message import Message

from gateway_entities import rules
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


PUBLIC = "must not name an address that is not public"
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
        ("http://api.example.com", "must be an https address, such as https://api.example.com/v1"),
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
