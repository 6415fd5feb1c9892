"""The store and its transactions."""

from __future__ import annotations

import contextlib
import functools
import math
import threading
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, text

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.crypto.envelope import Cipher
from gateway_entities.server.store.quota import Quota
from gateway_entities.server.store.repositories.access import SecretAccesses
from gateway_entities.server.store.repositories.binding import Bindings
from gateway_entities.server.store.repositories.budget import BudgetPolicies
from gateway_entities.server.store.repositories.change import Changes
from gateway_entities.server.store.repositories.charge import BudgetCharges
from gateway_entities.server.store.repositories.endpoint import Endpoints
from gateway_entities.server.store.repositories.guardrail import Guardrails
from gateway_entities.server.store.repositories.guardrail_config import GuardrailConfigs
from gateway_entities.server.store.repositories.idempotency import StoredResponses
from gateway_entities.server.store.repositories.model_definition import ModelDefinitions
from gateway_entities.server.store.repositories.node import NodeReports
from gateway_entities.server.store.repositories.owner import Owners
from gateway_entities.server.store.repositories.secret import Secrets
from gateway_entities.server.store.repositories.spending.alert import SpendAlerts
from gateway_entities.server.store.repositories.spending.reservation import BudgetReservations
from gateway_entities.server.store.repositories.spending.spend import BudgetSpend
from gateway_entities.server.store.repositories.spending.spend_day import SpendDays
from gateway_entities.server.store.repositories.state import StoreState
from gateway_entities.server.store.repositories.token import Tokens
from gateway_entities.server.store.sql import migrations
from gateway_entities.server.store.sql.clock import Clock
from gateway_entities.server.store.sql.database import Database, StoreSize
from gateway_entities.server.store.sql.errors import map_db_errors
from gateway_entities.server.store.sql.write_monitor import WriteMonitor

if TYPE_CHECKING:
    from gateway_entities.server.store.sql.revision_listener import RevisionListener
    from gateway_entities.server.store.sql.revision_probe import RevisionProbe


class Transaction:
    """The repositories and the time of one transaction. Valid inside its ``with`` block, in one thread.

    A failed write may have changed some rows: let the error leave the block, which rolls back.

    Attributes:
        secrets: the secrets.
        model_definitions: the model definitions.
        endpoints: the endpoints with their mappings and tags.
        bindings: the bindings.
        budget_policies: the budget policies.
        budget_spend: the windows of the budget policies.
        budget_charges: the recorded charges.
        budget_reservations: the reservations.
        spend_alerts: the alerts of budget windows.
        spend_days: the recorded spending by day.
        guardrails: the guardrails.
        guardrail_configs: the guardrails of endpoints.
        changes: the change log.
        owners: the owners of resources.
        state: the state of the store itself.
        stored_responses: the responses by request_id.
        tokens: the access tokens.
        secret_accesses: the accesses to secret values.
        node_reports: what the nodes of each server have applied.
        after_commit: functions that are called once a write transaction is committed, outside of it.
    """

    __slots__ = (
        "_cipher",
        "_clock",
        "_connection",
        "_now",
        "_require_room",
        "after_commit",
        "bindings",
        "budget_charges",
        "budget_policies",
        "budget_reservations",
        "budget_spend",
        "changes",
        "endpoints",
        "guardrail_configs",
        "guardrails",
        "model_definitions",
        "node_reports",
        "owners",
        "secret_accesses",
        "secrets",
        "spend_alerts",
        "spend_days",
        "state",
        "stored_responses",
        "tokens",
    )

    def __init__(
        self,
        connection: Connection,
        cipher: Cipher,
        clock: Clock,
        require_room: Callable[[bool], None] = lambda _from_reserve: None,
    ) -> None:
        self._connection = connection
        self._require_room = require_room
        self._clock = clock
        self._now: int | None = None
        self._cipher = cipher
        self.secrets = Secrets(connection, cipher)
        self.model_definitions = ModelDefinitions(connection)
        self.endpoints = Endpoints(connection)
        self.bindings = Bindings(connection)
        self.budget_policies = BudgetPolicies(connection)
        self.budget_spend = BudgetSpend(connection)
        self.budget_charges = BudgetCharges(connection)
        self.budget_reservations = BudgetReservations(connection)
        self.spend_alerts = SpendAlerts(connection)
        self.spend_days = SpendDays(connection)
        self.after_commit: list[Callable[[], None]] = []
        self.guardrails = Guardrails(connection)
        self.guardrail_configs = GuardrailConfigs(connection)
        self.changes = Changes(connection)
        self.owners = Owners(connection)
        self.state = StoreState(connection)
        self.stored_responses = StoredResponses(connection, cipher)
        self.tokens = Tokens(connection)
        self.secret_accesses = SecretAccesses(connection)
        self.node_reports = NodeReports(connection)

    def digest(self, data: bytes) -> bytes:
        """Return a keyed digest of 32 bytes, as ``Store.digest`` does."""
        return self._cipher.digest(data)

    def require_room(self, *, from_reserve: bool = False) -> None:
        """Check that the store may grow.

        Args:
            from_reserve: whether the reserve may be used, for what makes the store smaller in time.

        Raises:
            GatewayError: RESOURCE_EXHAUSTED; it may not.
        """
        self._require_room(from_reserve)

    @property
    def now(self) -> int:
        """The time of the store, the same throughout the transaction: milliseconds since the Unix epoch, UTC."""
        if self._now is None:
            self._now = self._clock.now(self._connection)
        return self._now


# On PostgreSQL the measurement takes as long as a small write.
_SIZE_TTL_S: Final = 1.0

TransactionObserver = Callable[[str, float, float], None]
"""Called after a transaction with its kind, ``read`` or ``write``, and its seconds of waiting and of execution."""


