"""The wrapped data keys in the store: which key-encryption key wraps each, and wrapping them anew.

Beside the data key of each secret the store has one of its own, that of digests.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, insert, select, union_all, update

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.crypto.envelope import Cipher, EncryptedValue
from gateway_entities.server.store.crypto.keyring import KeyRing, Wrapped
from gateway_entities.server.store.sql.schema import secrets, wrapped_keys

_DIGEST: Final = "digest"

_log = logging.getLogger(__name__)

_COUNTS: Final = union_all(
    *(select(column, func.count()).group_by(column) for column in (secrets.c.key_id, wrapped_keys.c.key_id))
)
_SECRET_KEYS: Final = select(secrets.c.key_id, func.count()).group_by(secrets.c.key_id).order_by(secrets.c.key_id)
_PAGE: Final = (
    select(secrets.c.secret_id, secrets.c.secret_name, secrets.c.ciphertext, secrets.c.wrapped_key, secrets.c.key_id)
    .where(secrets.c.secret_id > bindparam("after"))
    .order_by(secrets.c.secret_id)
    .limit(bindparam("limit"))
)
_OTHERS: Final = (
    select(secrets.c.secret_id, secrets.c.wrapped_key, secrets.c.key_id)
    .where(secrets.c.secret_id > bindparam("after"), secrets.c.key_id != bindparam("first"))
    .order_by(secrets.c.secret_id)
    .limit(bindparam("limit"))
)
_REWRAP: Final = update(secrets).where(secrets.c.secret_id == bindparam("id"))
_OWN: Final = select(wrapped_keys.c.wrapped_key, wrapped_keys.c.key_id).where(wrapped_keys.c.name == _DIGEST)
_ADD_OWN: Final = insert(wrapped_keys)
_REMOVE_OWN: Final = delete(wrapped_keys).where(wrapped_keys.c.name == _DIGEST)
_REWRAP_OWN: Final = update(wrapped_keys).where(wrapped_keys.c.name == _DIGEST)


class StoredSecret(NamedTuple):
    """A secret as it is stored.

    Attributes:
        secret_id: its id.
        secret_name: its name.
        sealed: its value, encrypted.
    """

    secret_id: str
    secret_name: str
    sealed: EncryptedValue


class Batch(NamedTuple):
    """What one step of a rotation did.

    Attributes:
        rewrapped: how many secrets it wrapped anew.
        unreadable: the ids of those whose data key cannot be decrypted, which stay as they are, and why.
        last: the greatest id that it saw; None when there was none left.
    """

    rewrapped: int
    unreadable: Sequence[tuple[str, GatewayError]]
    last: str | None


class WrappedKeys:
    """The wrapped data keys of one transaction.

    Attributes:
        cipher: what unwraps and wraps them.
    """

    __slots__ = ("_connection", "cipher")

    def __init__(self, connection: Connection, cipher: Cipher) -> None:
        self._connection = connection
        self.cipher: Final = cipher

    def counts(self) -> dict[str, int]:
        """Return how many data keys each key-encryption key wraps, by its id; the store's own ones are counted too."""
        counts: dict[str, int] = {}
        for key_id, count in self._connection.execute(_COUNTS).all():
            counts[key_id] = counts.get(key_id, 0) + count
        return counts

    def secrets(self, after: str, limit: int) -> list[StoredSecret]:
        """Return secrets in order of their ids, those greater than ``after``, at most ``limit``."""
        rows = self._connection.execute(_PAGE, {"after": after, "limit": limit}).all()
        return [StoredSecret(secret_id, name, EncryptedValue(*sealed)) for secret_id, name, *sealed in rows]

    def rewrap(self, after: str, limit: int) -> Batch:
        """Wrap the data keys of secrets with the first key: those that another key wraps, at most ``limit``.

        Args:
            after: only secrets whose ids are greater.
            limit: the most to look at.
        """
        others = self._connection.execute(
            _OTHERS, {"after": after, "first": self.cipher.keys.first.id, "limit": limit}
        ).all()
        changes: list[dict[str, object]] = []
        unreadable: list[tuple[str, GatewayError]] = []
        for secret_id, wrapped_key, key_id in others:
            try:
                wrapped = self.cipher.rewrap(secret_id, Wrapped(wrapped_key, key_id))
            except GatewayError as error:
                unreadable.append((secret_id, error))
            else:
                changes.append({"id": secret_id, **wrapped._asdict()})
        if changes:
            self._connection.execute(_REWRAP, changes)
        return Batch(len(changes), unreadable, others[-1].secret_id if others else None)

    def digest_key(self) -> Wrapped | None:
        """Return the key of digests; None in a store that was not opened for use since it has its table."""
        return _row(self._connection)

    def rewrap_digest_key(self) -> bool:
        """Wrap the key of digests with the first key. Return whether another one wrapped it before.

        Raises:
            GatewayError: DATA_LOSS when it was altered, FAILED_PRECONDITION when its key is not configured.
        """
        wrapped = self.digest_key()
        if wrapped is None or wrapped.key_id == self.cipher.keys.first.id:
            return False
        self._connection.execute(_REWRAP_OWN, self.cipher.rewrap_digest_key(wrapped)._asdict())
        return True


def unlock(connection: Connection, keys: KeyRing) -> Cipher:
    """Check that every key in use is configured, and return what encrypts and decrypts.

    Args:
        connection: the one in the transaction that opens the store, which holds the write lock.
        keys: the configured keys.

    Raises:
        GatewayError: FAILED_PRECONDITION naming a key that is in use and not configured; DATA_LOSS when the store's own key
            was altered.
    """
    in_use = connection.execute(_SECRET_KEYS).all()
    if missing := [f"key {key_id} ({count} of them)" for key_id, count in in_use if key_id not in keys]:
        raise GatewayError(
            Code.FAILED_PRECONDITION,
            f"its secrets are encrypted with {' and '.join(missing)}, which is not configured: {keys.holdings()}; "
            "configure the missing key too, or in place of these",
            reason="KEY_MISSING",
        )
    own = _row(connection)
    if own is None or (not in_use and own.key_id not in keys):
        own = _new_digest_key(connection, Cipher(keys), own)
    cipher = Cipher(keys, own)
    try:
        # A digest that cannot be made is found out now, and not by a request.
        cipher.digest(b"")
    except GatewayError as error:
        missing_key = error.reason == "KEY_MISSING"
        remedy = f"configure it too ({keys.holdings()})" if missing_key else "restore the database from a backup"
        raise GatewayError(
            error.code,
            f"{error.message}; {remedy}, or remove the row of its table wrapped_keys: requests that were sent before and "
            "are repeated after that will be refused",
            reason=error.reason,
        ) from error
    return cipher


def _row(connection: Connection) -> Wrapped | None:
    row = connection.execute(_OWN).one_or_none()
    return None if row is None else Wrapped(*row)


def _new_digest_key(connection: Connection, cipher: Cipher, lost: Wrapped | None) -> Wrapped:
    if lost is not None:
        # Without secrets nothing else needs the lost key, and the store must stay usable.
        _log.warning(
            "The store's key of digests is encrypted with key %s, which is not configured; as the store holds no secrets, a "
            "new one is made: requests that were sent before and are repeated now will be refused",
            lost.key_id,
        )
        connection.execute(_REMOVE_OWN)
    made = cipher.new_digest_key()
    connection.execute(_ADD_OWN, {"name": _DIGEST, **made._asdict()})
    return made
