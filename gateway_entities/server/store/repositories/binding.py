"""Bindings."""

from __future__ import annotations

import builtins
from functools import cache
from typing import Final

from sqlalchemy import Connection, bindparam, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from gateway_entities.entities import GatewayEndpointBinding, GatewayResourceType
from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.repositories import change
from gateway_entities.server.store.sql import errors, execute, paging
from gateway_entities.server.store.sql.entity_rows import Conversion, EntityRows
from gateway_entities.server.store.sql.schema import bindings

_own = bindings.c

_KNOWN_TYPES: Final = {kind.value: kind for kind in GatewayResourceType}


def _read_type(text: str) -> str:
    return _KNOWN_TYPES.get(text, text)


def _write_type(resource_type: str) -> tuple[str]:
    # Drivers may adapt a str enum differently from a str.
    return (str(resource_type),)


_ROWS: Final = EntityRows(
    GatewayEndpointBinding,
    bindings,
    {"resource_type": Conversion(("resource_type",), _read_type, _write_type)},
)
_BINDING: Final = select(*_ROWS.columns)
_CONDITIONS: Final = {
    "endpoint_id": _own.endpoint_id == bindparam("endpoint_id"),
    "resource_type": _own.resource_type == bindparam("resource_type"),
    "resource_id": _own.resource_id == bindparam("resource_id"),
}

_ID: Final = _own.endpoint_id + "/" + _own.resource_type + "/" + _own.resource_id
_CHANGED: Final = change.is_restored("binding", _ID)
_WRITTEN: Final = change.is_written("binding", _ID)
_GET: Final = _BINDING.where(*_CONDITIONS.values())
_COUNT: Final = select(func.count()).select_from(bindings).where(_CONDITIONS["endpoint_id"])
_ADD: Final = insert(bindings)
_REMOVE: Final = delete(bindings).where(*_CONDITIONS.values())


@cache
def _list(restrictions: paging.Shape) -> paging.Query:
    order = (_own.created_at, _own.endpoint_id, _own.resource_type, _own.resource_id)
    return paging.page(_BINDING, order, {**_CONDITIONS, "changed_since": _CHANGED, "written_since": _WRITTEN}, restrictions)


class Bindings:
    """The bindings within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, endpoint_id: str, resource_type: str, resource_id: str) -> GatewayEndpointBinding | None:
        """Return the binding with these keys, or None."""
        row = execute.row(self._connection, _GET, _keys(endpoint_id, resource_type, resource_id))
        return None if row is None else _ROWS.read(row)

    def add(self, binding: GatewayEndpointBinding) -> None:
        """Add a binding.

        Raises:
            GatewayError: ALREADY_EXISTS (its keys are in use) or NOT_FOUND (its endpoint).
        """
        try:
            execute.run(self._connection, _ADD, _ROWS.write(binding))
        except IntegrityError as error:
            _raise_violation(error, binding)
            raise

    def remove(self, endpoint_id: str, resource_type: str, resource_id: str) -> bool:
        """Delete the binding with these keys; return whether it existed."""
        return execute.run(self._connection, _REMOVE, _keys(endpoint_id, resource_type, resource_id)) > 0

    def count(self, endpoint_id: str) -> int:
        """Return the number of bindings of an endpoint."""
        ((number,),) = execute.rows(self._connection, _COUNT, {"endpoint_id": endpoint_id})
        return int(number)

    def list(
        self,
        *,
        endpoint_id: str | None = None,
        resource_type: str | None = None,
        resource_id: str | None = None,
        changed_since: int | None = None,
        written_since: int | None = None,
        after: tuple[int, str, str, str] | None = None,
        limit: int | None = None,
    ) -> builtins.list[GatewayEndpointBinding]:
        """Return bindings, ordered by creation, endpoint, resource type and resource.

        Args:
            endpoint_id: filter; None for all.
            resource_type: filter; None for all.
            resource_id: filter; None for all.
            changed_since: only those whose current state ``Changes.former`` may need for this revision; None for all.
            written_since: only those that were written after this revision, as ``Changes.written``; None for all.
            after: the created_at, endpoint_id, resource_type and resource_id that the page starts after; None: from the
                first.
            limit: the maximum number; None for all.
        """
        filters = {
            "endpoint_id": endpoint_id,
            "resource_type": resource_type,
            "resource_id": resource_id,
            "changed_since": changed_since,
            "written_since": written_since,
        }
        restrictions, parameters = paging.shape(filters, after, limit)
        return [_ROWS.read(row) for row in execute.rows(self._connection, _list(restrictions), parameters)]


def _keys(endpoint_id: str, resource_type: str, resource_id: str) -> dict[str, object]:
    return {"endpoint_id": endpoint_id, "resource_type": str(resource_type), "resource_id": resource_id}


def _raise_violation(error: IntegrityError, binding: GatewayEndpointBinding) -> None:
    if errors.violates(error, bindings.primary_key):
        raise GatewayError(
            Code.ALREADY_EXISTS,
            f"Endpoint '{binding.endpoint_id}' is already bound to {binding.resource_type} '{binding.resource_id}'",
            reason="ALREADY_BOUND",
        ) from error
    if errors.violates_reference(error):
        raise errors.not_found("GatewayEndpoint", endpoint_id=binding.endpoint_id) from error
