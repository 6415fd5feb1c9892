from __future__ import annotations

import os
import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gateway_entities.cli.app import cli
from gateway_entities.testing import Gateway


def commands(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(command, click.Group):
        return [path]
    return [path, *(found for name, part in command.commands.items() for found in commands(part, (*path, name)))]


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, **environment}
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        env=variables,
        timeout=30,
        check=False,
        encoding="utf-8",
    )


def test_every_noun_has_the_four_verbs() -> None:
    paths = commands(cli)
    for noun in ("secret", "model-definition", "endpoint", "binding", "budget-policy"):
        assert {(noun, verb) for verb in ("get", "list", "create", "delete")} <= set(paths)


@pytest.mark.parametrize("path", commands(cli), ids=" ".join)
def test_every_command_has_help(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(cli, [*path, "--help"])
    assert result.exit_code == 0
    usage, _, description, *_ = result.stdout.splitlines()
    assert usage.startswith("Usage: ")
    assert description.strip()
    assert all(len(line) <= 130 for line in result.stdout.splitlines())


def test_every_option_and_every_command_has_a_help_text() -> None:
    missing = []
    for path in commands(cli):
        command: click.Command = cli
        for part in path:
            assert isinstance(command, click.Group)
            command = command.commands[part]
        missing += [(path, p.name) for p in command.params if isinstance(p, click.Option) and not p.help]
        missing += [(path, "")] if not command.help else []
    assert missing == []


def test_log_is_an_alias_of_changes() -> None:
    assert commands(cli).count(("log",)) == 1
    listed, alias, name = (CliRunner().invoke(cli, [*a, "--help"]).stdout for a in ([], ["log"], ["changes"]))
    assert "\n  changes " in listed
    assert "\n  log " not in listed
    assert alias.replace(" log ", " changes ", 1) == name


@pytest.mark.parametrize("module", ["gateway_entities", "gateway_entities.cli"])
def test_version_of_the_module(module: str) -> None:
    done = python("-m", module, "--version")
    assert done.stdout == f"gateway-entities {version('gateway-entities')}\n"


def test_version_of_the_console_script() -> None:
    done = python("-c", "from gateway_entities.cli import main; import sys; sys.argv[1:] = ['--version']; main()")
    assert done.stdout == f"gateway-entities {version('gateway-entities')}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["endpoint", "create", "--help"]])
def test_help_loads_no_server_no_database_and_no_transport(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom gateway_entities.cli import main\nsys.argv[1:] = %r\n"
        "try:\n    main()\nexcept SystemExit:\n    print('LOADED', *sys.modules)\n"
    )
    done = python("-c", code % (arguments,))
    loaded = {name.partition(".")[0] for name in done.stdout.partition("LOADED")[2].split()}
    assert "click" in loaded
    assert not loaded & {
        "grpc",
        "httptools",
        "anyio",
        "starlette",
        "uvicorn",
        "sqlalchemy",
        "alembic",
        "cryptography",
        "rich",
    }


def test_an_unreachable_gateway_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for scheme in ("grpc", "http"):
        arguments = ["endpoint", "list", "--target", f"{scheme}://127.0.0.1:{port}", "--timeout", "1"]
        result = CliRunner().invoke(cli, arguments)
        assert result.exit_code == 1
        assert result.stderr.startswith(("error: UNAVAILABLE: ", "error: DEADLINE_EXCEEDED: "))
        assert result.stderr.count("\n") == 1


def test_the_error_for_an_invalid_target_lists_the_valid_forms() -> None:
    result = CliRunner().invoke(cli, ["endpoint", "list", "--target", "ftp://x"])
    assert result.exit_code == 2
    assert "Usage: " in result.stderr
    assert "grpc://" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("endpoint", "list", "--target", "ftp://x"),
        ("endpoint", "list", "--target", "http://127.0.0.1:9", "--tls-ca", "ca.pem"),
        ("endpoint", "get", "--target", "http://127.0.0.1:9"),
        ("changes", "--target", "nonsense"),
        ("nodes", "--target", "nonsense"),
        ("watch", "--target", "nonsense"),
        ("endpoint", "resolve", "x", "--target", "nonsense"),
        ("config", "export", "--target", "nonsense"),
        ("config", "import", "--from", "mlflow", "nonsense"),
        ("health", "--target", "nonsense"),
        ("serve", "--grpc", "nonsense"),
        ("serve", "--http", "127.0.0.1:99999"),
        ("serve", "--store", "nonsense"),
        ("token", "list", "--store", "nonsense"),
        ("endpoint", "list", "-o", "json", "-o", "xml"),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_what_the_command_line_has_wrong_exits_with_2(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ca.pem").touch()
    result = CliRunner(env={"GATEWAY_ENTITIES_TOKEN": "two words" if arguments[1] == "get" else None}).invoke(cli, arguments)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("timeout", ["0", "-1", "soon"])
def test_a_timeout_is_a_positive_number(timeout: str) -> None:
    assert CliRunner().invoke(cli, ["endpoint", "list", "--timeout", timeout]).exit_code == 2


def test_the_option_overrides_the_environment(running: Gateway) -> None:
    runner = CliRunner(env={"GATEWAY_ENTITIES_TARGET": "ftp://x"})
    assert runner.invoke(cli, ["binding", "list", "--target", running.grpc_target]).exit_code == 0
    assert runner.invoke(cli, ["binding", "list"]).exit_code == 2


def test_a_terminal_in_another_encoding_shows_escapes(running: Gateway) -> None:
    target = ["--target", running.http_target]
    created = CliRunner().invoke(cli, ["secret", "create", "naïve-☕", "--value-file", "k=-", *target], input="v")
    assert created.exit_code == 0
    command = [sys.executable, "-m", "gateway_entities.cli", "secret", "get", "naïve-☕", *target]
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    shown = subprocess.run(command, capture_output=True, env=environment, timeout=30, check=False)
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert b"na\xefve-\\u2615\n" in shown.stdout
