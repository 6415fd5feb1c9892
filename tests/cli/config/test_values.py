"""``value_from``: what a plan and an apply read and run, and what they never do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway_entities import GatewayClient
from gateway_entities.cli.config import values
from gateway_entities.testing import Gateway
from tests.cli.config.conftest import CANARY, Config


def source(folder: Path, text: str) -> None:
    (folder / "gateway.yaml").write_text(f"owner: o\nsecrets:\n  - name: s\n    value_from: {{api_key: {text}}}\n")


def marker(folder: Path) -> str:
    return f"{{command: [touch, {folder}/ran]}}"


def test_a_plan_runs_nothing_and_reads_nothing(config: Config, folder: Path) -> None:
    for text in (marker(folder), "{file: /etc/hostname}", "{env: NOT_SET}"):
        source(folder, text)
        assert "+ secret s" in config("plan").output
    source(folder, marker(folder))
    assert "only with --allow-command" in config("plan", "--with-values", code=1).output
    assert "only with --allow-command" in config("apply", code=1).output
    assert "only with --allow-command" in config("apply", "--dry-run", code=1).output
    assert not (folder / "ran").exists()
    assert "is empty" in config("plan", "--with-values", "--allow-command", code=1).output
    assert (folder / "ran").exists()


def test_a_value_of_each_kind_is_stored(config: Config, client: GatewayClient, empty: Gateway, folder: Path) -> None:
    (folder / "keys").mkdir()
    (folder / "keys" / "openai").write_text("\ufefffrom-file-1234\r\n")
    token = empty.create_token("reader", "read", "write", "resolve", "admin")
    kinds = (
        ("{env: SEARCH_KEY}", CANARY),
        ("{file: keys/openai}", "from-file-1234"),
        ("{command: [echo, from-echo]}", "from-echo"),
    )
    os.environ["GATEWAY_ENTITIES_TOKEN"] = token
    try:
        for text, expected in kinds:
            source(folder, text)
            with (folder / "gateway.yaml").open("a") as file:
                file.write(
                    "model_definitions: [{name: m, secret: s, provider: openai, model_name: x}]\n"
                    "endpoints: [{name: e, models: [{model_definition: m}]}]\n"
                )
            config("apply", "--allow-command")
            with GatewayClient(empty.http_target, token=token) as reader:
                assert reader.resolve_endpoint(name="e").models[0].secret_value.reveal() == {"api_key": expected}
            assert config("plan", "--with-values", "--allow-command").output == "No changes.\n"
    finally:
        del os.environ["GATEWAY_ENTITIES_TOKEN"]


def test_files_outside_the_folder_are_not_read(
    config: Config, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "key").write_text(CANARY)
    (folder / "link").symlink_to(outside / "key")
    (folder / "inner").mkdir()
    for text in (str(outside / "key"), "link", f"../{outside.name}/key", "/etc/passwd", "/proc/self/environ"):
        source(folder, f"{{file: {text}}}")
        assert "not below the folder of the configuration" in config("apply", code=1).output
    source(folder, f"{{file: {outside / 'key'}}}")
    config("apply", "--allow-folder", str(outside))


def test_a_pipe_or_a_folder_is_no_file(config: Config, folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "inner").mkdir()
    (folder / "loop").symlink_to("loop")
    for name in ("pipe", "inner", "missing", "loop", '"a\\0b"'):
        source(folder, f"{{file: {name}}}")
        assert "gateway.yaml:4:" in config("apply", code=1).output


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("[sh, -c, 'echo sk-canary-77e0f3a15cc94d21; exit 7']", "ended with exit code 7"),
        ("[not-a-program]", "cannot be run"),
        ("[yes]", "is larger than 65536 bytes"),
        ("[sh, -c, 'sleep 60 & sleep 60']", "ran longer than"),
    ],
)
def test_a_command_that_fails(
    config: Config, folder: Path, monkeypatch: pytest.MonkeyPatch, command: str, expected: str
) -> None:
    monkeypatch.setattr(values, "COMMAND_TIMEOUT_S", 0.5)
    source(folder, f"{{command: {command}}}")
    assert expected in config("apply", "--allow-command", code=1).output


def test_a_command_has_no_token_of_this_program(
    config: Config, client: GatewayClient, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_ENTITIES_TOKEN", CANARY)
    source(folder, "{env: GATEWAY_ENTITIES_TOKEN}")
    assert "this program's own" in config("apply", code=1).output
    source(folder, "{command: [sh, -c, 'test -z \"$GATEWAY_ENTITIES_TOKEN\" && echo none']}")
    monkeypatch.delenv("GATEWAY_ENTITIES_TOKEN")
    config("apply", "--allow-command")


def test_no_command_runs_if_another_value_is_missing(config: Config, folder: Path) -> None:
    source(folder, f"{{command: [touch, {folder}/ran]}}, other: {{env: NOT_SET}}")
    assert "NOT_SET" in config("apply", "--allow-command", code=1).output
    assert not (folder / "ran").exists()


def test_a_secret_without_a_source_is_pending(config: Config, folder: Path) -> None:
    (folder / "gateway.yaml").write_text("owner: o\nsecrets: [{name: s}]\n")
    assert "! " in config("apply").output
