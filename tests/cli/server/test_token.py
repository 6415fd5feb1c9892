from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway_entities.cli.app import cli
from gateway_entities.server.store.admin.token_manager import open_tokens
from gateway_entities.testing import gateway

TEXT = re.compile("gwe_[0-9a-f]{16}_[0-9A-Za-z]{43}")


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    def run(*arguments: str, code: int = 0) -> Result:
        result = CliRunner(env={"GATEWAY_ENTITIES_STORE": f"sqlite:///{tmp_path}/g.sqlite"}).invoke(
            cli, ["token", *arguments]
        )
        assert result.exit_code == code, result.output
        return result

    return run


def test_a_token_is_printed_to_standard_output_only_and_stored_as_a_digest(run, tmp_path):
    result = run("create", "alice", "--scope", "admin", "--expires", "90d")
    token = result.stdout.removesuffix("\n")
    assert TEXT.fullmatch(token)
    assert token not in result.stderr
    assert "alice, scope admin, valid until 20" in result.stderr
    secret = token.rpartition("_")[2]
    for path in tmp_path.iterdir():
        assert secret.encode() not in path.read_bytes()
    assert secret not in run("list").output
    assert not (tmp_path / "g.sqlite.key").exists()


def test_json(run):
    made = json.loads(run("create", "alice", "--scope", "read", "--yes", "--format", "json").stdout)
    assert TEXT.fullmatch(made.pop("token"))
    assert made["endpoints"] is None
    assert (made["name"], made["scope"], made["expires_at"], made["revoked_at"]) == ("alice", "read", None, None)
    assert json.loads(run("list", "--format", "json").stdout) == [made]
    revoked = json.loads(run("revoke", "alice", "--format", "json").stdout)
    assert revoked == {**made, "revoked_at": revoked["revoked_at"]}
    assert revoked["revoked_at"] >= made["created_at"]


def test_a_name_has_one_token_until_that_is_revoked(run):
    run("create", "alice", "--scope", "read", "--yes")
    assert "ALREADY_EXISTS" in run("create", "alice", "--scope", "admin", code=2).stderr
    run("revoke", "alice")
    assert "NOT_FOUND" in run("revoke", "alice", code=2).stderr
    run("create", "alice", "--scope", "write")
    lines = run("list").stdout.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [["alice", "read"], ["alice", "write"]]
    assert "revoked" in lines[1]
    assert lines[2].split()[-2] == "valid"


@pytest.mark.parametrize("duration", ["", "90", "d", "1y", "-1d", "1.5d", "0s", "9999999w"])
def test_an_invalid_duration(run, duration):
    assert run("create", "alice", "--scope", "read", "--expires", duration, code=2).stdout == ""


def test_the_first_token_is_an_admin_s_or_confirmed(run):
    for scope in (("--gateway",), ("--scope", "write", "--scope", "spend")):
        refused = run("create", "gw", *scope, code=2)
        assert "This would be the store's first token" in refused.stderr
        assert "--scope admin" in refused.stderr
        assert "--yes" in refused.stderr
        assert refused.stdout == ""
    assert run("list").stdout == "(none)\n"
    run("create", "boss", "--scope", "admin")
    run("create", "gw", "--gateway")
    run("revoke", "boss")
    run("revoke", "gw")
    # It has had a token, so nothing is open that this one would close.
    run("create", "reader", "--scope", "read")


def test_a_token_has_a_set_of_scopes_and_a_list_of_endpoints(run):
    run("create", "boss", "--scope", "admin")
    result = run("create", "gw", "--gateway", "--endpoint", "mail", "--endpoint", "chat", "--endpoint", "chat")
    assert "gw, scope read, resolve, spend, node, endpoints " in result.stderr
    run("create", "both", "--scope", "read", "--scope", "write", "--scope", "resolve")
    found = json.loads(run("list", "--format", "json").stdout)
    assert {each["name"]: (each["scope"], each["endpoints"]) for each in found} == {
        "boss": ("admin", None),
        "gw": ("read resolve spend node", ["chat", "mail"]),
        "both": ("write resolve", None),
    }
    rows = {line.split()[0]: line.split()[1:3] for line in run("list").stdout.splitlines()[1:]}
    assert rows == {"boss": ["admin", "-"], "gw": ["read,resolve,spend,node", "chat,mail"], "both": ["write,resolve", "-"]}


def test_a_token_needs_a_scope_and_valid_endpoints(run):
    assert "Give --scope or --gateway" in run("create", "x", code=2).stderr
    run("create", "x", "--scope", "root", code=2)
    for name in ("", "x" * 256):
        refused = run("create", "x", "--scope", "admin", "--endpoint", name, code=2).stderr
        assert "limited to 1 to 1000 endpoints" in refused


def test_a_limit_that_can_never_matter_is_refused(run):
    run("create", "boss", "--scope", "admin")
    for scopes in (("read",), ("node",), ("read", "node"), ("admin",)):
        options = [part for each in scopes for part in ("--scope", each)]
        refused = run("create", "x", *options, "--endpoint", "chat", code=2).stderr
        assert f"scope {', '.join(scopes)} cannot be limited to endpoints" in refused
        assert "resolve and spend" in refused
    assert "Warning" not in run("create", "gw", "--gateway", "--endpoint", "chat").stderr
    for scope in ("resolve", "spend"):
        run("create", scope, "--scope", scope, "--endpoint", "chat")
    # Who can change endpoints can attach any secret to one of these.
    for scope in ("write", "admin"):
        warned = run("create", f"{scope}-gw", "--scope", scope, "--scope", "resolve", "--endpoint", "chat")
        assert "Warning: --endpoint does not limit write" in warned.stderr
        assert "Warning" not in warned.stdout


