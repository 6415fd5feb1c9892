from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from gateway_entities.server.store import open_store
from gateway_entities.testing import Gateway

MASKED = "sk-...4b7c"

Run = Callable[..., Result]
RunJson = Callable[..., Any]


def stored_value(running: Gateway, secret_id: str) -> dict[str, str] | None:
    store = open_store(f"sqlite:///{running.store_path}")
    try:
        with store.read() as transaction:
            return transaction.secrets.reveal(secret_id)
    finally:
        store.close()


def test_create_reads_the_value_from_standard_input_and_shows_it_masked(
    run_json: RunJson, running: Gateway, name: str, canary: str
) -> None:
    created = run_json(
        *("secret", "create", name, "--provider", "openai", "--value-file", "api_key=-"),
        *("--auth-config", "region", "eu-west-1", "--created-by", "ann"),
        stdin=canary + "\n",
    )
    assert created["secret_name"] == name
    assert created["provider"] == "openai"
    assert created["masked_values"] == {"api_key": MASKED}
    assert created["auth_config"] == {"region": "eu-west-1"}
    assert created["created_by"] == "ann"
    assert stored_value(running, created["secret_id"]) == {"api_key": canary}


def test_create_reads_each_key_from_its_file(
    run_json: RunJson, running: Gateway, name: str, canary: str, tmp_path: Path
) -> None:
    (tmp_path / "id=1").write_bytes(b"two\nlines stay\r\n")
    (tmp_path / "key").write_bytes(canary.encode())
    created = run_json(
        "secret",
        "create",
        name,
        "--value-file",
        f"access_id={tmp_path / 'id=1'}",
        "--value-file",
        f"api_key={tmp_path / 'key'}",
    )
    assert stored_value(running, created["secret_id"]) == {"access_id": "two\nlines stay", "api_key": canary}


MARKS = ["\ufeff", "\ufeff\ufeff"]
"""What Windows' editors and shells put before text."""


@pytest.mark.parametrize("mark", MARKS)
def test_a_byte_order_mark_is_no_part_of_a_value(
    run_json: RunJson, running: Gateway, name: str, canary: str, tmp_path: Path, mark: str
) -> None:
    file = tmp_path / "value"
    file.write_text(f"{mark}{canary}\r\n", encoding="utf-8", newline="")
    for number, (options, stdin) in enumerate(
        [
            (["--value-file", "api_key=-"], f"{mark}{canary}\n"),
            (["--value-file", f"api_key={file}"], ""),
            (["--values-file", "-"], mark + json.dumps({"api_key": canary})),
        ]
    ):
        created = run_json("secret", "create", f"{name}-{number}", *options, stdin=stdin)
        assert stored_value(running, created["secret_id"]) == {"api_key": canary}


@pytest.mark.parametrize(
    ("content", "stored"),
    [(" a ", " a "), ("a\n\n", "a\n"), ("a\r\n", "a"), ("\n a\t\n", "\n a\t"), ("a\r\n\r\n", "a\r\n"), ("a", "a")],
)
@pytest.mark.parametrize("source", ["file", "stdin"])
def test_only_one_line_end_is_removed_from_a_value(
    run_json: RunJson, running: Gateway, name: str, tmp_path: Path, source: str, content: str, stored: str
) -> None:
    (tmp_path / "key").write_bytes(content.encode())
    path, stdin = ("-", content) if source == "stdin" else (str(tmp_path / "key"), "")
    created = run_json("secret", "create", name, "--value-file", f"api_key={path}", stdin=stdin)
    assert stored_value(running, created["secret_id"]) == {"api_key": stored}


@pytest.mark.parametrize("source", ["file", "stdin"])
def test_create_reads_the_whole_value_from_json(
    run_json: RunJson, running: Gateway, name: str, canary: str, tmp_path: Path, source: str
) -> None:
    value = {"api_key": canary, "org": "caffè ☕"}
    (tmp_path / "value.json").write_text(json.dumps(value), encoding="utf-8")
    path, stdin = ("-", json.dumps(value)) if source == "stdin" else (str(tmp_path / "value.json"), "")
    created = run_json("secret", "create", name, "--values-file", path, stdin=stdin)
    assert stored_value(running, created["secret_id"]) == value


@pytest.mark.parametrize(
    ("arguments", "stdin", "text"),
    [
        ([], "", "--value-file"),
        (["--value-file", "api_key"], "", "KEY=FILE"),
        (["--value-file", "=-"], "", "KEY=FILE"),
        (["--value-file", "a=-", "--value-file", "b=-"], "CANARY", "once"),
        (["--value-file", "a=-", "--value-file", "a=/dev/null"], "CANARY", "once"),
        (["--value-file", "a=/no/such/file"], "", "No such file"),
        (["--value-file", "a=/dev/zero"], "", "/dev/zero has more than 1048576 bytes"),
        (["--values-file", "-"], "CANARY" * 200_000, "has more than 1048576 bytes"),
        (["--value-file", "a=-"], b"\xffCANARY", "is not UTF-8 text; save it as UTF-8"),
        (["--value-file", "a=-"], "CANARY".encode("utf-16"), "is UTF-16 or binary, not UTF-8 text; save it as UTF-8"),
        (["--value-file", "a=-"], "CANARY".encode("utf-16-be"), "is UTF-16 or binary"),
        (["--value-file", "a=-"], "CANARY".encode("utf-32"), "is UTF-16 or binary"),
        (["--values-file", "-"], '{"a": "CANARY"}'.encode("utf-16"), "is UTF-16 or binary"),
        (["--values-file", "-"], '{"a": "CANARY"', "not JSON"),
        (["--values-file", "-"], '["CANARY"]', "object of strings"),
        (["--values-file", "-"], '{"a": ["CANARY"]}', "object of strings"),
    ],
)
def test_an_unreadable_value_is_a_usage_error_without_the_value(
    run: Run, name: str, canary: str, arguments: list[str], stdin: str | bytes, text: str
) -> None:
    data = stdin.encode() if isinstance(stdin, str) else stdin
    result = run("secret", "create", name, *arguments, stdin=data.replace(b"CANARY", canary.encode()), code=2)
    assert text in result.stderr
    assert result.stdout == ""


