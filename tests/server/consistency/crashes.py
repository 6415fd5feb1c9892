"""Kills under load: acknowledged mutations are durable, none is partial, and the change log matches the stored state.

To run it: ``python -m tests.server.consistency.crashes [--kills 200] [--store sqlite|postgresql] [--seed 1]``. On SQLite the
server is killed, on PostgreSQL the database.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import Any, NamedTuple

import click

from gateway_entities import (
    BudgetAction,
    BudgetDuration,
    BudgetDurationUnit,
    BudgetTargetScope,
    BudgetUnit,
    Code,
    GatewayEndpointModelConfig,
    GatewayError,
    GatewayModelLinkageType,
)
from tests.client.server_client_pairs import PAIRS, connect
from tests.mutations import Do, new_name
from tests.replay import Etags, identifier, log, stored
from tests.server.consistency.server_process import ServerProcess
from tests.server.consistency.temporary_place import temporary_place
from tests.stores import Place

_MAX_UPTIME_S = 0.5
_TIMEOUT_S = 5.0
_UNKNOWN = {Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.CANCELLED}


class Acknowledged(NamedTuple):
    """A mutation with a response.

    Attributes:
        rpc: the name of its RPC.
        resource: the noun and id of its resource.
        etag: the etag of the result; "" without one.
    """

    rpc: str
    resource: tuple[str, str]
    etag: str


class CrashResult(NamedTuple):
    """Result of a run.

    Attributes:
        kills: the number of kills.
        acknowledged: the number of acknowledged mutations, all of which were found.
        unknown: the number of calls without a response.
        revisions: the last revision.
    """

    kills: int
    acknowledged: int
    unknown: int
    revisions: int


class _Gate:
    """Pauses the load between two calls."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._open = self._over = False
        self._inside = 0

    def __enter__(self) -> _Gate:
        with self._changed:
            self._changed.wait_for(lambda: self._open or self._over)
            if self._over:
                raise _OverError
            self._inside += 1
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._inside -= 1
            self._changed.notify_all()

    def open(self) -> None:
        with self._changed:
            self._open = True
            self._changed.notify_all()

    def close(self) -> None:
        """Block new calls, and wait for the running ones."""
        with self._changed:
            self._open = False
            self._changed.wait_for(lambda: self._inside == 0)

    def end(self) -> None:
        with self._changed:
            self._over = True
            self._changed.notify_all()


class _OverError(Exception):
    """The load must stop."""


class _Load:
    """Mutates its own resources over one client, and records acknowledged mutations."""

    def __init__(self, client: Any, gate: _Gate) -> None:
        self._client = client
        self._gate = gate
        self.acknowledged: list[Acknowledged] = []
        self.unknown = 0

    def run(self) -> None:
        with suppress(_OverError):
            while True:
                with suppress(_UnknownError):
                    self._round()

    def _round(self) -> None:
        """Create, change and delete a secret, two models and an endpoint: mutations of single and of many rows."""
        client, name = self._client, new_name("crash")
        secret = self._call("CreateGatewaySecret", "secret", lambda: client.create_secret(name, {"api_key": name}))
        models = [
            self._call(
                "CreateGatewayModelDefinition",
                "model_definition",
                lambda part=part: client.create_model_definition(
                    f"{name}-{part}", secret_id=secret.secret_id, provider="openai", model_name="gpt-4o"
                ),
            )
            for part in "ab"
        ]
        configs = [GatewayEndpointModelConfig(m.model_definition_id, GatewayModelLinkageType.PRIMARY) for m in models]
        endpoint = self._call("CreateGatewayEndpoint", "endpoint", lambda: client.create_endpoint(name, configs))
        key = endpoint.endpoint_id
        of_endpoint = ("endpoint", key)
        self._call("SetGatewayEndpointTag", of_endpoint, lambda: client.set_endpoint_tag(key, "team", name))
        self._call("CreateGatewayEndpointBinding", "binding", lambda: client.create_binding(key, "scorer", name))
        self._call(
            "CreateGatewayBudgetPolicy",
            "budget_policy",
            lambda: client.create_budget_policy(
                budget_unit=BudgetUnit.USD,
                budget_amount=1.0,
                duration=BudgetDuration(BudgetDurationUnit.DAYS, 1),
                target_scope=BudgetTargetScope.ENDPOINT,
                target_value=key,
                budget_action=BudgetAction.ALERT,
            ),
        )
        self._call(
            "UpdateGatewayEndpoint",
            "endpoint",
            lambda: client.update_endpoint(key, model_configs=configs[:1], experiment_id="1"),
        )
        model_id = models[0].model_definition_id
        self._call(
            "UpdateGatewayModelDefinition",
            "model_definition",
            lambda: client.update_model_definition(model_id, model_name="gpt-5"),
        )
        secret_id = secret.secret_id
        self._call("DeleteGatewaySecret", ("secret", secret_id), lambda: client.delete_secret(secret_id))
        self._call("DeleteGatewayEndpoint", of_endpoint, lambda: client.delete_endpoint(key))
        for model in models:
            gone = model.model_definition_id
            self._call(
                "DeleteGatewayModelDefinition",
                ("model_definition", gone),
                lambda gone=gone: client.delete_model_definition(gone),
            )

    def _call(self, rpc: str, resource: str | tuple[str, str], call: Callable[[], Any]) -> Any:
        with self._gate:
            try:
                result = call()
            except GatewayError as error:
                # Any other code fails the test: a repeated mutation returns its first response.
                if error.code not in _UNKNOWN:
                    raise
                self.unknown += 1
                raise _UnknownError from error
            key = (resource, identifier(resource, result)) if isinstance(resource, str) else resource
            self.acknowledged.append(Acknowledged(rpc, key, "" if result is None else result.etag()))
            return result


