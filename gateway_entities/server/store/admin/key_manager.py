"""The keys of a store that others use meanwhile: telling whether they open everything, and changing to another one.

The database must exist, with its tables at the newest revision.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.crypto.envelope import Cipher
from gateway_entities.server.store.crypto.key_sources import KeyFile, KeySource, read_keys
from gateway_entities.server.store.crypto.keyring import Key, KeyRing
from gateway_entities.server.store.crypto.wrapped_keys import WrappedKeys, unlock
from gateway_entities.server.store.open import find_database, naming, open_database
from gateway_entities.server.store.sql import migrations
from gateway_entities.server.store.sql.database import Database
from gateway_entities.server.store.sql.errors import map_db_errors

# A batch of this size holds the write lock for some milliseconds.
_BATCH: Final = 50
# What a second and a third pass still find was written during the one before, under a key that some server has as its first.
_PASSES: Final = 3
_SHORTEST_PAUSE: Final = 0.005
_FIRST: Final = ""

Progress = Callable[[int, int], None]
"""Called with how many data keys were seen so far, and how many there were at the start."""


class KeyUse(NamedTuple):
    """A key that is configured or in use.

    Attributes:
        key_id: its id.
        key: the configured key; None when it is not configured.
        rows: how many data keys it wraps: one of each secret, and the store's own.
    """

    key_id: str
    key: Key | None
    rows: int


class Unreadable(NamedTuple):
    """Something that cannot be decrypted.

    Attributes:
        secret_id: which secret; None for the store's own key, that of digests.
        reason: what is the matter, for programs: SECRET_UNREADABLE (altered or moved) or KEY_MISSING.
        message: the same for people.
    """

    secret_id: str | None
    reason: str
    message: str


class KeyReport(NamedTuple):
    """What is known of the keys of a store.

    Attributes:
        keys: the configured keys, the one that wraps first, then those that are in use and not configured.
        unreadable: what cannot be decrypted, secrets in order of their ids.
    """

    keys: Sequence[KeyUse]
    unreadable: Sequence[Unreadable]

    @property
    def rotated(self) -> bool:
        """Whether the first key wraps everything."""
        return all(not use.rows for use in self.keys[1:])


class Rotation(NamedTuple):
    """What a rotation did.

    Attributes:
        key: the key that wraps now.
        rewrapped: how many data keys it wrapped anew.
        unreadable: those that it could not, secrets in order of their ids; they stay as they are.
        left: how many data keys other keys still wrap, by key id; those that are unreadable among them.
    """

    key: Key
    rewrapped: int
    unreadable: Sequence[Unreadable]
    left: Mapping[str, int]


class KeyManager:
    """Looks after the keys of one store; ``open_keys`` makes one."""

    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database = database
        self._cipher = Cipher(keys)
        self._keys = keys

    def check(self, progress: Progress) -> KeyReport:
        """Decrypt everything, keep nothing, and tell what cannot be decrypted. Others may write meanwhile.

        Raises:
            GatewayError: UNAVAILABLE when the database cannot be read.
        """
        with self._reading() as stored:
            total = sum(stored.counts().values())
            unreadable = list(self._own_unreadable(stored))
        progress(seen := 1, total)
        after = _FIRST
        while True:
            with self._reading() as stored:
                page = stored.secrets(after, _BATCH)
            if not page:
                break
            for secret_id, secret_name, sealed in page:
                try:
                    self._cipher.unseal(secret_id, secret_name, sealed)
                except GatewayError as error:
                    unreadable.append(_unreadable(secret_id, error))
            after = page[-1].secret_id
            progress(seen := seen + len(page), total)
        with self._reading() as stored:
            counts = stored.counts()
        used = [KeyUse(key.id, key, counts.pop(key.id, 0)) for key in self._keys.keys]
        return KeyReport([*used, *(KeyUse(key_id, None, counts[key_id]) for key_id in sorted(counts))], unreadable)

    def rotate(self, progress: Progress) -> Rotation:
        """Wrap every data key with the first key, in small transactions. Values are neither decrypted nor written.

        It may be ended at any moment: what is wrapped anew is, and another call does the rest.

        Raises:
            GatewayError: FAILED_PRECONDITION naming a key that is in use and not configured, before anything is written;
                UNAVAILABLE when the database cannot be read or written.
        """
        with naming(self._database), self._database.write() as connection:
            unlock(connection, self._keys)
            stored = WrappedKeys(connection, self._cipher)
            total = self._others(stored)
            rewrapped = int(stored.rewrap_digest_key())
        unreadable: list[Unreadable] = []
        for _ in range(_PASSES):
            unreadable.clear()
            before = rewrapped
            for done, found in self._pass():
                rewrapped += done
                unreadable += found
                progress(rewrapped + len(unreadable), total)
            if rewrapped == before:
                break
        with self._reading() as stored:
            left = {key_id: count for key_id, count in stored.counts().items() if key_id != self._keys.first.id}
        return Rotation(self._keys.first, rewrapped, unreadable, left)

    def _pass(self) -> Generator[tuple[int, Sequence[Unreadable]]]:
        after: str | None = _FIRST
        while after is not None:
            began = time.monotonic()
            with map_db_errors(), self._database.write() as connection:
                batch = WrappedKeys(connection, self._cipher).rewrap(after, _BATCH)
            after = batch.last
            yield batch.rewrapped, [_unreadable(secret_id, error) for secret_id, error in batch.unreadable]
            if after is not None:
                # Writers that poll for the lock, as SQLite's do, must find it free at least half of the time.
                time.sleep(max(time.monotonic() - began, _SHORTEST_PAUSE))

    def _others(self, stored: WrappedKeys) -> int:
        return sum(count for key_id, count in stored.counts().items() if key_id != self._keys.first.id)

    def _own_unreadable(self, stored: WrappedKeys) -> Generator[Unreadable]:
        wrapped = stored.digest_key()
        if wrapped is not None:
            try:
                self._cipher.rewrap_digest_key(wrapped)
            except GatewayError as error:
                yield _unreadable(None, error)

    @contextmanager
    def _reading(self) -> Generator[WrappedKeys]:
        with map_db_errors(), self._database.read() as connection:
            yield WrappedKeys(connection, self._cipher)


@contextmanager
def open_keys(url: str, sources: Sequence[KeySource], *, busy_timeout: float = 10.0) -> Generator[KeyManager]:
    """Open what looks after the keys of a store, which servers may use meanwhile.

    Args:
        url: where the store is, as for ``open_store``.
        sources: where its keys are; without any, the file beside the SQLite database.
        busy_timeout: the longest wait for another writer, in seconds.

    Raises:
        GatewayError: as ``open_store``; FAILED_PRECONDITION also when there is no store, or it needs an upgrade first. A key
            that is in use and not configured is no error yet.
    """
    database = find_database(url, busy_timeout)
    try:
        open_database(database, create=False)
        if not sources and database.key_file is not None:
            sources = [KeyFile(database.key_file)]
        keys = read_keys(sources)
        if keys is None:
            raise GatewayError(Code.FAILED_PRECONDITION, f"No key of the store {database.place} is named", reason="KEY_FILE")
        with map_db_errors(), database.read() as connection:
            found = migrations.revision(connection)
        if found != migrations.HEAD:
            raise GatewayError(
                Code.FAILED_PRECONDITION,
                f"The tables of the store {database.place} are at revision {found}, and this release works with "
                f"{migrations.HEAD}; start this release's server on it, or run: gateway-entities db upgrade",
                reason="STORE_SCHEMA",
            )
        yield KeyManager(database, keys)
    finally:
        database.dispose()


def _unreadable(secret_id: str | None, error: GatewayError) -> Unreadable:
    return Unreadable(secret_id, error.reason or error.code.name, error.message)
