"""``gateway-entities nodes`` and ``--wait-for-nodes``."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click
from click.testing import CliRunner, Result

from gateway_entities.cli.app import cli
from gateway_entities.client import GatewayClient
from gateway_entities.mirror import GatewayMirror, MirrorUpdate, RevisionRefused
from gateway_entities.testing import gateway


def refuse(update: MirrorUpdate) -> None:
    if any(each.secret_name == "bad" for each in update.state.secrets.values()):
        raise RevisionRefused("no room\x1b[2J")


def test_a_change_waits_for_the_nodes_and_names_those_that_have_not_applied_it() -> None:
    with gateway() as running:
        tokens = {"admin": running.create_token("boss", "admin"), "node": running.create_token("edge", "read", "node")}

        def run(*arguments: str) -> Result:
            environment = {"GATEWAY_ENTITIES_TARGET": running.grpc_target, "GATEWAY_ENTITIES_TOKEN": tokens["admin"]}
            return CliRunner(env=environment).invoke(cli, arguments, input="sk-0123456789")

        def create(name: str, *options: str) -> Result:
            return run("secret", "create", name, "--value-file", "api_key=-", *options)

        assert run("nodes").stdout == "(none)\n"
        assert create("first", "--wait-for-nodes", "5").exit_code == 0
        with (
            GatewayClient(running.grpc_target, token=tokens["node"]) as client,
            GatewayMirror(client, instance="one") as good,
            GatewayMirror(client, instance="two") as bad,
        ):
            while len(json.loads(run("nodes", "--json").stdout)) < 2:
                pass
            done = create("good", "--wait-for-nodes", "20")
            assert done.exit_code == 0, done.output
            assert {each["state"] for each in json.loads(run("nodes", "--json").stdout)} == {"GATEWAY_NODE_STATE_APPLIED"}
            bad.subscribe(refuse)
            done = create("bad", "--wait-for-nodes", "20")
            assert done.exit_code == 1
            assert "bad" in done.stdout
            assert f"1 of 2 nodes have not applied revision {good.revision}" in done.stderr
            assert "  edge/two: refused: no room\\x1b[2J" in done.stderr
            assert "edge/one" not in done.stderr
            lines = run("nodes").stdout.splitlines()
            assert [line.split()[:3] for line in lines] == [
                ["NAME", "INSTANCE", "STATE"],
                ["edge", "one", "APPLIED"],
                ["edge", "two", "REFUSED"],
            ]


def test_seconds_are_a_number() -> None:
    for arguments in (("tag", "set", "e", "k", "v", "--wait-for-nodes", "nan"), ("list", "--timeout", "nan")):
        done = CliRunner().invoke(cli, ["endpoint", *arguments, "--target", "grpc://127.0.0.1:1"])
        assert (done.exit_code, "is not a number" in done.output) == (2, True), done.output


READS = {"get", "list", "windows", "check", "changes", "log", "nodes", "resolve", "accesses", "health", "watch"}
READS |= {"export", "plan", "diff", "import", "of"}
# They change counters, which are no part of the configuration.
SPEND = {"spend", "record", "reserve", "commit", "release", "extend"}


def commands(group: click.Group, *path: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield " ".join((*path, name)), command


def test_every_command_that_changes_something_can_wait() -> None:
    waiting = set[str]()
    for name, command in commands(cli):
        options = {option for parameter in command.params for option in parameter.opts}
        if "--target" in options:
            assert ("--wait-for-nodes" in options) == (name.split()[-1] not in READS | SPEND), name
        if "--wait-for-nodes" in options:
            waiting.add(name)
    assert len(waiting) >= 15
