"""Wrapped data keys: those of secrets, and the store's own digest key."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, union_all, update

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.crypto.envelope import ENVELOPE_VERSION, Cipher, EncryptedValue
from gateway_entities.server.store.crypto.keyring import KeyRing, WrappedKey
from gateway_entities.server.store.repositories.secret import VALUE_COLUMNS, StoredValue
from gateway_entities.server.store.sql.schema import secrets, wrapped_keys

_DIGEST: Final = "digest"

_log = logging.getLogger(__name__)

_COUNTS: Final = union_all(
    *(select(column, func.count()).group_by(column) for column in (secrets.c.key_id, wrapped_keys.c.key_id))
)
_SECRET_KEYS: Final = select(secrets.c.key_id, func.count()).group_by(secrets.c.key_id).order_by(secrets.c.key_id)
_PAGE: Final = (
    select(*VALUE_COLUMNS)
    .where(secrets.c.secret_id > bindparam("after"))
    .order_by(secrets.c.secret_id)
    .limit(bindparam("limit"))
)
_OUTDATED: Final = or_(secrets.c.key_id != bindparam("first"), secrets.c.envelope_version < ENVELOPE_VERSION)
_COUNT_OUTDATED: Final = select(func.count()).select_from(secrets).where(_OUTDATED)
_OTHERS: Final = (
    select(*VALUE_COLUMNS)
    .where(secrets.c.secret_id > bindparam("after"), _OUTDATED)
    .order_by(secrets.c.secret_id)
    .limit(bindparam("limit"))
)
_REWRAP: Final = update(secrets).where(secrets.c.secret_id == bindparam("id"))
_OWN: Final = select(wrapped_keys.c.wrapped_key, wrapped_keys.c.key_id).where(wrapped_keys.c.name == _DIGEST)
_ADD_OWN: Final = insert(wrapped_keys)
_REMOVE_OWN: Final = delete(wrapped_keys).where(wrapped_keys.c.name == _DIGEST)
_REWRAP_OWN: Final = update(wrapped_keys).where(wrapped_keys.c.name == _DIGEST)


class Batch(NamedTuple):
    """Result of one batch of a rotation.

    Attributes:
        rewrapped: the number of rewrapped data keys, and of values that were bound to their destination.
        unreadable: the secret ids whose data key cannot be decrypted and stays unchanged, with the errors.
        last: the last secret id of the batch; None if it was empty.
    """

    rewrapped: int
    unreadable: Sequence[tuple[str, GatewayError]]
    last: str | None


class WrappedKeys:
    """The wrapped data keys within one transaction.

    Attributes:
        cipher: the cipher that rewraps.
    """

    __slots__ = ("_connection", "cipher")

    def __init__(self, connection: Connection, cipher: Cipher) -> None:
        self._connection = connection
        self.cipher: Final = cipher

    def counts(self) -> dict[str, int]:
        """Return the number of data keys for each key-encryption key, by its id, including the digest key."""
        counts: dict[str, int] = {}
        for key_id, count in self._connection.execute(_COUNTS).all():
            counts[key_id] = counts.get(key_id, 0) + count
        return counts

    def outdated(self) -> int:
        """Return the number of secrets that ``rewrap`` changes, and 1 more if the digest key has to be rewrapped."""
        first = self.cipher.keys.first.id
        own = self.digest_key()
        found: int = self._connection.execute(_COUNT_OUTDATED, {"first": first}).scalar_one()
        return found + (own is not None and own.key_id != first)

    def values(self, after: str, limit: int) -> list[StoredValue]:
        """Return the values of up to ``limit`` secrets with ids greater than ``after``, ordered by id."""
        return [StoredValue.read(row) for row in self._connection.execute(_PAGE, {"after": after, "limit": limit})]

    def rewrap(self, after: str, limit: int) -> Batch:
        """Rewrap data keys of secrets that another key than the first wraps, and bind values of the first version.

        Args:
            after: the secret id that the batch starts after.
            limit: the maximum number of secrets.
        """
        others = self._connection.execute(
            _OTHERS, {"after": after, "first": self.cipher.keys.first.id, "limit": limit}
        ).all()
        # Those that are bound need no decryption of their values.
        updates: dict[type[tuple[Any, ...]], list[dict[str, object]]] = {}
        unreadable: list[tuple[str, GatewayError]] = []
        for stored in map(StoredValue.read, others):
            try:
                renewed = self._renewed(stored)
            except GatewayError as error:
                unreadable.append((stored.secret_id, error))
            else:
                updates.setdefault(type(renewed), []).append({"id": stored.secret_id, **renewed._asdict()})
        for rows in updates.values():
            self._connection.execute(_REWRAP, rows)
        return Batch(sum(map(len, updates.values())), unreadable, others[-1].secret_id if others else None)

    def _renewed(self, stored: StoredValue) -> WrappedKey | EncryptedValue:
        encrypted = stored.encrypted
        if encrypted.envelope_version < ENVELOPE_VERSION:
            return stored.renew(self.cipher)
        return self.cipher.rewrap(stored.secret_id, WrappedKey(encrypted.wrapped_key, encrypted.key_id))

    def digest_key(self) -> WrappedKey | None:
        """Return the digest key; None in a store that was upgraded but not opened since."""
        return _digest_row(self._connection)

    def rewrap_digest_key(self) -> bool:
        """Rewrap the digest key with the first key; return whether another key wrapped it.

        Raises:
            GatewayError: DATA_LOSS (it was altered) or FAILED_PRECONDITION (its key is not configured).
        """
        wrapped = self.digest_key()
        if wrapped is None or wrapped.key_id == self.cipher.keys.first.id:
            return False
        self._connection.execute(_REWRAP_OWN, self.cipher.rewrap_digest_key(wrapped)._asdict())
        return True


def open_cipher(connection: Connection, keys: KeyRing) -> Cipher:
    """Return the store's cipher, after checking that all keys in use are configured.

    Args:
        connection: a connection that holds the write lock.
        keys: the configured keys.

    Raises:
        GatewayError: FAILED_PRECONDITION (a key in use is not configured) or DATA_LOSS (the digest key was altered).
    """
    in_use = connection.execute(_SECRET_KEYS).all()
    if missing := [f"key {key_id} ({count} of them)" for key_id, count in in_use if key_id not in keys]:
        raise GatewayError(
            Code.FAILED_PRECONDITION,
            f"its secrets are encrypted with {' and '.join(missing)}, which is not configured: {keys.describe()}; "
            "add the missing key, or replace these by it",
            reason="KEY_MISSING",
        )
    own = _digest_row(connection)
    if own is None or (not in_use and own.key_id not in keys):
        own = _new_digest_key(connection, Cipher(keys), own)
    cipher = Cipher(keys, own)
    try:
        # Fails here instead of in a request.
        cipher.digest(b"")
    except GatewayError as error:
        missing_key = error.reason == "KEY_MISSING"
        remedy = f"add it ({keys.describe()})" if missing_key else "restore the database from a backup"
        raise GatewayError(
            error.code,
            f"{error.message}; {remedy}, or delete the row of its table wrapped_keys: repeats of earlier requests will "
            "then fail",
            reason=error.reason,
        ) from error
    return cipher


def _digest_row(connection: Connection) -> WrappedKey | None:
    row = connection.execute(_OWN).one_or_none()
    return None if row is None else WrappedKey(*row)


def _new_digest_key(connection: Connection, cipher: Cipher, lost: WrappedKey | None) -> WrappedKey:
    if lost is not None:
        # Without secrets, nothing else is encrypted with the lost key, so the store stays usable.
        _log.warning(
            "The store's digest key is encrypted with key %s, which is not configured. The store has no secrets, so it gets "
            "a new digest key: repeats of earlier requests will fail",
            lost.key_id,
        )
        connection.execute(_REMOVE_OWN)
    made = cipher.new_digest_key()
    connection.execute(_ADD_OWN, {"name": _DIGEST, **made._asdict()})
    return made
