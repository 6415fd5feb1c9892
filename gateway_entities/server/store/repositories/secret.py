"""Secrets: descriptions as columns, values encrypted."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway_entities.entities import GatewaySecretInfo
from gateway_entities.server.store.crypto.envelope import Cipher, EncryptedValue
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
# The name is associated data of the encrypted value, so it must equal the stored one.
_UPDATE: Final = update(secrets).where(
    secrets.c.secret_id == bindparam("id"), secrets.c.secret_name == bindparam("bound_name")
)
_REMOVE: Final = delete(secrets).where(secrets.c.secret_id == bindparam("secret_id"))
_ENCRYPTED: Final = select(secrets.c.secret_name, secrets.c.ciphertext, secrets.c.wrapped_key, secrets.c.key_id).where(
    secrets.c.secret_id == bindparam("secret_id")
)


@cache
def _list(restrictions: paging.Shape) -> paging.Query:
    conditions = {
        "provider": secrets.c.provider == bindparam("provider"),
        "changed_since": change.is_restored("secret", secrets.c.secret_id),
    }
    return paging.page(_INFO, (secrets.c.created_at, secrets.c.secret_id), conditions, restrictions)


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
            GatewayError: NOT_FOUND; no secret has this id and name.
        """
        row = {"id": info.secret_id, "bound_name": info.secret_name, **_ROWS.changes(info)}
        if secret_value is not None:
            row |= self._encrypted(info, secret_value)
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
        after: tuple[int, str] | None = None,
        limit: int | None = None,
    ) -> list[GatewaySecretInfo]:
        """Return secrets, ordered by creation and id.

        Args:
            provider: filter; None for all.
            changed_since: only those whose current state ``Changes.former`` may need for this revision; None for all.
            after: the created_at and secret_id that the page starts after; None starts at the first.
            limit: the maximum number; None for all.
        """
        restrictions, parameters = paging.shape({"provider": provider, "changed_since": changed_since}, after, limit)
        return [_ROWS.read(row) for row in execute.rows(self._connection, _list(restrictions), parameters)]

    def reveal(self, secret_id: str) -> dict[str, str] | None:
        """Return the decrypted value of a secret; None if the secret does not exist.

        Raises:
            GatewayError: DATA_LOSS; the stored value cannot be decrypted.
        """
        row = execute.row(self._connection, _ENCRYPTED, {"secret_id": secret_id})
        if row is None:
            return None
        secret_name, ciphertext, wrapped_key, key_id = row
        return self._cipher.decrypt(secret_id, secret_name, EncryptedValue(ciphertext, wrapped_key, key_id))

    def _one(self, statement: paging.Query, parameters: Mapping[str, str]) -> GatewaySecretInfo | None:
        row = execute.row(self._connection, statement, parameters)
        return None if row is None else _ROWS.read(row)

    def _encrypted(self, info: GatewaySecretInfo, secret_value: Mapping[str, str]) -> dict[str, object]:
        return self._cipher.encrypt(info.secret_id, info.secret_name, secret_value)._asdict()
