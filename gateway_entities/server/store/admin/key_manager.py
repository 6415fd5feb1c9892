"""Check and rotation of the keys of a store, while servers use it.

The tables must be at the latest revision.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.crypto.envelope import ENVELOPE_VERSION, Cipher
from gateway_entities.server.store.crypto.key_sources import KeyFile, KeySource, read_keys
from gateway_entities.server.store.crypto.keyring import Key, KeyRing
from gateway_entities.server.store.open import error_context, find_database, open_database
from gateway_entities.server.store.repositories.wrapped_key import WrappedKeys, open_cipher
from gateway_entities.server.store.sql import migrations
from gateway_entities.server.store.sql.database import Database
from gateway_entities.server.store.sql.errors import map_db_errors

# Such a batch holds the write lock for a few milliseconds.
_BATCH: Final = 50
# Later passes find secrets written during the previous one by a server whose first key is another.
_PASSES: Final = 3
_MIN_PAUSE_S: Final = 0.005
_FIRST: Final = ""

Progress = Callable[[int, int], None]
"""Called with the number of processed data keys and the total at the start."""


class KeyUse(NamedTuple):
    """A key that is configured or in use.

    Attributes:
        key_id: its id.
        key: the key; None if it is not configured.
        rows: the number of data keys that it wraps: one for each secret, and the digest key.
    """

    key_id: str
    key: Key | None
    rows: int


class Unreadable(NamedTuple):
    """A value that cannot be decrypted.

    Attributes:
        secret_id: the secret; None for the digest key.
        reason: SECRET_UNREADABLE (altered or moved) or KEY_MISSING.
        message: the error message.
    """

    secret_id: str | None
    reason: str
    message: str


class KeyReport(NamedTuple):
    """Result of a check.

    Attributes:
        keys: the configured keys in order, then the keys in use that are not configured.
        unreadable: the values that cannot be decrypted, ordered by secret id.
        unbound: the number of values that are bound to the id and the name of their secret only, not to its provider and
            api_base; a rotation binds them.
    """

    keys: Sequence[KeyUse]
    unreadable: Sequence[Unreadable]
    unbound: int = 0

    @property
    def rotated(self) -> bool:
        """Whether the first key wraps all data keys."""
        return all(not use.rows for use in self.keys[1:])


class Rotation(NamedTuple):
    """Result of a rotation.

    Attributes:
        key: the key that wraps now.
        rewrapped: the number of rewrapped data keys, and of values that were bound to their destination.
        unreadable: the values that cannot be decrypted, ordered by secret id; they stay unchanged.
        remaining: the number of data keys that other keys still wrap, by key id, including unreadable ones.
    """

    key: Key
    rewrapped: int
    unreadable: Sequence[Unreadable]
    remaining: Mapping[str, int]


class KeyManager:
    """Manages the keys of a store; created by ``open_keys``."""

    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database = database
        self._cipher = Cipher(keys)
        self._keys = keys

    def check(self, progress: Progress) -> KeyReport:
        """Decrypt every value, and report those that cannot be decrypted.

        Raises:
            GatewayError: UNAVAILABLE; the database cannot be read.
        """
        with self._reading() as stored:
            total = sum(stored.counts().values())
            unreadable = list(self._check_digest_key(stored))
        progress(seen := 1, total)
        after, unbound = _FIRST, 0
        while True:
            with self._reading() as stored:
                page = stored.values(after, _BATCH)
            if not page:
                break
            for value in page:
                unbound += value.encrypted.envelope_version < ENVELOPE_VERSION
                try:
                    value.decrypt(self._cipher)
                except GatewayError as error:
                    unreadable.append(_unreadable(value.secret_id, error))
            after = page[-1].secret_id
            progress(seen := seen + len(page), total)
        with self._reading() as stored:
            counts = stored.counts()
        used = [KeyUse(key.id, key, counts.pop(key.id, 0)) for key in self._keys.keys]
        others = [KeyUse(key_id, None, counts[key_id]) for key_id in sorted(counts)]
        return KeyReport([*used, *others], unreadable, unbound)

    def rotate(self, progress: Progress) -> Rotation:
        """Rewrap all data keys with the first key, in small transactions, and bind values of earlier releases.

        Other values are neither decrypted nor written. It can be interrupted at any time; another call continues.

        Raises:
            GatewayError: FAILED_PRECONDITION (a key in use is not configured; nothing was written) or UNAVAILABLE (the
                database cannot be read or written).
        """
        with error_context(self._database), self._database.write() as connection:
            open_cipher(connection, self._keys)
            stored = WrappedKeys(connection, self._cipher)
            total = stored.outdated()
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
            remaining = {key_id: count for key_id, count in stored.counts().items() if key_id != self._keys.first.id}
        return Rotation(self._keys.first, rewrapped, unreadable, remaining)

    def _pass(self) -> Generator[tuple[int, Sequence[Unreadable]]]:
        after: str | None = _FIRST
        while after is not None:
            started = time.monotonic()
            with map_db_errors(), self._database.write() as connection:
                batch = WrappedKeys(connection, self._cipher).rewrap(after, _BATCH)
            after = batch.last
            yield batch.rewrapped, [_unreadable(secret_id, error) for secret_id, error in batch.unreadable]
            if after is not None:
                # SQLite's writers poll for the lock, so it must be free at least half of the time.
                time.sleep(max(time.monotonic() - started, _MIN_PAUSE_S))

    def _check_digest_key(self, stored: WrappedKeys) -> Generator[Unreadable]:
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
    """Open the key manager of a store; servers may use the store concurrently.

    Args:
        url: the store's URL, as for ``open_store``.
        sources: the key sources, with the default of ``open_store``.
        busy_timeout: the maximum wait for another writer, in seconds.

    Raises:
        GatewayError: as ``open_store``, and FAILED_PRECONDITION (no store, or its tables need an upgrade). A missing key is
            not an error here.
    """
    database = find_database(url, busy_timeout)
    try:
        open_database(database, create=False)
        if not sources and database.key_file is not None:
            sources = [KeyFile(database.key_file)]
        keys = read_keys(sources)
        if keys is None:
            raise GatewayError(
                Code.FAILED_PRECONDITION, f"No key of the store {database.location} is configured", reason="KEY_FILE"
            )
        with map_db_errors(), database.read() as connection:
            found = migrations.revision(connection)
        if found != migrations.HEAD:
            raise GatewayError(
                Code.FAILED_PRECONDITION,
                f"The tables of the store {database.location} are at revision {found}, and this release works with "
                f"{migrations.HEAD}; start the server of this release on it, or run: gateway-entities db upgrade",
                reason="STORE_SCHEMA",
            )
        yield KeyManager(database, keys)
    finally:
        database.dispose()


def _unreadable(secret_id: str | None, error: GatewayError) -> Unreadable:
    return Unreadable(secret_id, error.reason or error.code.name, error.message)
