"""Kills under load: what was acknowledged is there, nothing is there by half, and the change log tells of exactly that.

By hand: ``python -m tests.server.consistency.crashes [--kills 200] [--store sqlite|postgresql] [--seed 1]``. On SQLite the
server is killed; on PostgreSQL the database is, and the server goes on.
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
from tests.server.consistency.by_hand import place_by_hand
from tests.server.consistency.server_process import ServerProcess
from tests.stores import Place

_LONGEST_LIFE_S = 0.5
_TIMEOUT_S = 5.0
_UNKNOWN = {Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.CANCELLED}


class Acknowledged(NamedTuple):
    """A change whose call returned.

    Attributes:
        rpc: the RPC's name.
        thing: the noun and identifier of what it was about.
        etag: the etag that its answer had; "" when it had none.
    """

    rpc: str
    thing: tuple[str, str]
    etag: str


class Toll(NamedTuple):
    """What a run of kills came to.

    Attributes:
        kills: how many there were.
        acknowledged: how many changes were acknowledged, each of which was found.
        unknown: how many calls ended without an answer.
        revisions: how many lines the change log has.
    """

    kills: int
    acknowledged: int
    unknown: int
    revisions: int


class _Gate:
    """Lets the load through, or holds it between two calls."""

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
        """Block new callers, and wait until none is inside."""
        with self._changed:
            self._open = False
            self._changed.wait_for(lambda: self._inside == 0)

    def end(self) -> None:
        with self._changed:
            self._over = True
            self._changed.notify_all()


class _OverError(Exception):
    """The load is to end."""


class _Load:
    """Changes things of its own over one client, and notes what was acknowledged."""

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
        """One life of a secret, two models, an endpoint and what belongs to it: changes of one row and of many."""
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

    def _call(self, rpc: str, thing: str | tuple[str, str], call: Callable[[], Any]) -> Any:
        with self._gate:
            try:
                result = call()
            except GatewayError as error:
                # Any other code would be a fault: a repeat of what had taken effect is not told apart from it.
                if error.code not in _UNKNOWN:
                    raise
                self.unknown += 1
                raise _UnknownError from error
            told = (thing, identifier(thing, result)) if isinstance(thing, str) else thing
            self.acknowledged.append(Acknowledged(rpc, told, "" if result is None else result.etag()))
            return result


class _UnknownError(Exception):
    """A call ended without an answer: whether it took effect is not known."""


class _Witness:
    """Follows the change log, and holds what is stored and what was acknowledged against it."""

    def __init__(self) -> None:
        self.revision = 0
        self._etags: Etags = {}

    def check(self, do: Do, acknowledged: list[Acknowledged]) -> None:
        """Check the log since the last time: no gap, the etags, each acknowledged change; then all there is."""
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
            thing = line.change.noun, line.change.id
            made |= {Acknowledged(line.rpc, thing, line.change.etag_after or ""), Acknowledged(line.rpc, thing, "")}
        missing = set(acknowledged) - made
        assert not missing, missing
        assert self._etags == stored(do)


def crash(
    place: Place,
    server: ServerProcess,
    kills: int,
    seed: int,
    tell: Callable[[int], None] = lambda _done: None,
    clients_per_pair: int = 2,
) -> Toll:
    """Kill repeatedly under load, and check after each kill.

    Args:
        place: the store's; on SQLite the server is killed, on PostgreSQL the database's server.
        server: the gateway's server, which runs.
        kills: how many times.
        seed: of the moments.
        tell: called after each check with how many there were.
        clients_per_pair: how much load there is on each transport, sync and async.
    """
    moments = random.Random(seed)
    gate, witness, acknowledged, unknown = _Gate(), _Witness(), 0, 0
    with ExitStack() as stack:
        do = stack.enter_context(server.asked())
        loads: list[_Load] = []
        for pair in PAIRS * clients_per_pair:
            client = connect(pair, server.targets["grpc"], server.targets["http"])
            stack.callback(client.close)
            loads.append(_Load(_Hasty(client), gate))
        pool = stack.enter_context(ThreadPoolExecutor(len(loads)))
        stack.callback(gate.end)
        running = [pool.submit(load.run) for load in loads]
        for number in range(kills):
            gate.open()
            time.sleep(moments.uniform(0.02, _LONGEST_LIFE_S))
            _kill_and_restart(place, server)
            _wait_for(do)
            gate.close()
            _raise_from(running)
            # At rest, so that the log and the lists tell of the same moment.
            told = [each for load in loads for each in load.acknowledged]
            acknowledged += len(told)
            witness.check(do, told)
            for load in loads:
                load.acknowledged.clear()
            tell(number + 1)
        unknown = sum(load.unknown for load in loads)
    return Toll(kills, acknowledged, unknown, witness.revision)


class _Hasty:
    """A client whose calls all end after a few seconds."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)
        return lambda *args, **kwargs: method(*args, **kwargs, timeout=_TIMEOUT_S)


def _kill_and_restart(place: Place, server: ServerProcess) -> None:
    victim = server if place.server is None else place.server
    victim.kill()
    victim.start()


def _wait_for(do: Do) -> None:
    """Wait until the server answers out of its store again."""
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
    with place_by_hand(store) as (place, folder), ServerProcess(place, folder / "log").running() as server:
        if sys.stderr.isatty():
            toll = crash(place, server, kills, seed, lambda done: click.echo(f"\r{done}/{kills}", nl=False, err=True))
            click.echo(err=True)
        else:
            toll = crash(place, server, kills, seed)
    click.echo(
        f"{store}: {toll.kills} kills; {toll.acknowledged} changes acknowledged, all found; {toll.unknown} calls without an "
        f"answer; {toll.revisions} revisions without a gap, which replay to exactly what is stored"
    )


if __name__ == "__main__":
    main()