class _UnknownError(Exception):
    """A call without a response, whose effect is unknown."""


class _Checker:
    """Replays the change log, and compares it with the stored state and the acknowledged mutations."""

    def __init__(self) -> None:
        self.revision = 0
        self._etags: Etags = {}

    def check(self, do: Do, acknowledged: list[Acknowledged]) -> None:
        """Check the new entries for gaps, etags and acknowledged mutations, then the stored state."""
        made: set[Acknowledged] = set()
        for line in log(do, self.revision):
            assert line.revision == self.revision + 1, f"a gap before revision {line.revision}"
            self.revision = line.revision
            for effect in (line.change, *line.effects):
                key = effect.noun, effect.id
                assert self._etags.get(key) == effect.etag_before, line
                if effect.etag_after is None:
                    del self._etags[key]
                else:
                    self._etags[key] = effect.etag_after
            resource = line.change.noun, line.change.id
            made |= {Acknowledged(line.rpc, resource, line.change.etag_after or ""), Acknowledged(line.rpc, resource, "")}
        missing = set(acknowledged) - made
        assert not missing, missing
        assert self._etags == stored(do)


def crash(
    place: Place,
    server: ServerProcess,
    kills: int,
    seed: int,
    progress: Callable[[int], None] = lambda _done: None,
    clients_per_pair: int = 2,
) -> CrashResult:
    """Kill repeatedly under load, with a check after each restart.

    Args:
        place: the store's location.
        server: the running server.
        kills: the number of kills.
        seed: the seed of their times.
        progress: called after each check with the number of kills.
        clients_per_pair: the number of clients of each transport, sync and async.
    """
    moments = random.Random(seed)
    gate, checker, acknowledged, unknown = _Gate(), _Checker(), 0, 0
    with ExitStack() as stack:
        do = stack.enter_context(server.transport())
        loads: list[_Load] = []
        for pair in PAIRS * clients_per_pair:
            client = connect(pair, server.targets["grpc"], server.targets["http"])
            stack.callback(client.close)
            loads.append(_Load(_TimeoutClient(client), gate))
        pool = stack.enter_context(ThreadPoolExecutor(len(loads)))
        stack.callback(gate.end)
        running = [pool.submit(load.run) for load in loads]
        for number in range(kills):
            gate.open()
            time.sleep(moments.uniform(0.02, _MAX_UPTIME_S))
            _kill_and_restart(place, server)
            _wait_for(do)
            gate.close()
            _raise_from(running)
            # Paused, so that the log and the lists show the same state.
            new = [each for load in loads for each in load.acknowledged]
            acknowledged += len(new)
            checker.check(do, new)
            for load in loads:
                load.acknowledged.clear()
            progress(number + 1)
        unknown = sum(load.unknown for load in loads)
    return CrashResult(kills, acknowledged, unknown, checker.revision)


class _TimeoutClient:
    """A client with a short timeout for all calls."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)
        return lambda *args, **kwargs: method(*args, **kwargs, timeout=_TIMEOUT_S)


def _kill_and_restart(place: Place, server: ServerProcess) -> None:
    target = server if place.server is None else place.server
    target.kill()
    target.start()


def _wait_for(do: Do) -> None:
    """Wait until the server can read its store again."""
    deadline = time.monotonic() + 60
    while True:
        try:
            log(do, sys.maxsize)
        except GatewayError as error:
            if error.code not in _UNKNOWN or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _raise_from(running: list[Future[None]]) -> None:
    for future in running:
        if future.done():
            future.result()


@click.command()
@click.option("--kills", default=200, show_default=True)
@click.option("--store", type=click.Choice(["sqlite", "postgresql"]), default="sqlite", show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(kills: int, store: str, seed: int) -> None:
    """Kill the server, or PostgreSQL, under load."""
    with temporary_place(store) as (place, folder), ServerProcess(place, folder / "log").running() as server:
        if sys.stderr.isatty():
            outcome = crash(place, server, kills, seed, lambda done: click.echo(f"\r{done}/{kills}", nl=False, err=True))
            click.echo(err=True)
        else:
            outcome = crash(place, server, kills, seed)
    click.echo(
        f"{store}: {outcome.kills} kills; {outcome.acknowledged} mutations acknowledged, all found; "
        f"{outcome.unknown} calls without a response; {outcome.revisions} revisions without a gap, which replay to "
        f"the stored state"
    )


if __name__ == "__main__":
    main()
