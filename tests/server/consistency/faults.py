"""Faults of servers, database, disk and tokens at random moments of a history."""

from __future__ import annotations

import math
import random
import resource
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import Final

from gateway_entities.errors import GatewayError
from gateway_entities.server.store.admin.token_manager import TokenManager
from gateway_entities.server.store.repositories.token import AccessScope
from tests.server.consistency.failing_server import FailingServer
from tests.server.consistency.history import TokenUse
from tests.server.consistency.lossy_proxy import LossyProxy
from tests.stores import Place

_PAUSES: Final = 5, 60
"""Requests of all clients between two faults."""
_LONGEST_PAUSE_S: Final = 1.0
_POLL_S: Final = 0.005
_FULL_S: Final = 0.05, 0.3
_STARTS: Final = 5
_GUESTS: Final = 4
"""Tokens for all clients."""
_STEPS: Final = 14
"""A change of one endpoint has fewer steps, so that all of them are chosen."""
_PAGES: Final = 0xFFFFFFFE


class Tokens:
    """Tokens that are made and revoked during a history, and used afterwards too. Thread-safe."""

    def __init__(self, manager: TokenManager) -> None:
        """Create tokens, some of them for all clients."""
        self._manager = manager
        self._texts: dict[str, str] = {}
        self.uses: dict[str, TokenUse] = {}
        for number in range(_GUESTS):
            self.create(f"guest-{number}", AccessScope.READ)

    def create(self, name: str, scope: AccessScope = AccessScope.ADMIN) -> str | None:
        """Create a token; return its text, or None if the store does not permit it now."""
        before = time.monotonic()
        try:
            text = self._manager.create(name, scope).text
        except GatewayError:
            return None
        self.uses[name] = TokenUse(name, (before, time.monotonic()))
        self._texts[name] = text
        return text

    def revoke(self, name: str) -> None:
        """Revoke a token. After an error it may be revoked."""
        before = time.monotonic()
        after = math.inf
        try:
            self._manager.revoke(name)
        except GatewayError:
            pass
        else:
            after = time.monotonic()
        self.uses[name] = replace(self.uses[name], revoked=(before, after))

    def choose(self, chance: random.Random) -> tuple[str, str] | None:
        """Return the name and text of one of the last tokens; None if there is none."""
        recent = [item for item in list(self._texts.items()) if item[0].startswith("guest")][-_GUESTS:]
        return chance.choice(recent) if recent else None


class Faults:
    """A thread that disturbs a history.

    Attributes:
        done: the faults, in their order.
        error: what ended the thread too early.
    """

    def __init__(
        self,
        place: Place,
        servers: Sequence[FailingServer],
        database: LossyProxy | None,
        tokens: Tokens,
        seed: int,
        requests: Callable[[], int],
    ) -> None:
        """Create it.

        Args:
            place: the store's place.
            servers: its servers.
            database: the proxy before PostgreSQL.
            tokens: the tokens.
            seed: the seed of the choices.
            requests: returns the number of requests that the clients have sent, which is its clock: on a slow machine there
                are not more faults.
        """
        self._requests = requests
        self._place = place
        self._servers = servers
        self._database = database
        self._tokens = tokens
        self._chance = random.Random(f"{seed} faults")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._guests = _GUESTS
        self.done: list[str] = []
        self.error: BaseException | None = None
        everywhere: list[tuple[float, Callable[[], str]]] = [
            (2, self._kill),
            (4, self._crash),
            (4, self._delay),
            (6, self._token),
        ]
        on_sqlite = [(2.0, self._full_file), (2.0, self._full_pages)]
        on_postgresql = [(2.0, self._cut), (0.7, self._stop)]
        self._kinds = [*everywhere, *(on_sqlite if database is None else on_postgresql)]

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread, with all servers running."""
        self._over.set()
        self._thread.join()
        if self.error is not None:
            raise self.error

    def _run(self) -> None:
        try:
            while not self._pause():
                (fault,) = self._chance.choices([fault for _, fault in self._kinds], [weight for weight, _ in self._kinds])
                self.done.append(f"{time.monotonic():.4f} {fault()}")
            self._restart()
        except BaseException as error:
            self.error = error

    def _pause(self) -> bool:
        """Wait for the next fault, and start servers that a failpoint has killed; return whether the history is over."""
        until, deadline = self._requests() + self._chance.randint(*_PAUSES), time.monotonic() + _LONGEST_PAUSE_S
        while self._requests() < until and time.monotonic() < deadline:
            self._restart()
            if self._over.wait(_POLL_S):
                return True
        return self._over.is_set()

    def _restart(self) -> None:
        """Start the servers that a failpoint has killed."""
        if dead := [server for server in self._servers if server.pid is None]:
            restart(dead)

    def _server(self) -> FailingServer:
        return self._chance.choice(self._servers)

    def _kill(self) -> str:
        killed = list(self._servers) if self._chance.random() < 0.2 else [self._server()]
        restart(killed)
        return f"killed {len(killed)}"

    def _crash(self) -> str:
        steps = self._chance.randint(1, _STEPS)
        self._server().send(f"crash {steps}")
        return f"crash at step {steps}"

    def _delay(self) -> str:
        steps, seconds = self._chance.randint(1, _STEPS), self._chance.uniform(0.01, 0.2)
        self._server().send(f"delay {steps} {seconds}")
        return f"delay of {seconds:.3f} at step {steps}"

    def _full_file(self) -> str:
        """Limit the size of the files that a server writes, so that SQLite's log and its file do not grow."""
        server, limit = self._server(), self._chance.choice([1 << 12, 1 << 14, 1 << 16])
        pid = server.pid
        if pid is None:
            return "nothing"
        soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        self._over.wait(self._chance.uniform(*_FULL_S))
        if server.pid is not None:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
        return f"files limited to {limit}"

    def _full_pages(self) -> str:
        server = self._server()
        server.send("pages 1")
        self._over.wait(self._chance.uniform(*_FULL_S))
        server.send(f"pages {_PAGES}")
        return "file full"

    def _cut(self) -> str:
        assert self._database is not None
        self._database.cut()
        return "connections to the database cut"

    def _stop(self) -> str:
        self._place.server.kill()
        self._place.server.start()
        return "killed the database"

    def _token(self) -> str:
        """Revoke a guest; create one when there is none left, for a server reads all tokens when it meets a new one."""
        for name in sorted(self._tokens.uses):
            if name.startswith("guest") and self._tokens.uses[name].revoked[0] == math.inf:
                self._tokens.revoke(name)
                return f"revoked {name}"
        # After an error the name may be taken.
        name = f"guest-{self._guests}"
        self._guests += 1
        return f"created {name}" if self._tokens.create(name, AccessScope.READ) is not None else f"no token {name}"


def restart(servers: Sequence[FailingServer]) -> None:
    """Kill servers and start them, again if the database is lost while they start.

    Raises:
        AssertionError: one does not start.
    """
    for server in servers:
        server.kill()
    for attempts_left in reversed(range(_STARTS)):
        for server in servers:
            if server.pid is None:
                server.kill()
                server.start()
        for server in servers:
            with suppress(AssertionError) if attempts_left else nullcontext():
                server.wait()
