"""Real mirrors of real servers under faults: each state that one shows is the store's at its revision.

Two servers share a store. To run it: ``python -m tests.mirror.faults [--runs 100] [--faults 30]
[--store sqlite|postgresql] [--seed 1]``. The seed decides changes and faults; when they meet is up to the machine.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from gateway_entities.errors import GatewayError
from gateway_entities.server.store import Store
from gateway_entities.server.store.admin.backup import write_backup
from gateway_entities.server.store.admin.restore import restore_backup
from gateway_entities.server.store.admin.token_manager import open_tokens
from gateway_entities.server.store.open import find_database
from gateway_entities.server.store.repositories.token import AccessScope
from tests.client.recording_transports import MessageTransport
from tests.mirror.ledger import Checker, Ledger
from tests.mirror.recording_mirrors import Loop, RecordingMirror
from tests.mirror.workload import Workload
from tests.server.consistency.failing_server import FailingServer
from tests.server.consistency.faults import restart
from tests.server.consistency.lossy_proxy import Losses, LossyProxy
from tests.server.consistency.temporary_place import temporary_place
from tests.server.service.conftest import Gateway
from tests.stores import Place

_LOSSES: Final = Losses(cut=0.01, delay=0.1, longest_delay=0.03)
_DATABASE_LOSSES: Final = Losses(cut=0.0002, delay=0.005, longest_delay=0.02)
_KINDS: Final = (("grpc", "sync"), ("http", "sync"), ("grpc", "async"), ("http", "async"))
_WRITERS: Final = 3
_PAUSES: Final = 3, 15
"""Changes between two faults."""
_LONGEST_S: Final = 60.0
"""Bound of the changes of one run, and of the wait for the mirrors after it."""


class Result(NamedTuple):
    """Result of one run.

    Attributes:
        violations: what the mirrors have shown wrongly, and whether something took too long.
        faults: the faults, in their order.
        changes: the number of changes.
        shown: the number of states that the mirrors showed.
    """

    violations: list[str]
    faults: list[str]
    changes: int
    shown: int


class _RemoteGateway(Gateway):
    """Sends requests to the servers."""

    def __init__(self, run: _Run, seed: str) -> None:
        super().__init__(run.store, run.place)
        self._run = run
        self._random = random.Random(seed)
        self._transports = [
            MessageTransport(server.targets[scheme], "sync") for server in run.servers for scheme in ("grpc", "http")
        ]

    @property
    def store(self) -> Store:
        return self._run.store

    @store.setter
    def store(self, store: Store) -> None:
        pass

    def do(self, request: Any) -> Any:
        metadata = {"authorization": f"Bearer {self._run.token}"}
        try:
            response = self._random.choice(self._transports)(request, timeout=10, metadata=metadata)
        except GatewayError:
            # The server may be away.
            time.sleep(0.002)
            raise
        self._run.count()
        return response

    def close(self) -> None:
        for transport in self._transports:
            transport.close()


class _Run:
    """A store with servers, and a token for the writers.

    Attributes:
        place: the place of the store.
        store: the store, for the tests themselves.
        servers: its servers.
        token: a token for everything.
        ledger: what the store was.
        changes: the number of changes with a response.
    """

    def __init__(self, place: Place, servers: Sequence[FailingServer], folder: Path) -> None:
        self.place = place
        self.servers = servers
        self.store = place.open()
        self.ledger = Ledger()
        self.changes = 0
        self._folder = folder
        self._lock = threading.Lock()
        # Held by each writer during a change.
        self.turns = [threading.Lock() for _ in range(_WRITERS)]
        self.token = self.create_token("writer", AccessScope.ADMIN)

    def create_token(self, name: str, scope: AccessScope = AccessScope.READ) -> str:
        with open_tokens(self.place.url) as manager:
            return manager.create(name, scope).text

    def revoke_token(self, name: str) -> None:
        with open_tokens(self.place.url) as manager:
            manager.revoke(name)

    def close(self) -> None:
        self.store.close()

    def count(self) -> None:
        with self._lock:
            self.changes += 1

    @property
    def _backup(self) -> Path:
        return self._folder / "backup"

    def back_up(self) -> None:
        database = find_database(self.place.url)
        try:
            write_backup(database, self._backup, lambda _done, _total: None)
        finally:
            database.dispose()

    def restore(self) -> None:
        """Replace the store by the backup, with the servers stopped and the writers paused."""
        with ExitStack() as stack:
            for turn in self.turns:
                stack.enter_context(turn)
            for server in self.servers:
                server.kill()
            self.ledger.read(self.store)
            self.store.close()
            self._wipe()
            database = find_database(self.place.url)
            try:
                restore_backup(database, self._backup, lambda _done, _total: None, accept_unsealed=True)
            finally:
                database.dispose()
            self.store = self.place.open()
            self.ledger.read(self.store)
            restart(self.servers)

    def _wipe(self) -> None:
        if self.place.path is None:
            self.place.execute("DROP SCHEMA public CASCADE")
            self.place.execute("CREATE SCHEMA public")
            return
        for suffix in ("", "-wal", "-shm"):
            self.place.path.with_name(self.place.path.name + suffix).unlink(missing_ok=True)

    def write(self, number: int, seed: int, over: threading.Event) -> None:
        """Change something at full speed until it is over."""
        gateway = _RemoteGateway(self, f"{seed} gateway {number}")
        workload = Workload(gateway, random.Random(f"{seed} writer {number}"), number * 1_000_000)
        try:
            while not over.is_set():
                with self.turns[number]:
                    workload.try_change()
        finally:
            gateway.close()


class _Slot:
    """A mirror, which reaches each server through a proxy of its own.

    Attributes:
        mirror: the mirror.
        token_name: the name of its token.
    """

    def __init__(self, run: _Run, number: int, folder: Path, loop: Loop, seed: int, stack: ExitStack) -> None:
        scheme, mode = _KINDS[number % len(_KINDS)]
        self.mirror = RecordingMirror(mode, folder / f"mirror{number}", loop)
        self._run = run
        self._number = number
        self._tokens = 0
        self._server = number
        self._proxies: list[LossyProxy] = []
        self._targets: list[str] = []
        for place, server in enumerate(run.servers):
            port = int(server.targets[scheme].rpartition(":")[2])
            proxy = LossyProxy(port, "other", _LOSSES, seed=random.Random(f"{seed} {number} {place}").getrandbits(32))
            stack.enter_context(proxy.running())
            self._proxies.append(proxy)
            self._targets.append(f"{scheme}://127.0.0.1:{proxy.port}")
        self.renew_token()

    def renew_token(self) -> None:
        self._tokens += 1
        self.token_name = f"mirror-{self._number}-{self._tokens}"
        self._token = self._run.create_token(self.token_name)

    def start(self) -> None:
        """Start on the other server than before."""
        self._server += 1
        self.mirror.start(self._targets[self._server % len(self._targets)], self._token)

    def cut(self) -> None:
        for proxy in self._proxies:
            proxy.cut()

    def heal(self) -> None:
        for proxy in self._proxies:
            proxy.losses = Losses()


class _Faults:
    """Disturbs a run."""

    def __init__(self, run: _Run, slots: Sequence[_Slot], database: LossyProxy | None, chance: random.Random) -> None:
        self._run = run
        self._slots = slots
        self._database = database
        self._chance = chance
        self.done: list[str] = []
        self._kinds: list[tuple[float, Callable[[], str]]] = [
            (2, self._kill_server),
            (4, self._kill_mirror),
            (4, self._cut),
            (2, self._compact),
            (2, self._revoke),
        ]
        if database is not None:
            self._kinds += [(2, self._cut_database), (0.5, self._stop_database)]

    def run(self, number: int, over: threading.Event) -> None:
        """Cause so many faults; the one in the middle is that a backup is restored."""
        weights, kinds = zip(*self._kinds, strict=True)
        for place in range(number):
            until = self._run.changes + self._chance.randint(*_PAUSES)
            while self._run.changes < until and not over.wait(0.005):
                pass
            if over.is_set():
                break
            (fault,) = [self._restore] if place == number // 2 else self._chance.choices(kinds, weights)
            self.done.append(fault())

    def _slot(self) -> _Slot:
        return self._chance.choice(self._slots)

    def _kill_server(self) -> str:
        killed = self._run.servers if self._chance.random() < 0.2 else [self._chance.choice(self._run.servers)]
        restart(killed)
        return f"killed {len(killed)} servers"

    def _kill_mirror(self) -> str:
        slot = self._slot()
        slot.mirror.kill()
        slot.start()
        return "killed a mirror"

    def _cut(self) -> str:
        self._slot().cut()
        return "cut the network of a mirror"

    def _compact(self) -> str:
        self._run.ledger.read(self._run.store, compact=True)
        return "compacted the log"

    def _revoke(self) -> str:
        slot = self._slot()
        self._run.revoke_token(slot.token_name)
        slot.renew_token()
        # It has noticed, or it soon would.
        time.sleep(self._chance.choice([0.0, 1.0]))
        slot.mirror.stop()
        slot.start()
        return f"revoked the token of a mirror: {slot.mirror.error}"

    def _cut_database(self) -> str:
        assert self._database is not None
        self._database.cut()
        return "cut the connections to the database"

    def _stop_database(self) -> str:
        self._run.place.server.kill()
        self._run.place.server.start()
        return "killed the database"

    def _restore(self) -> str:
        names = {slot.token_name for slot in self._slots}
        self._run.restore()
        with open_tokens(self._run.place.url) as manager:
            known = {token.name for token in manager.list() if token.revoked_at is None}
        for slot in self._slots:
            if slot.token_name not in known:
                slot.renew_token()
                slot.mirror.stop()
                slot.start()
        return f"restored a backup under {len(names & known)} live mirrors"


def run(place: Place, folder: Path, faults: int, seed: int) -> Result:
    """Run once.

    Args:
        place: a place without a store, or with an empty one.
        folder: a folder for files.
        faults: the number of faults.
        seed: the seed of the changes and faults.
    """
    chance = random.Random(f"{seed} faults")
    with ExitStack() as stack:
        database, reached = None, place
        if place.server is not None:
            port = place.server.port
            database = stack.enter_context(LossyProxy(port, "other", seed=seed).running())
            reached = Place(place.url.replace(f":{port}/", f":{database.port}/"), place.keys, server=place.server)
        servers = [FailingServer(reached, folder / f"log{number}") for number in range(2)]
        running = _Run(place, servers, folder)
        stack.callback(running.close)
        if place.path is not None:
            # The file may be a copy of a template.
            with running.store.write() as transaction:
                transaction.state.renew_id()
        for server in servers:
            stack.enter_context(server.running())
        loop = stack.enter_context(Loop().running())
        slots = [_Slot(running, number, folder, loop, seed, stack) for number in range(len(_KINDS))]
        running.back_up()
        for slot in slots:
            slot.start()
            stack.callback(lambda slot=slot: slot.mirror.stop())
        disturber = _Faults(running, slots, database, chance)
        if database is not None:
            database.losses = _DATABASE_LOSSES
        violations = _disturb(running, disturber, faults, seed)
        if database is not None:
            database.losses = Losses()
        for slot in slots:
            slot.heal()
        running.ledger.read(running.store)
        violations += _until_equal(running, slots)
        # Their last words, before they are judged.
        lives = [(number, life) for number, slot in enumerate(slots) for life in slot.mirror.lives]
        checker = Checker(running.ledger)
        for number, life in lives:
            violations += [f"mirror {number}: {found}" for found in checker.violations(life.before, list(life))]
        for number, slot in enumerate(slots):
            if checker.resources(slot.mirror.state) != running.ledger.resources(*running.ledger.last):
                violations.append(f"mirror {number}: not the store's last state")
        return Result(violations, disturber.done, running.changes, sum(len(life) for _, life in lives))


def _disturb(running: _Run, faults: _Faults, number: int, seed: int) -> list[str]:
    over = threading.Event()
    clock = threading.Timer(_LONGEST_S, over.set)
    writers = [threading.Thread(target=running.write, args=(writer, seed, over)) for writer in range(len(running.turns))]
    clock.start()
    for writer in writers:
        writer.start()
    try:
        faults.run(number, over)
    finally:
        late = over.is_set()
        clock.cancel()
        over.set()
        for writer in writers:
            writer.join()
    return [f"only {len(faults.done)} faults within {_LONGEST_S:g} seconds"] if late else []


def _until_equal(running: _Run, slots: Sequence[_Slot]) -> list[str]:
    deadline = time.monotonic() + _LONGEST_S
    waiting = dict(enumerate(slots))
    while waiting and time.monotonic() < deadline:
        time.sleep(0.02)
        for number, slot in list(waiting.items()):
            if (slot.mirror.state.store_id, slot.mirror.state.revision) == running.ledger.last:
                del waiting[number]
    return [
        f"mirror {number}: at {slot.mirror.state}, not at {running.ledger.last}: {slot.mirror.error}"
        for number, slot in waiting.items()
    ]


@contextmanager
def _reporting(seed: int) -> Iterator[list[Result]]:
    began, results = time.monotonic(), list[Result]()
    yield results
    for result in results:
        click.echo(
            f"seed {seed}: {result.changes} changes, {len(result.faults)} faults, {result.shown} states shown, "
            f"{len(result.violations)} violations, {time.monotonic() - began:.1f} s"
        )
        for line in result.violations[:10]:
            click.echo(f"  {line}"[:1000])


@click.command()
@click.option("--runs", default=100, show_default=True)
@click.option("--faults", default=30, show_default=True)
@click.option("--store", type=click.Choice(["sqlite", "postgresql"]), default="sqlite", show_default=True)
@click.option("--seed", default=1, show_default=True, help="Seed of the first; the others have the next ones.")
def main(runs: int, faults: int, store: str, seed: int) -> None:
    """Run, and check what the mirrors have shown."""
    wrong = 0
    for number in range(seed, seed + runs):
        with temporary_place(store) as (place, folder), _reporting(number) as results:
            results.append(run(place, folder, faults, number))
            wrong += bool(results[0].violations)
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
