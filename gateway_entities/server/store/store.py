"""The store and its transactions."""

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
from gateway_entities.server.store.repositories.state import StoreState
from gateway_entities.server.store.repositories.token import Tokens
from gateway_entities.server.store.sql import migrations
from gateway_entities.server.store.sql.database import Database
from gateway_entities.server.store.sql.errors import map_db_errors

if TYPE_CHECKING:
    from gateway_entities.server.store.sql.revision_probe import RevisionProbe


class Transaction:
    """The repositories within one transaction. Valid inside its ``with`` block, in one thread.

    A failed write may have changed some rows: let the error leave the block, which rolls back.

    Attributes:
        secrets: the secrets.
        model_definitions: the model definitions.
        endpoints: the endpoints with their mappings and tags.
        bindings: the bindings.
        budget_policies: the budget policies.
        budget_spend: the spending counters of the budget policies.
        budget_charges: the recorded charges.
        changes: the change log.
        state: the state of the store itself.
        stored_responses: the responses by request_id.
        tokens: the access tokens.
    """

    __slots__ = (
        "_cipher",
        "bindings",
        "budget_charges",
        "budget_policies",
        "budget_spend",
        "changes",
        "endpoints",
        "model_definitions",
        "secrets",
        "state",
        "stored_responses",
        "tokens",
    )

    def __init__(self, connection: Connection, cipher: Cipher) -> None:
        self._cipher = cipher
        self.secrets = Secrets(connection, cipher)
        self.model_definitions = ModelDefinitions(connection)
        self.endpoints = Endpoints(connection)
        self.bindings = Bindings(connection)
        self.budget_policies = BudgetPolicies(connection)
        self.budget_spend = BudgetSpend(connection)
        self.budget_charges = BudgetCharges(connection)
        self.changes = Changes(connection)
        self.state = StoreState(connection)
        self.stored_responses = StoredResponses(connection, cipher)
        self.tokens = Tokens(connection)

    def digest(self, data: bytes) -> bytes:
        """Return a keyed digest of 32 bytes, as ``Store.digest`` does."""
        return self._cipher.digest(data)


TransactionObserver = Callable[[str, float, float], None]
"""Called after a transaction with its kind, ``read`` or ``write``, and its seconds of waiting and of execution."""


class Store:
    """A configuration database. Thread-safe; created by ``open_store``."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher
        self._idle = threading.Condition()
        self._open_transactions = 0
        self._closed = False
        self._observer: TransactionObserver | None = None

    def __repr__(self) -> str:
        return f"<Store {self._database.location}>"

    @contextmanager
    def read(self) -> Generator[Transaction]:
        """Open a read-only transaction on one snapshot.

        Raises:
            GatewayError: UNAVAILABLE; the store is closed or cannot be read.
        """
        with self._transaction("read", self._database.read()) as transaction:
            yield transaction

    @contextmanager
    def write(self) -> Generator[Transaction]:
        """Open a write transaction; there is one at a time across all processes. Not reentrant.

        It commits durably when the block ends, and rolls back on an exception.

        Raises:
            GatewayError: UNAVAILABLE; the store is closed, cannot be written, or stays locked for the busy timeout.
        """
        with self._transaction("write", self._database.write()) as transaction:
            yield transaction

    def observe(self, observer: TransactionObserver) -> None:
        """Call an observer after every later transaction, in its thread."""
        self._observer = observer

    def digest(self, data: bytes) -> bytes:
        """Return a keyed digest of 32 bytes, which may be stored for data that contains a secret."""
        return self._cipher.digest(data)

    def revision(self) -> int | None:
        """Return the current revision without blocking, or None if that is not possible. Safe on an event loop."""
        return None if self._closed else self._database.revision()

    def revision_probe(self) -> RevisionProbe | None:
        """Return a probe for stores whose ``revision`` is None; None for others."""
        return self._database.revision_probe()

    def ping(self) -> None:
        """Check that the store can be read.

        Raises:
            GatewayError: UNAVAILABLE; it cannot.
        """
        with self._counted(), map_db_errors(), self._database.read() as connection:
            self._database.ensure_present()
            connection.execute(_PING).scalar_one()

    def close(self) -> None:
        """Wait for open transactions, then close all connections. Later calls raise UNAVAILABLE."""
        with self._idle:
            self._closed = True
            self._idle.wait_for(lambda: self._open_transactions == 0)
        self._database.dispose()

    @contextmanager
    def _transaction(self, kind: str, connecting: AbstractContextManager[Connection]) -> Generator[Transaction]:
        started = time.perf_counter()
        opened: float | None = None
        try:
            with self._counted(), map_db_errors(), connecting as connection:
                opened = time.perf_counter()
                yield Transaction(connection, self._cipher)
        finally:
            if self._observer is not None:
                ended = time.perf_counter()
                opened = opened or ended
                self._observer(kind, opened - started, ended - opened)

    @contextmanager
    def _counted(self) -> Generator[None]:
        with self._idle:
            if self._closed:
                raise GatewayError(Code.UNAVAILABLE, "The store is closed", reason="STORE_CLOSED")
            self._open_transactions += 1
        try:
            yield
        finally:
            with self._idle:
                self._open_transactions -= 1
                self._idle.notify_all()


_PING = text(f"SELECT version_num FROM {migrations.VERSION_TABLE}")  # noqa: S608  # a constant
