"""Model definitions."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway_entities.entities import GatewayModelDefinition
from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.repositories import change
from gateway_entities.server.store.sql import errors, execute, paging
from gateway_entities.server.store.sql.entity_rows import EntityRows
from gateway_entities.server.store.sql.schema import MODEL_DEFINITION_NAME, model_definitions, secrets

_own = model_definitions.c

ROWS: Final = EntityRows(
    GatewayModelDefinition,
    model_definitions,
    fixed=("model_definition_id", "created_at", "created_by"),
    joined={"secret_name": secrets.c.secret_name},
)
"""The conversion of rows of ALL."""

ALL: Final = select(*ROWS.columns).select_from(model_definitions.outerjoin(secrets, secrets.c.secret_id == _own.secret_id))
"""The query for all definitions."""

_GET: Final = ALL.where(_own.model_definition_id == bindparam("model_definition_id"))
_FIND: Final = ALL.where(_own.name == bindparam("name"))
_ADD: Final = insert(model_definitions)
_UPDATE: Final = update(model_definitions).where(_own.model_definition_id == bindparam("id"))
_REMOVE: Final = delete(model_definitions).where(_own.model_definition_id == bindparam("model_definition_id"))
# A power of two below 999, the default limit of parameters in SQLite before 3.32.
_IDS_PER_QUERY: Final = 512


@cache
def _of_ids(count: int) -> paging.Query:
    return ALL.where(_own.model_definition_id.in_([bindparam(f"id_{place}") for place in range(count)]))


@cache
def _list(restrictions: paging.Shape) -> paging.Query:
    conditions = {
        "provider": _own.provider == bindparam("provider"),
        "secret_id": _own.secret_id == bindparam("secret_id"),
        "changed_since": change.is_restored("model_definition", _own.model_definition_id),
        "written_since": change.is_written("model_definition", _own.model_definition_id),
    }
    return paging.page(ALL, (_own.created_at, _own.model_definition_id), conditions, restrictions)


def selected_by(ids: paging.Query) -> paging.Query:
    """Return the query for the definitions whose ids a query selects."""
    return ALL.where(_own.model_definition_id.in_(ids))


def read(
    connection: Connection, statement: paging.Query, parameters: Mapping[str, Any]
) -> dict[str, GatewayModelDefinition]:
    """Run a query of this module; return the definitions keyed by id."""
    return {row[0]: ROWS.read(row) for row in execute.rows(connection, statement, parameters)}


class ModelDefinitions:
    """The model definitions within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, model_definition_id: str) -> GatewayModelDefinition | None:
        """Return the definition with this id, its secret_name included, or None."""
        return self._one(_GET, {"model_definition_id": model_definition_id})

    def find(self, name: str) -> GatewayModelDefinition | None:
        """Return the definition with this name, its secret_name included, or None."""
        return self._one(_FIND, {"name": name})

    def add(self, definition: GatewayModelDefinition) -> None:
        """Add a definition. Its secret_name is ignored: reads join the secret's.

        Raises:
            GatewayError: ALREADY_EXISTS (its name is in use) or NOT_FOUND (its secret).
        """
        try:
            execute.run(self._connection, _ADD, ROWS.write(definition))
        except IntegrityError as error:
            _raise_violation(error, definition)
            raise

    def update(self, definition: GatewayModelDefinition) -> None:
        """Update a definition, except for its id, created_at and created_by.

        Raises:
            GatewayError: NOT_FOUND (the definition or its secret) or ALREADY_EXISTS (its name is in use).
        """
        row = {"id": definition.model_definition_id, **ROWS.changes(definition)}
        try:
            changed = execute.run(self._connection, _UPDATE, row)
        except IntegrityError as error:
            _raise_violation(error, definition)
            raise
        if changed == 0:
            raise errors.not_found("GatewayModelDefinition", model_definition_id=definition.model_definition_id)

    def remove(self, model_definition_id: str) -> bool:
        """Delete a definition; return whether it existed.

        Raises:
            GatewayError: FAILED_PRECONDITION; an endpoint uses it.
        """
        try:
            return execute.run(self._connection, _REMOVE, {"model_definition_id": model_definition_id}) > 0
        except IntegrityError as error:
            if errors.violates_reference(error):
                raise GatewayError(
                    Code.FAILED_PRECONDITION,
                    "Cannot delete model definition that is currently in use by endpoints. "
                    "Detach it from all endpoints first.",
                    reason="MODEL_DEFINITION_IN_USE",
                ) from error
            raise

    def of_ids(self, ids: Collection[str]) -> dict[str, GatewayModelDefinition]:
        """Return the existing definitions with these ids, keyed by id."""
        wanted, found = list(ids), dict[str, GatewayModelDefinition]()
        for start in range(0, len(wanted), _IDS_PER_QUERY):
            part = wanted[start : start + _IDS_PER_QUERY]
            # Padded to a power of two by repeating the first id, so that few statements are compiled.
            length = 1 << (len(part) - 1).bit_length()
            parameters = {f"id_{place}": part[place] if place < len(part) else part[0] for place in range(length)}
            found |= read(self._connection, _of_ids(length), parameters)
        return found

    def list(
        self,
        *,
        provider: str | None = None,
        secret_id: str | None = None,
        changed_since: int | None = None,
        written_since: int | None = None,
        after: tuple[int, str] | None = None,
        limit: int | None = None,
    ) -> builtins.list[GatewayModelDefinition]:
        """Return definitions, ordered by creation and id.

        Args:
            provider: filter; None for all.
            secret_id: filter; None for all.
            changed_since: only those whose current state ``Changes.former`` may need for this revision; None for all.
            written_since: only those that were written after this revision, as ``Changes.written``; None for all.
            after: the created_at and model_definition_id that the page starts after; None starts at the first.
            limit: the maximum number; None for all.
        """
        filters = {
            "provider": provider,
            "secret_id": secret_id,
            "changed_since": changed_since,
            "written_since": written_since,
        }
        restrictions, parameters = paging.shape(filters, after, limit)
        return [ROWS.read(row) for row in execute.rows(self._connection, _list(restrictions), parameters)]

    def _one(self, statement: paging.Query, parameters: Mapping[str, str]) -> GatewayModelDefinition | None:
        row = execute.row(self._connection, statement, parameters)
        return None if row is None else ROWS.read(row)


def _raise_violation(error: IntegrityError, definition: GatewayModelDefinition) -> None:
    if errors.violates(error, MODEL_DEFINITION_NAME):
        raise errors.name_taken("Model definition", definition.name) from error
    if errors.violates_reference(error):
        raise errors.not_found("GatewaySecret", secret_id=str(definition.secret_id)) from error
