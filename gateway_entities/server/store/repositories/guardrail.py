"""Guardrails."""

from __future__ import annotations

import builtins
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway_entities.entities import GatewayGuardrail, GuardrailAction, GuardrailStage, Scorer
from gateway_entities.server.store.repositories import change
from gateway_entities.server.store.sql import errors, execute, paging
from gateway_entities.server.store.sql.entity_rows import Conversion, EntityRows, enum_column
from gateway_entities.server.store.sql.schema import guardrails

_own = guardrails.c


def _read_scorer(is_present: bool, *values: Any) -> Scorer | None:
    return Scorer(*values) if is_present else None


def _write_scorer(scorer: Scorer | None) -> tuple[bool | int | str | None, ...]:
    own = scorer or Scorer()
    return (
        scorer is not None,
        own.experiment_id,
        own.scorer_name,
        own.scorer_version,
        own.serialized_scorer,
        own.creation_time,
        own.scorer_id,
    )


_SCORER_COLUMNS: Final = (
    "scorer",
    "scorer_experiment_id",
    "scorer_name",
    "scorer_version",
    "serialized_scorer",
    "scorer_creation_time",
    "scorer_id",
)
ROWS: Final = EntityRows(
    GatewayGuardrail,
    guardrails,
    {
        "scorer": Conversion(_SCORER_COLUMNS, _read_scorer, _write_scorer),
        "stage": enum_column("stage", GuardrailStage),
        "action": enum_column("action", GuardrailAction),
    },
    fixed=("guardrail_id", "created_at", "created_by"),
)
"""The conversion of rows."""

_GUARDRAIL: Final = select(*ROWS.columns)
_GET: Final = _GUARDRAIL.where(_own.guardrail_id == bindparam("guardrail_id"))
_ADD: Final = insert(guardrails)
_UPDATE: Final = update(guardrails).where(_own.guardrail_id == bindparam("id"))
_REMOVE: Final = delete(guardrails).where(_own.guardrail_id == bindparam("guardrail_id"))


@cache
def _list(restrictions: paging.Shape) -> paging.Query:
    conditions = {
        "action_endpoint_id": _own.action_endpoint_id == bindparam("action_endpoint_id"),
        "changed_since": change.is_restored("guardrail", _own.guardrail_id),
        "written_since": change.is_written("guardrail", _own.guardrail_id),
    }
    return paging.page(_GUARDRAIL, (_own.created_at, _own.guardrail_id), conditions, restrictions)


class Guardrails:
    """The guardrails within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, guardrail_id: str) -> GatewayGuardrail | None:
        """Return the guardrail with this id, or None."""
        row = execute.row(self._connection, _GET, {"guardrail_id": guardrail_id})
        return None if row is None else ROWS.read(row)

    def add(self, guardrail: GatewayGuardrail) -> None:
        """Add a guardrail. It loses its action endpoint when that is deleted.

        Raises:
            GatewayError: NOT_FOUND; the action endpoint does not exist.
        """
        try:
            execute.run(self._connection, _ADD, ROWS.write(guardrail))
        except IntegrityError as error:
            _raise_violation(error, guardrail)
            raise

    def update(self, guardrail: GatewayGuardrail) -> None:
        """Update a guardrail, except for its id, created_at and created_by.

        Raises:
            GatewayError: NOT_FOUND; the guardrail, or its action endpoint, does not exist.
        """
        try:
            changed = execute.run(self._connection, _UPDATE, {"id": guardrail.guardrail_id, **ROWS.changes(guardrail)})
        except IntegrityError as error:
            _raise_violation(error, guardrail)
            raise
        if changed == 0:
            raise errors.not_found("Guardrail", guardrail_id=guardrail.guardrail_id)

    def remove(self, guardrail_id: str) -> bool:
        """Delete a guardrail, also from every endpoint; return whether it existed."""
        return execute.run(self._connection, _REMOVE, {"guardrail_id": guardrail_id}) > 0

    def list(
        self,
        *,
        action_endpoint_id: str | None = None,
        changed_since: int | None = None,
        written_since: int | None = None,
        after: tuple[int, str] | None = None,
        limit: int | None = None,
    ) -> builtins.list[GatewayGuardrail]:
        """Return guardrails, ordered by creation and id.

        Args:
            action_endpoint_id: filter; None for all.
            changed_since: only those whose current state ``Changes.former`` may need for this revision; None for all.
            written_since: only those that were written after this revision, as ``Changes.written``; None for all.
            after: the created_at and guardrail_id that the page starts after; None starts at the first.
            limit: the maximum number; None for all.
        """
        filters = {
            "action_endpoint_id": action_endpoint_id,
            "changed_since": changed_since,
            "written_since": written_since,
        }
        restrictions, parameters = paging.shape(filters, after, limit)
        return [ROWS.read(row) for row in execute.rows(self._connection, _list(restrictions), parameters)]


def _raise_violation(error: IntegrityError, guardrail: GatewayGuardrail) -> None:
    if errors.violates_reference(error):
        raise errors.not_found("GatewayEndpoint", endpoint_id=str(guardrail.action_endpoint_id)) from error