def test_a_token_has_a_list_of_owners(run):
    run("create", "boss", "--scope", "admin")
    result = run("create", "ci", "--scope", "write", "--owner", "search", "--owner", "mail")
    assert "ci, scope write, owners search, mail, valid until" in result.stderr
    found = json.loads(run("list", "--format", "json").stdout)
    assert {each["name"]: each["owners"] for each in found} == {"boss": None, "ci": ["mail", "search"]}
    rows = {line.split()[0]: line.split()[1:4] for line in run("list").stdout.splitlines()[1:]}
    assert rows == {"boss": ["admin", "-", "-"], "ci": ["write", "-", "mail,search"]}
    refused = run("create", "x", "--gateway", "--owner", "search", code=2).stderr
    assert "cannot be limited to owners" in refused


def test_a_name_that_is_used_again_is_noted(run):
    assert "Note" not in run("create", "alice", "--scope", "admin").stderr
    revoked = json.loads(run("revoke", "alice", "--format", "json").stdout)
    again = run("create", "alice", "--scope", "admin")
    assert "Note: alice had a token before, revoked 20" in again.stderr
    assert "do not tell the two apart" in again.stderr
    assert TEXT.fullmatch(again.stdout.removesuffix("\n"))
    assert revoked["id"] not in again.stdout
    assert "Note" not in run("create", "bob", "--scope", "admin").stderr


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 256])
def test_an_invalid_name(run, name):
    assert "printable" in run("create", name, "--scope", "read", code=2).stderr


@pytest.mark.parametrize("arguments", [("list",), ("revoke", "alice")])
def test_a_missing_store_is_not_created(run, tmp_path, arguments):
    assert "does not exist" in run(*arguments, code=2).stderr
    assert list(tmp_path.iterdir()) == []


def test_commands_send_the_token_of_a_file_or_of_the_environment(tmp_path):
    with gateway() as running:
        with open_tokens(f"sqlite:///{running.store_path}") as manager:
            from gateway_entities.server.store.repositories.token import AccessScope

            token = manager.create("alice", AccessScope.READ).text
        file = tmp_path / "token"
        file.write_text(token + "\n")
        file.chmod(0o600)

        def call(*arguments: str, **environment: str) -> Result:
            given = {"GATEWAY_ENTITIES_TARGET": running.grpc_target, **environment}
            result = CliRunner(env=given).invoke(cli, ["secret", "list", *arguments])
            assert token not in result.output
            return result

        missing = call().stderr
        assert "UNAUTHENTICATED" in missing
        assert "give it with --token-file FILE, or in the environment variable GATEWAY_ENTITIES_TOKEN" in missing
        assert call(GATEWAY_ENTITIES_TOKEN=token).exit_code == 0
        assert call("--token-file", str(file)).exit_code == 0
        assert call(GATEWAY_ENTITIES_TOKEN_FILE=str(file)).exit_code == 0
        other = f"gwe_{'0' * 16}_{'a' * 43}"
        assert "that of the environment variable GATEWAY_ENTITIES_TOKEN" in call(GATEWAY_ENTITIES_TOKEN=other).stderr
        wrong = tmp_path / "wrong"
        wrong.write_text(other)
        wrong.chmod(0o600)
        assert f"that of --token-file {wrong}" in call("--token-file", str(wrong), GATEWAY_ENTITIES_TOKEN=token).stderr
        insecure = call("--target", "http://192.0.2.1:1", GATEWAY_ENTITIES_TOKEN=token)
        assert (insecure.exit_code, "without TLS" in insecure.stderr) == (1, True)
        assert call("--token-file", str(tmp_path / "missing")).exit_code == 2
        # A byte order mark, as some editors write it, is no part of a token.
        assert call(GATEWAY_ENTITIES_TOKEN=f"\ufeff{token}").exit_code == 0
        file.write_text(f"\ufeff{token}\n", encoding="utf-8")
        assert call("--token-file", str(file)).exit_code == 0
        file.write_text(f"{token}\n", encoding="utf-16")
        refused = call("--token-file", str(file))
        assert (refused.exit_code, "is UTF-16 or binary" in refused.stderr) == (2, True)
        file.chmod(0o644)
        assert "chmod 600" in call("--token-file", str(file)).stderr


@pytest.mark.parametrize(
    "options",
    [("--tls-cert", "x"), ("--tls-key", "x"), ("--tls-client-ca", "x")],
)
def test_a_certificate_needs_its_key(options):
    result = CliRunner().invoke(cli, ["serve", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", *options])
    assert result.exit_code == 2
    assert "--tls-key" in result.stderr


def test_prune_deletes_ended_tokens(run):
    for name in ("alice", "bob"):
        run("create", name, "--scope", "read", "--yes")
    run("revoke", "alice")
    assert run("prune").stdout == "0 tokens deleted.\n"
    assert json.loads(run("prune", "--older-than", "0s", "--format", "json").stdout) == {"deleted": 1}
    assert "alice" not in run("list").stdout
    assert run("prune", "--older-than", "soon", code=2).stdout == ""
