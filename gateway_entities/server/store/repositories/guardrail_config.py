"""The guardrails of endpoints."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway_entities.entities import GatewayGuardrailConfig
from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.repositories import change, guardrail
from gateway_entities.server.store.sql import errors, execute, paging
from gateway_entities.server.store.sql.entity_rows import EntityRows
from gateway_entities.server.store.sql.schema import guardrail_configs, guardrails

_own = guardrail_configs.c


def _none() -> None:
    return None


_ROWS: Final = EntityRows(GatewayGuardrailConfig, guardrail_configs, filled_later={"guardrail": _none})
_CONFIG: Final = select(*_ROWS.columns, *guardrail.ROWS.columns).join_from(
    guardrail_configs, guardrails, _own.guardrail_id == guardrails.c.guardrail_id
)
_KEY: Final = (_own.endpoint_id == bindparam("of_endpoint"), _own.guardrail_id == bindparam("of_guardrail"))
_ID: Final = _own.endpoint_id + "/" + _own.guardrail_id
_CONDITIONS: Final = {
    "endpoint_id": _own.endpoint_id == bindparam("endpoint_id"),
    "guardrail_id": _own.guardrail_id == bindparam("guardrail_id"),
    "action_endpoint_id": guardrails.c.action_endpoint_id == bindparam("action_endpoint_id"),
    "changed_since": change.is_restored("guardrail_config", _ID),
    "written_since": change.is_written("guardrail_config", _ID),
}
_GET: Final = _CONFIG.where(*_KEY)
_COUNT: Final = select(func.count()).select_from(guardrail_configs).where(_CONDITIONS["endpoint_id"])
_ADD: Final = insert(guardrail_configs)
_UPDATE: Final = update(guardrail_configs).where(*_KEY).values(execution_order=bindparam("order"))
_REMOVE: Final = delete(guardrail_configs).where(*_KEY)

ExecutionKey = tuple[int, str, str]
"""The sort key of a guardrail in the order of execution."""


@cache
def _list(restrictions: paging.Shape) -> paging.Query:
    return paging.page(_CONFIG, (_own.created_at, _own.endpoint_id, _own.guardrail_id), _CONDITIONS, restrictions)


def execution_key(config: GatewayGuardrailConfig) -> ExecutionKey:
    """Return the sort key: execution_order as text of one length, 1 before it if it is absent, and the guardrail's id."""
    order = config.execution_order
    return (1, "", config.guardrail_id) if order is None else (0, f"{order + 2**63:020}", config.guardrail_id)


class GuardrailConfigs:
    """The guardrails of endpoints within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, endpoint_id: str, guardrail_id: str) -> GatewayGuardrailConfig | None:
        """Return the config with these keys, with its guardrail, or None."""
        row = execute.row(self._connection, _GET, _keys(endpoint_id, guardrail_id))
        return None if row is None else _read(row)

    def add(self, config: GatewayGuardrailConfig) -> None:
        """Add a config. It is deleted with its endpoint, and with its guardrail.

        Raises:
            GatewayError: ALREADY_EXISTS (its keys are in use) or NOT_FOUND (its endpoint or its guardrail).
        """
        try:
            execute.run(self._connection, _ADD, _ROWS.write(config))
        except IntegrityError as error:
            if errors.violates(error, guardrail_configs.primary_key):
                raise GatewayError(
                    Code.ALREADY_EXISTS,
                    f"Endpoint '{config.endpoint_id}' already has the guardrail '{config.guardrail_id}'",
                    reason="ALREADY_ADDED",
                ) from error
            if errors.violates_reference(error):
                raise errors.not_found(
                    "GatewayEndpoint or Guardrail", endpoint_id=config.endpoint_id, guardrail_id=config.guardrail_id
                ) from error
            raise

    def update(self, config: GatewayGuardrailConfig) -> None:
        """Update the execution_order of a config.

        Raises:
            GatewayError: NOT_FOUND; the config does not exist.
        """
        keys = _keys(config.endpoint_id, config.guardrail_id)
        if execute.run(self._connection, _UPDATE, {**keys, "order": config.execution_order}) == 0:
            raise errors.not_found("GuardrailConfig", endpoint_id=config.endpoint_id, guardrail_id=config.guardrail_id)

    def remove(self, endpoint_id: str, guardrail_id: str) -> bool:
        """Delete the config with these keys; return whether it existed."""
        return execute.run(self._connection, _REMOVE, _keys(endpoint_id, guardrail_id)) > 0

    def count(self, endpoint_id: str) -> int:
        """Return the number of guardrails of an endpoint."""
        ((number,),) = execute.rows(self._connection, _COUNT, {"endpoint_id": endpoint_id})
        return int(number)

    def list(
        self,
        *,
        endpoint_id: str | None = None,
        guardrail_id: str | None = None,
        action_endpoint_id: str | None = None,
        changed_since: int | None = None,
        written_since: int | None = None,
        after: tuple[int, str, str] | None = None,
        limit: int | None = None,
    ) -> builtins.list[GatewayGuardrailConfig]:
        """Return configs with their guardrails, ordered by creation, endpoint and guardrail.

        Args:
            endpoint_id: filter; None for all.
            guardrail_id: filter; None for all.
            action_endpoint_id: only those whose guardrail has this action endpoint; None for all.
            changed_since: only those whose current state ``Changes.former`` may need for this revision; None for all.
            written_since: only those that were written after this revision, as ``Changes.written``; None for all.
            after: the created_at, endpoint_id and guardrail_id that the page starts after; None starts at the first.
            limit: the maximum number; None for all.
        """
        filters = {
            "endpoint_id": endpoint_id,
            "guardrail_id": guardrail_id,
            "action_endpoint_id": action_endpoint_id,
            "changed_since": changed_since,
            "written_since": written_since,
        }
        restrictions, parameters = paging.shape(filters, after, limit)
        return [_read(row) for row in execute.rows(self._connection, _list(restrictions), parameters)]

    def in_execution_order(
        self,
        *,
        endpoint_id: str | None = None,
        changed_since: int | None = None,
        after: ExecutionKey | None = None,
        limit: int | None = None,
    ) -> builtins.list[GatewayGuardrailConfig]:
        """Return configs in the order of execution. Arguments as for ``list``, but ``after`` is an ``execution_key``.

        An endpoint has few of them, so all are read.
        """
        found = sorted(self.list(endpoint_id=endpoint_id, changed_since=changed_since), key=execution_key)
        return [config for config in found if after is None or execution_key(config) > after][:limit]


def _read(row: Sequence[Any]) -> GatewayGuardrailConfig:
    count = len(_ROWS.columns)
    config = _ROWS.read(row[:count])
    config.guardrail = guardrail.ROWS.read(row[count:])
    return config


def _keys(endpoint_id: str, guardrail_id: str) -> dict[str, object]:
    return {"of_endpoint": endpoint_id, "of_guardrail": guardrail_id}