def test_a_rejected_request_is_one_line_and_one_per_field(run: Run, name: str, canary: str) -> None:
    arguments = ("secret", "create", "", "--provider", "p" * 65, "--value-file", "model_list=-")
    first, *fields = run(*arguments, stdin=canary, code=1).stderr.splitlines()
    assert first.startswith("error: INVALID_ARGUMENT: ")
    assert [line.split(":")[0].strip() for line in fields] == ["secret_name", 'secret_value["model_list"]', "provider"]


def test_get_by_id_and_by_name(run: Run, run_json: RunJson, secret: dict[str, Any]) -> None:
    assert run_json("secret", "get", secret["secret_id"]) == secret
    assert run_json("secret", "get", secret["secret_name"]) == secret
    lines = dict(line.split(maxsplit=1) for line in run("secret", "get", secret["secret_name"]).stdout.splitlines())
    assert lines["secret_id"] == secret["secret_id"]
    assert lines["masked_values"] == f"api_key={MASKED}"
    assert lines["provider"] == "-"
    assert lines["created_at"].endswith("Z")


def test_list(run: Run, run_json: RunJson, secret: dict[str, Any], name: str) -> None:
    assert secret in run_json("secret", "list")
    assert run_json("secret", "list", "--provider", name) == []
    assert run("secret", "list", "--provider", name).stdout == "(none)\n"
    heading, *rows = run("secret", "list").stdout.splitlines()
    assert heading.split() == ["NAME", "PROVIDER", "VALUES", "CREATED_AT", "ID"]
    (row,) = (row for row in rows if secret["secret_id"][:10] in row)
    assert row.split()[:3] == [secret["secret_name"], "-", f"api_key={MASKED}"]
    assert row.index(secret["secret_id"][:10]) == heading.rindex("ID")


def test_update_replaces_and_clears(run: Run, run_json: RunJson, running: Gateway, secret: dict[str, Any]) -> None:
    key = secret["secret_name"]
    assert run_json("secret", "update", key, "--auth-config", "region", "r")["auth_config"] == {"region": "r"}
    updated = run_json(
        *("secret", "update", key, "--value-file", "token=-", "--clear", "auth_config", "--updated-by", "bob"),
        stdin="t" * 20,
    )
    assert "auth_config" not in updated
    assert updated["last_updated_by"] == "bob"
    assert stored_value(running, secret["secret_id"]) == {"token": "t" * 20}
    both = run("secret", "update", key, "--auth-config", "region", "r", "--clear", "auth_config", code=2)
    assert "auth_config" in both.stderr


@pytest.mark.parametrize("field", ["secret_id", "secret_name"])
def test_delete_by_id_and_by_name(run: Run, secret: dict[str, Any], field: str) -> None:
    assert run("secret", "delete", secret[field]).stdout == f"deleted {secret['secret_id']}\n"
    gone = run("secret", "get", secret[field], code=1)
    assert gone.stdout == ""
    assert gone.stderr.startswith("error: NOT_FOUND: ")
    assert gone.stderr.count("\n") == 1


def test_a_secret_in_use_is_deleted_only_by_force(
    run: Run, run_json: RunJson, secret: dict[str, Any], models: list[dict[str, Any]], endpoint: dict[str, Any]
) -> None:
    refused = run("secret", "delete", secret["secret_name"], code=1).stderr
    assert all(name in refused for name in (*(model["name"] for model in models), endpoint["name"], "--force"))
    assert run_json("secret", "get", secret["secret_name"]) == secret
    assert run("secret", "delete", secret["secret_name"], "--force").stdout == f"deleted {secret['secret_id']}\n"
    assert "secret_id" not in run_json("model-definition", "get", models[0]["name"])


def test_delete_prints_an_empty_json_object(run_json: RunJson, secret: dict[str, Any]) -> None:
    assert run_json("secret", "delete", secret["secret_id"]) == {}


def test_terminal_escapes_in_a_name_are_escaped(run: Run, run_json: RunJson, name: str) -> None:
    wild = f"{name}\x1b[31m\nred"
    assert run_json("secret", "create", wild, "--value-file", "k=-", stdin="v")["secret_name"] == wild
    for shown in (run("secret", "get", wild), run("secret", "list")):
        assert f"{name}\\x1b[31m\\nred" in shown.stdout
        assert "\x1b" not in shown.stdout


def test_another_address_needs_the_value(run: Run, run_json: RunJson, name: str, canary: str) -> None:
    run_json("secret", "create", name, "--value-file", "api_key=-", stdin=canary)
    move = ("secret", "update", name, "--auth-config", "api_base", "https://attacker.example.com/v1")
    refused = run(*move, code=1).stderr
    assert refused.startswith("error: INVALID_ARGUMENT: ")
    assert '\n  auth_config["api_base"]: must not change unless secret_value is sent too' in refused
    assert "auth_config" not in run_json("secret", "get", name)
    moved = run_json(*move, "--value-file", "api_key=-", stdin=canary)
    assert moved["auth_config"] == {"api_base": "https://attacker.example.com/v1"}
