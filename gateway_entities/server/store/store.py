"""The store, and the transactions that everything in it is read and written in."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from sqlalchemy import Connection, text

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store import migrations
from gateway_entities.server.store.binding import Bindings
from gateway_entities.server.store.budget import BudgetPolicies
from gateway_entities.server.store.charge import BudgetCharges
from gateway_entities.server.store.encryption import Cipher
from gateway_entities.server.store.endpoint import Endpoints
from gateway_entities.server.store.engines import Engines
from gateway_entities.server.store.faults import translated
from gateway_entities.server.store.model_definition import ModelDefinitions
from gateway_entities.server.store.secret import Secrets
from gateway_entities.server.store.spend import BudgetSpend


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
    """

    __slots__ = (
        "bindings",
        "budget_charges",
        "budget_policies",
        "budget_spend",
        "endpoints",
        "model_definitions",
        "secrets",
    )

    def __init__(self, connection: Connection, cipher: Cipher) -> None:
        self.secrets = Secrets(connection, cipher)
        self.model_definitions = ModelDefinitions(connection)
        self.endpoints = Endpoints(connection)
        self.bindings = Bindings(connection)
        self.budget_policies = BudgetPolicies(connection)
        self.budget_spend = BudgetSpend(connection)
        self.budget_charges = BudgetCharges(connection)


class Store:
    """Configuration in a SQLite file. Safe to use from many threads; ``open_store`` makes one."""

    def __init__(self, path: Path, engines: Engines, cipher: Cipher) -> None:
        self._path = path
        self._engines = engines
        self._cipher = cipher
        self._changed = threading.Condition()
        self._open_transactions = 0
        self._closed = False

    def __repr__(self) -> str:
        return f"<Store {self._path}>"

    @contextmanager
    def read(self) -> Generator[Transaction]:
        """Open a transaction that sees one state of the store, whatever others write, and cannot change it.

        Raises:
            GatewayError: UNAVAILABLE when the store is closed or its file cannot be read.
        """
        with self._transaction(self._engines.read()) as transaction:
            yield transaction

    @contextmanager
    def write(self) -> Generator[Transaction]:
        """Open the transaction that may change the store; there is one at a time.

        All of it is stored, durably, when the block ends, and none of it when an exception leaves the block. A thread that
        is in such a block must not open a second.

        Raises:
            GatewayError: UNAVAILABLE when the store is closed, its file cannot be written, or other writers do not end
                within the busy timeout.
        """
        with self._transaction(self._engines.write()) as transaction:
            yield transaction

    def ping(self) -> None:
        """Check that the store can be read.

        Raises:
            GatewayError: UNAVAILABLE when it cannot.
        """
        with self._counted(), translated(), self._engines.read() as connection:
            if not self._path.exists():
                raise GatewayError(Code.UNAVAILABLE, "The store's file is gone", reason="STORE_UNAVAILABLE")
            connection.execute(_PING).scalar_one()

    def close(self) -> None:
        """Wait for the transactions that are open, then close the file. Later calls find the store closed."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: self._open_transactions == 0)
        self._engines.dispose()

    @contextmanager
    def _transaction(self, opening: AbstractContextManager[Connection]) -> Generator[Transaction]:
        with self._counted(), translated(), opening as connection:
            yield Transaction(connection, self._cipher)

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
