"""The store, and the transactions that everything in it is read and written in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.crypto.envelope import Cipher
from gateway_entities.server.store.repositories.binding import Bindings
from gateway_entities.server.store.repositories.budget import BudgetPolicies
from gateway_entities.server.store.repositories.change import Changes
from gateway_entities.server.store.repositories.charge import BudgetCharges
from gateway_entities.server.store.repositories.endpoint import Endpoints
from gateway_entities.server.store.repositories.idempotency import StoredResponses
from gateway_entities.server.store.repositories.model_definition import ModelDefinitions
from gateway_entities.server.store.repositories.secret import Secrets
from gateway_entities.server.store.repositories.spend import BudgetSpend
from gateway_entities.server.store.repositories.token import Tokens
from gateway_entities.server.store.sql import migrations
from gateway_entities.server.store.sql.database import Database
from gateway_entities.server.store.sql.errors import map_db_errors

if TYPE_CHECKING:
    from gateway_entities.server.store.sql.revision_probe import RevisionProbe


class Transaction:
    """Everything in the store, as one transaction sees it. Valid inside the block that opened it, in one thread.

    A change that is refused may have been made in part: let the error leave the block, which undoes it.

    Attributes:
        secrets: the secrets.
        model_definitions: the model definitions.
        endpoints: the endpoints with their mappings and tags.
        bindings: the bindings.
        budget_policies: the budget policies.
        budget_spend: what was spent in the windows of the budget policies.
        budget_charges: the charges that were recorded in the last time.
        changes: the change log.
        answers: the answers that were given to named requests in the last time.
        tokens: the bearer tokens of callers.
    """

    __slots__ = (
        "bindings",
        "budget_charges",
        "budget_policies",
        "budget_spend",
        "changes",
        "endpoints",
        "model_definitions",
        "secrets",
        "stored_responses",
        "tokens",
    )

    def __init__(self, connection: Connection, cipher: Cipher) -> None:
        self.secrets = Secrets(connection, cipher)
        self.model_definitions = ModelDefinitions(connection)
        self.endpoints = Endpoints(connection)
        self.bindings = Bindings(connection)
        self.budget_policies = BudgetPolicies(connection)
        self.budget_spend = BudgetSpend(connection)
        self.budget_charges = BudgetCharges(connection)
        self.changes = Changes(connection)
        self.stored_responses = StoredResponses(connection, cipher)
        self.tokens = Tokens(connection)


Watcher = Callable[[str, float, float], None]
"""Hears of a transaction that has ended: ``read`` or ``write``, the seconds until it was open, the seconds that it was."""


class Store:
    """Configuration in a database. Safe to use from many threads; ``open_store`` makes one."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher
        self._changed = threading.Condition()
        self._open_transactions = 0
        self._closed = False
        self._watcher: Watcher | None = None

    def __repr__(self) -> str:
        return f"<Store {self._database.place}>"

    @contextmanager
    def read(self) -> Generator[Transaction]:
        """Open a transaction that sees one state of the store, whatever others write, and cannot change it.

        Raises:
            GatewayError: UNAVAILABLE when the store is closed or cannot be read.
        """
        with self._transaction("read", self._database.read()) as transaction:
            yield transaction

    @contextmanager
    def write(self) -> Generator[Transaction]:
        """Open the transaction that may change the store; of all processes that have it open, one at a time is in it.

        All of it is stored, durably, when the block ends, and none of it when an exception leaves the block. A thread that
        is in such a block must not open a second.

        Raises:
            GatewayError: UNAVAILABLE when the store is closed, cannot be written, or other writers do not end within the
                busy timeout.
        """
        with self._transaction("write", self._database.write()) as transaction:
            yield transaction

    def watch(self, watcher: Watcher) -> None:
        """Tell a function of every transaction from now on, in the thread that had it."""
        self._watcher = watcher

    def digest(self, data: bytes) -> bytes:
        """Return 32 bytes that tell equal data from other, and that nobody can compute without the store's keys.

        It may be stored where the data, or a plain hash of it, must not be: a request that holds a secret.
        """
        return self._cipher.digest(data)

    def revision(self) -> int | None:
        """Return the revision of the last change, if it can be told at once; None when that would take a while.

        It may be called on an event loop.
        """
        return None if self._closed else self._database.revision()

    def revision_probe(self) -> RevisionProbe | None:
        """Return what asks for the revision where ``revision`` cannot tell it; None where it can."""
        return self._database.revision_probe()

    def ping(self) -> None:
        """Check that the store can be read.

        Raises:
            GatewayError: UNAVAILABLE when it cannot.
        """
        with self._counted(), map_db_errors(), self._database.read() as connection:
            self._database.ensure_present()
            connection.execute(_PING).scalar_one()

    def close(self) -> None:
        """Wait for the transactions that are open, then close its connections. Later calls find the store closed."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: self._open_transactions == 0)
        self._database.dispose()

    @contextmanager
    def _transaction(self, kind: str, opening: AbstractContextManager[Connection]) -> Generator[Transaction]:
        began = time.perf_counter()
        opened: float | None = None
        try:
            with self._counted(), map_db_errors(), opening as connection:
                opened = time.perf_counter()
                yield Transaction(connection, self._cipher)
        finally:
            if self._watcher is not None:
                ended = time.perf_counter()
                opened = opened or ended
                self._watcher(kind, opened - began, ended - opened)

    @contextmanager
    def _counted(self) -> Generator[None]:
        with self._changed:
            if self._closed:
                raise GatewayError(Code.UNAVAILABLE, "The store is closed", reason="STORE_CLOSED")
            self._open_transactions += 1
        try:
            yield
        finally:
            with self._changed:
                self._open_transactions -= 1
                self._changed.notify_all()


_PING = text(f"SELECT version_num FROM {migrations.VERSION_TABLE}")  # noqa: S608  # a constant
