"""Model definitions in the store."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, Final

from sqlalchemy import Column, Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway_entities.entities import GatewayModelDefinition
from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.sql import errors, execute, paging
from gateway_entities.server.store.sql.schema import MODEL_DEFINITION_NAME, model_definitions, secrets

_own = model_definitions.c

COLUMNS: Final[tuple[Column[Any], ...]] = (
    _own.model_definition_id,
    _own.name,
    _own.secret_id,
    secrets.c.secret_name,
    _own.provider,
    _own.model_name,
    _own.created_at,
    _own.last_updated_at,
    _own.created_by,
    _own.last_updated_by,
)
"""What a model definition is read from, in the order of the fields of GatewayModelDefinition."""

ALL: Final = select(*COLUMNS).select_from(model_definitions.outerjoin(secrets, secrets.c.secret_id == _own.secret_id))
"""The statement that reads every definition."""

_GET: Final = ALL.where(_own.model_definition_id == bindparam("model_definition_id"))
_FIND: Final = ALL.where(_own.name == bindparam("name"))
_ADD: Final = insert(model_definitions)
_UPDATE: Final = update(model_definitions).where(_own.model_definition_id == bindparam("id"))
_REMOVE: Final = delete(model_definitions).where(_own.model_definition_id == bindparam("model_definition_id"))
# SQLite takes at most 999 parameters in one statement, on its oldest supported versions.
_MOST_IDS: Final = 512


@cache
def _of_ids(count: int) -> paging.Query:
    return ALL.where(_own.model_definition_id.in_([bindparam(f"id_{place}") for place in range(count)]))


@cache
def _list(restrictions: paging.Shape) -> paging.Query:
    conditions = {
        "provider": _own.provider == bindparam("provider"),
        "secret_id": _own.secret_id == bindparam("secret_id"),
    }
    return paging.page(ALL, (_own.created_at, _own.model_definition_id), conditions, restrictions)


def selected_by(ids: paging.Query) -> paging.Query:
    """Return the statement that reads the definitions whose ids another statement selects."""
    return ALL.where(_own.model_definition_id.in_(ids))


def read(
    connection: Connection, statement: paging.Query, parameters: Mapping[str, Any]
) -> dict[str, GatewayModelDefinition]:
    """Run a statement of this module; return the definitions by their ids."""
    return {row[0]: GatewayModelDefinition(*row) for row in execute.rows(connection, statement, parameters)}


class ModelDefinitions:
    """The model definitions of one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, model_definition_id: str) -> GatewayModelDefinition | None:
        """Return the definition of this id, with its secret's name; None when there is none."""
        return self._one(_GET, {"model_definition_id": model_definition_id})

    def find(self, name: str) -> GatewayModelDefinition | None:
        """Return the definition of this name, with its secret's name; None when there is none."""
        return self._one(_FIND, {"name": name})

    def add(self, definition: GatewayModelDefinition) -> None:
        """Store a new definition. Its secret_name is not stored: it is the secret's.

        Raises:
            GatewayError: ALREADY_EXISTS when another definition has its name; NOT_FOUND when its secret does not exist.
        """
        row = {
            "model_definition_id": definition.model_definition_id,
            "created_at": definition.created_at,
            "created_by": definition.created_by,
            **_changeable(definition),
        }
        try:
            execute.run(self._connection, _ADD, row)
        except IntegrityError as error:
            _explain(error, definition)
            raise

    def update(self, definition: GatewayModelDefinition) -> None:
        """Replace a definition; its id and what was noted at its creation stay.

        Raises:
            GatewayError: NOT_FOUND when there is no such definition, or its new secret does not exist; ALREADY_EXISTS when
                another definition has its name.
        """
        row = {"id": definition.model_definition_id, **_changeable(definition)}
        try:
            changed = execute.run(self._connection, _UPDATE, row)
        except IntegrityError as error:
            _explain(error, definition)
            raise
        if changed == 0:
            raise errors.not_found("GatewayModelDefinition", model_definition_id=definition.model_definition_id)

    def remove(self, model_definition_id: str) -> bool:
        """Remove a definition. Return whether it was there.

        Raises:
            GatewayError: FAILED_PRECONDITION when an endpoint uses it.
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
        """Return the definitions of these ids by their ids; those that there are none of are left out."""
        wanted, found = list(ids), dict[str, GatewayModelDefinition]()
        for start in range(0, len(wanted), _MOST_IDS):
            part = wanted[start : start + _MOST_IDS]
            # Each length takes a statement of its own, so there are few lengths: the first id fills up.
            length = 1 << (len(part) - 1).bit_length()
            parameters = {f"id_{place}": part[place] if place < len(part) else part[0] for place in range(length)}
            found |= read(self._connection, _of_ids(length), parameters)
        return found

    def list(
        self,
        *,
        provider: str | None = None,
        secret_id: str | None = None,
        after: tuple[int, str] | None = None,
        limit: int | None = None,
    ) -> builtins.list[GatewayModelDefinition]:
        """Return definitions in order of creation, then of id.

        Args:
            provider: only those of this provider; None for all.
            secret_id: only those that use this secret; None for all.
            after: the created_at and model_definition_id of the last one seen; None starts at the first.
            limit: the most to return; None for all.
        """
        restrictions, parameters = paging.shape({"provider": provider, "secret_id": secret_id}, after, limit)
        return [GatewayModelDefinition(*row) for row in execute.rows(self._connection, _list(restrictions), parameters)]

    def _one(self, statement: paging.Query, parameters: Mapping[str, str]) -> GatewayModelDefinition | None:
        row = execute.row(self._connection, statement, parameters)
        return None if row is None else GatewayModelDefinition(*row)


def _changeable(definition: GatewayModelDefinition) -> dict[str, object]:
    return {
        "name": definition.name,
        "secret_id": definition.secret_id,
        "provider": definition.provider,
        "model_name": definition.model_name,
        "last_updated_at": definition.last_updated_at,
        "last_updated_by": definition.last_updated_by,
    }


def _explain(error: IntegrityError, definition: GatewayModelDefinition) -> None:
    if errors.violates(error, MODEL_DEFINITION_NAME):
        raise errors.name_taken("Model definition", definition.name) from error
    if errors.violates_reference(error):
        raise errors.not_found("GatewaySecret", secret_id=str(definition.secret_id)) from error
