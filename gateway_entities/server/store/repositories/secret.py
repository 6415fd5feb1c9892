"""Secrets: descriptions as columns, values encrypted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway_entities.entities import GatewaySecretInfo
from gateway_entities.server.store.crypto.envelope import (
    ENVELOPE_VERSION,
    Cipher,
    Destination,
    EncryptedValue,
    unreadable_value,
)
from gateway_entities.server.store.repositories import change
from gateway_entities.server.store.sql import errors, execute, paging
from gateway_entities.server.store.sql.entity_rows import EntityRows, json_column
from gateway_entities.server.store.sql.schema import SECRET_NAME, secrets

_ROWS: Final = EntityRows(
    GatewaySecretInfo,
    secrets,
    {"masked_values": json_column("masked_values"), "auth_config": json_column("auth_config")},
    fixed=("secret_id", "secret_name", "created_at", "created_by"),
)
_INFO: Final = select(*_ROWS.columns)
_GET: Final = _INFO.where(secrets.c.secret_id == bindparam("secret_id"))
_FIND: Final = _INFO.where(secrets.c.secret_name == bindparam("secret_name"))
_ADD: Final = insert(secrets)
# The name is associated data of the encrypted value, so it must equal the stored one. So are the provider and the address.
_UPDATE: Final = update(secrets).where(
    secrets.c.secret_id == bindparam("id"), secrets.c.secret_name == bindparam("bound_name")
)
_REMOVE: Final = delete(secrets).where(secrets.c.secret_id == bindparam("secret_id"))
VALUE_COLUMNS: Final = (
    secrets.c.secret_id,
    secrets.c.secret_name,
    secrets.c.provider,
    secrets.c.auth_config,
    secrets.c.ciphertext,
    secrets.c.wrapped_key,
    secrets.c.key_id,
    secrets.c.envelope_version,
)
"""The columns of ``StoredValue.read``."""
_ENCRYPTED: Final = select(*VALUE_COLUMNS).where(secrets.c.secret_id == bindparam("secret_id"))
_API_BASE: Final = "api_base"


@cache
def _list(restrictions: paging.Shape) -> paging.Query:
    conditions = {
        "provider": secrets.c.provider == bindparam("provider"),
        "changed_since": change.is_restored("secret", secrets.c.secret_id),
        "written_since": change.is_written("secret", secrets.c.secret_id),
    }
    return paging.page(_INFO, (secrets.c.created_at, secrets.c.secret_id), conditions, restrictions)


class StoredValue(NamedTuple):
    """The encrypted value of a stored secret, and what it is bound to.

    Attributes:
        secret_id: the secret's id.
        secret_name: its name.
        destination: its destination; None if its auth_config is malformed.
        encrypted: its encrypted value.
    """

    secret_id: str
    secret_name: str
    destination: Destination | None
    encrypted: EncryptedValue

    @classmethod
    def read(cls, row: Sequence[Any]) -> StoredValue:
        """Return the value in a row of VALUE_COLUMNS."""
        secret_id, secret_name, provider, auth_config, *encrypted = row
        return cls(secret_id, secret_name, _stored_destination(provider, auth_config), EncryptedValue(*encrypted))

    def decrypt(self, cipher: Cipher) -> dict[str, str]:
        """Return the value in plain text.

        Raises:
            GatewayError: as ``Cipher.decrypt``.
        """
        return cipher.decrypt(self.secret_id, self.secret_name, self.encrypted, self._destination())

    def renew(self, cipher: Cipher, destination: Destination | None = None) -> EncryptedValue:
        """Return the value, encrypted again for a destination; None for its own.

        Raises:
            GatewayError: as ``Cipher.decrypt``.
        """
        own = self._destination()
        return cipher.renew(self.secret_id, self.secret_name, self.encrypted, own, destination or own)

    def _destination(self) -> Destination:
        if self.destination is None:
            raise unreadable_value(self.secret_id)
        return self.destination


class Secrets:
    """The secrets within one transaction."""

    __slots__ = ("_cipher", "_connection")

    def __init__(self, connection: Connection, cipher: Cipher) -> None:
        self._connection = connection
        self._cipher = cipher

    def get(self, secret_id: str) -> GatewaySecretInfo | None:
        """Return the secret with this id, or None."""
        return self._one(_GET, {"secret_id": secret_id})

    def find(self, secret_name: str) -> GatewaySecretInfo | None:
        """Return the secret with this name, or None."""
        return self._one(_FIND, {"secret_name": secret_name})

    def add(self, info: GatewaySecretInfo, secret_value: Mapping[str, str]) -> None:
        """Add a secret.

        Args:
            info: its description.
            secret_value: its value in plain text.

        Raises:
            GatewayError: ALREADY_EXISTS; its name is in use.
        """
        row = {**_ROWS.write(info), **self._encrypted(info, secret_value)}
        try:
            execute.run(self._connection, _ADD, row)
        except IntegrityError as error:
            if errors.violates(error, SECRET_NAME):
                raise errors.name_taken("Secret", info.secret_name) from error
            raise

    def update(self, info: GatewaySecretInfo, secret_value: Mapping[str, str] | None) -> None:
        """Update a secret, except for its id, name, created_at and created_by.

        Args:
            info: the new description, with the stored id and name.
            secret_value: the new value in plain text; None leaves the value unchanged.

        Raises:
            GatewayError: NOT_FOUND (no secret has this id and name) or DATA_LOSS (the destination changes, and the stored
                value cannot be decrypted).
        """
        row = {"id": info.secret_id, "bound_name": info.secret_name, **_ROWS.changes(info)}
        row |= self._rebound(info) if secret_value is None else self._encrypted(info, secret_value)
        if execute.run(self._connection, _UPDATE, row) == 0:
            raise errors.not_found("GatewaySecret", secret_id=info.secret_id)

    def remove(self, secret_id: str) -> bool:
        """Delete a secret and the references to it in model definitions; return whether it existed."""
        return execute.run(self._connection, _REMOVE, {"secret_id": secret_id}) > 0

    def list(
        self,
        *,
        provider: str | None = None,
        changed_since: int | None = None,
        written_since: int | None = None,
        after: tuple[int, str] | None = None,
        limit: int | None = None,
    ) -> list[GatewaySecretInfo]:
        """Return secrets, ordered by creation and id.

        Args:
            provider: filter; None for all.
            changed_since: only those whose current state ``Changes.former`` may need for this revision; None for all.
            written_since: only those that were written after this revision, as ``Changes.written``; None for all.
            after: the created_at and secret_id that the page starts after; None starts at the first.
            limit: the maximum number; None for all.
        """
        restrictions, parameters = paging.shape(
            {"provider": provider, "changed_since": changed_since, "written_since": written_since}, after, limit
        )
        return [_ROWS.read(row) for row in execute.rows(self._connection, _list(restrictions), parameters)]

    def reveal(self, secret_id: str) -> dict[str, str] | None:
        """Return the decrypted value of a secret; None if the secret does not exist.

        Raises:
            GatewayError: DATA_LOSS; the stored value cannot be decrypted.
        """
        row = execute.row(self._connection, _ENCRYPTED, {"secret_id": secret_id})
        return None if row is None else StoredValue.read(row).decrypt(self._cipher)

    def _one(self, statement: paging.Query, parameters: Mapping[str, str]) -> GatewaySecretInfo | None:
        row = execute.row(self._connection, statement, parameters)
        return None if row is None else _ROWS.read(row)

    def _encrypted(self, info: GatewaySecretInfo, secret_value: Mapping[str, str]) -> dict[str, object]:
        return self._cipher.encrypt(info.secret_id, info.secret_name, secret_value, _destination(info))._asdict()

    def _rebound(self, info: GatewaySecretInfo) -> dict[str, object]:
        """Return the columns of the stored value, bound to the new destination; none if it already is."""
        row = execute.row(self._connection, _ENCRYPTED, {"secret_id": info.secret_id})
        if row is None:
            return {}
        stored, destination = StoredValue.read(row), _destination(info)
        if stored.destination == destination and stored.encrypted.envelope_version >= ENVELOPE_VERSION:
            return {}
        return stored.renew(self._cipher, destination)._asdict()


def _destination(info: GatewaySecretInfo) -> Destination:
    return Destination(info.provider, info.auth_config.get(_API_BASE))


def _stored_destination(provider: str | None, auth_config: str) -> Destination | None:
    try:
        api_base = json.loads(auth_config).get(_API_BASE)
    except (ValueError, AttributeError):
        return None
    return Destination(provider, api_base) if api_base is None or isinstance(api_base, str) else None