class Store:
    """A configuration database. Thread-safe; created by ``open_store``.

    Attributes:
        location: its path, or its URL without a password.
        new_key_file: the key file that was created when it was opened; None if none was.
    """

    def __init__(
        self,
        database: Database,
        cipher: Cipher,
        write_stall: float,
        max_bytes: int | None = None,
        new_key_file: Path | None = None,
    ) -> None:
        self.location = database.location
        self.new_key_file = new_key_file
        self._quota = None if max_bytes is None else Quota(max_bytes)
        self._database = database
        self._cipher = cipher
        self._idle = threading.Condition()
        self._open_transactions = 0
        self._closed = False
        self._observers: tuple[TransactionObserver, ...] = ()
        self._writes = WriteMonitor(write_stall)
        # Only writers use them, one after another.
        self._used_bytes = 0
        self._measured_at = -math.inf

    def __repr__(self) -> str:
        return f"<Store {self.location}>"

    @property
    def url(self) -> str:
        """URL that opens it, without a password."""
        # The location of an SQLite file is its absolute path, which has no double slash.
        return self.location if "://" in self.location else f"sqlite:///{self.location}"

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
            GatewayError: UNAVAILABLE (the store is closed, cannot be written, is not at its place any more, or stays locked
                for the busy timeout) or FAILED_PRECONDITION (its clock has jumped).
        """
        with self._writes.observe(), self._transaction("write", self._write_in_time()) as transaction:
            yield transaction
        for call in transaction.after_commit:
            call()

    @contextmanager
    def report(self) -> Generator[Transaction]:
        """Open a transaction for ``node_reports`` alone, which does not wait for writers where the database can do so.

        Raises:
            GatewayError: UNAVAILABLE, as of ``write``.
        """
        with self._counted(), map_db_errors(), self._database.report() as connection:
            yield Transaction(connection, self._cipher, self._database.clock)

    def size(self) -> StoreSize:
        """Return the size of the database.

        Raises:
            GatewayError: UNAVAILABLE; it cannot be read.
        """
        with self._counted(), map_db_errors(), self._database.read() as connection:
            return self._database.size(connection)

    def ensure_room(self, size: StoreSize) -> None:
        """Check that the store, if it has this size, accepts all writes.

        Raises:
            GatewayError: RESOURCE_EXHAUSTED; it does not.
        """
        if self._quota is not None:
            self._quota.check(size.used_bytes)

    def release(self, max_bytes: int) -> int:
        """Give free bytes of the database back to the file system, up to ``max_bytes``; return their number."""
        with self._counted(), map_db_errors():
            return self._database.release(max_bytes)

    def observe(self, observer: TransactionObserver) -> None:
        """Call one more observer after every later transaction, in its thread."""
        self._observers = (*self._observers, observer)

    def digest(self, data: bytes) -> bytes:
        """Return a keyed digest of 32 bytes, which may be stored for data that contains a secret."""
        return self._cipher.digest(data)

    def revision(self) -> int | None:
        """Return the current revision without blocking, or None if that is not possible. Safe on an event loop."""
        return None if self._closed else self._database.revision()

    def revision_probe(self) -> RevisionProbe | None:
        """Return a probe for stores whose ``revision`` is None; None for others."""
        return self._database.revision_probe()

    def revision_listener(self, notify: Callable[[], None]) -> RevisionListener | None:
        """Call a function on the running event loop soon after most commits, of any process. None where it cannot be."""
        return self._database.revision_listener(notify)

    def ping(self) -> None:
        """Check that the store can be read, is at its place, and that its clock can be trusted.

        Raises:
            GatewayError: UNAVAILABLE; for the clock FAILED_PRECONDITION.
        """
        with self._counted(), map_db_errors(), self._database.read() as connection:
            self._database.ensure_present()
            connection.execute(_PING).scalar_one()
            self._database.clock.check(connection)

    def check_writes(self) -> None:
        """Check that writes get through. Where they did not, try one, without effect.

        Raises:
            GatewayError: UNAVAILABLE with the cause; they do not.
        """
        if self._writes.error() is None:
            return
        with contextlib.suppress(GatewayError), self._counted(), self._writes.observe(), map_db_errors():
            self._database.probe_write(migrations.VERSION_TABLE)
        if (error := self._writes.error()) is not None:
            raise error

    def close(self) -> None:
        """Wait for open transactions, then close all connections. Later calls raise UNAVAILABLE."""
        with self._idle:
            self._closed = True
            self._idle.wait_for(lambda: self._open_transactions == 0)
        self._database.dispose()

    @contextmanager
    def _write_in_time(self) -> Generator[Connection]:
        clock = self._database.clock
        with self._database.write() as connection:
            clock.check(connection)
            clock.record(connection)
            yield connection

    @contextmanager
    def _transaction(self, kind: str, connecting: AbstractContextManager[Connection]) -> Generator[Transaction]:
        started = time.perf_counter()
        opened: float | None = None
        try:
            with self._counted(), map_db_errors(), connecting as connection:
                opened = time.perf_counter()
                require_room = functools.partial(self._require_room, connection)
                yield Transaction(connection, self._cipher, self._database.clock, require_room)
        finally:
            ended = time.perf_counter()
            opened = opened or ended
            for observer in self._observers:
                observer(kind, opened - started, ended - opened)

    def _require_room(self, connection: Connection, from_reserve: bool) -> None:
        if self._quota is None:
            return
        now = time.monotonic()
        if now - self._measured_at >= _SIZE_TTL_S or self._quota.is_near(self._used_bytes):
            self._used_bytes = self._database.size(connection).used_bytes
            self._measured_at = now
        self._quota.check(self._used_bytes, from_reserve=from_reserve)

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
