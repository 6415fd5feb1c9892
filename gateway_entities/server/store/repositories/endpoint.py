"""Endpoints with their mappings and tags."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, Connection, bindparam, delete, exists, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway_entities.entities import (
    FallbackConfig,
    FallbackStrategy,
    GatewayEndpoint,
    GatewayEndpointModelMapping,
    GatewayEndpointTag,
    RoutingStrategy,
)
from gateway_entities.server.store.repositories import change, mapping, model_definition, tag
from gateway_entities.server.store.sql import errors, execute, paging
from gateway_entities.server.store.sql.entity_rows import Conversion, EntityRows, boolean_column, enum_column
from gateway_entities.server.store.sql.schema import ENDPOINT_NAME, endpoint_mappings, endpoints, model_definitions

_own = endpoints.c

_STRATEGY: Final = enum_column("fallback_strategy", FallbackStrategy)


def _read_fallback(present: bool, strategy: int | None, max_attempts: int | None) -> FallbackConfig | None:
    return FallbackConfig(_STRATEGY.read(strategy), max_attempts) if present else None


def _write_fallback(config: FallbackConfig | None) -> tuple[bool, int | None, int | None]:
    if config is None:
        return False, None, None
    (strategy,) = _STRATEGY.write(config.strategy)
    return True, strategy, config.max_attempts


_ROWS: Final = EntityRows(
    GatewayEndpoint,
    endpoints,
    {
        "routing_strategy": enum_column("routing_strategy", RoutingStrategy),
        "fallback_config": Conversion(
            ("fallback_config", "fallback_strategy", "fallback_max_attempts"),
            _read_fallback,
            _write_fallback,
        ),
        "usage_tracking": boolean_column("usage_tracking"),
    },
    fixed=("endpoint_id", "created_at", "created_by"),
    filled_later={"model_mappings": list, "tags": list},
)
_ID: Final[tuple[Column[Any], ...]] = (_own.endpoint_id,)
_ENDPOINT: Final = select(*_ROWS.columns)
_GET: Final = _ENDPOINT.where(_own.endpoint_id == bindparam("endpoint_id"))
_FIND: Final = _ENDPOINT.where(_own.name == bindparam("name"))
_NAME: Final = select(_own.name).where(_own.endpoint_id == bindparam("endpoint_id"))
_NAMES: Final = select(_own.endpoint_id, _own.name)
_ADD: Final = insert(endpoints)
_UPDATE: Final = update(endpoints).where(_own.endpoint_id == bindparam("id"))
_SINCE: Final = {
    "changed_since": change.is_restored("endpoint", _own.endpoint_id),
    "written_since": change.is_written("endpoint", _own.endpoint_id),
}
_REMOVE: Final = delete(endpoints).where(_own.endpoint_id == bindparam("endpoint_id"))


class _List(NamedTuple):
    """The four queries of a list."""

    endpoints: paging.Query
    mappings: paging.Query
    definitions: paging.Query
    tags: paging.Query


@cache
def _list(restrictions: paging.Shape) -> _List:
    order = (_own.created_at, _own.endpoint_id)
    plain = restrictions._replace(filters=())
    listed = _filtered(_ENDPOINT, restrictions.filters)
    everything = not any(restrictions)
    ids = None if everything else paging.page(_filtered(select(*_ID), restrictions.filters), order, {}, plain)
    return _List(
        paging.page(listed, order, {}, plain),
        mapping.of_endpoints(ids),
        mapping.definitions_of_endpoints(ids),
        tag.of_endpoints(ids),
    )


def _filtered(statement: paging.Query, filters: Sequence[str]) -> paging.Query:
    if not filters:
        return statement
    # A single EXISTS for all filters, because a single model must match all of them.
    conditions = [_SINCE[name] for name in filters if name in _SINCE]
    models = [name for name in filters if name not in _SINCE]
    if not models:
        return statement.where(*conditions)
    definition = model_definitions.c
    attached = exists().where(
        endpoint_mappings.c.endpoint_id == _own.endpoint_id,
        endpoint_mappings.c.model_definition_id == definition.model_definition_id,
        *(definition[name] == bindparam(name) for name in models),
    )
    return statement.where(attached, *conditions)


class Endpoints:
    """The endpoints within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, endpoint_id: str) -> GatewayEndpoint | None:
        """Return the endpoint with this id, including mappings, their definitions, and tags; or None."""
        return self._one(_GET, {"endpoint_id": endpoint_id})

    def find(self, name: str) -> GatewayEndpoint | None:
        """Return the endpoint with this name, as ``get`` does, or None."""
        return self._one(_FIND, {"name": name})

    def exists(self, endpoint_id: str) -> bool:
        """Return whether an endpoint has this id."""
        return self.name(endpoint_id) is not None

    def name(self, endpoint_id: str) -> str | None:
        """Return the name of the endpoint with this id, or None."""
        row = execute.row(self._connection, _NAME, {"endpoint_id": endpoint_id})
        return None if row is None else str(row[0])

    def names(self) -> dict[str, str]:
        """Return the names of all endpoints by id."""
        return {identifier: str(name) for identifier, name in execute.rows(self._connection, _NAMES)}

    def add(self, endpoint: GatewayEndpoint) -> None:
        """Add an endpoint with its mappings and tags.

        Raises:
            GatewayError: ALREADY_EXISTS (its name is in use, or two mappings have the same definition and linkage type) or
                NOT_FOUND (a definition).
        """
        try:
            execute.run(self._connection, _ADD, _ROWS.write(endpoint))
        except IntegrityError as error:
            _raise_violation(error, endpoint)
            raise
        mapping.add(self._connection, endpoint.endpoint_id, endpoint.model_mappings)
        tag.add(self._connection, endpoint.endpoint_id, endpoint.tags)

    def update(self, endpoint: GatewayEndpoint) -> None:
        """Update an endpoint, except for its id, created_at, created_by, mappings and tags.

        Raises:
            GatewayError: NOT_FOUND (the endpoint) or ALREADY_EXISTS (its name is in use).
        """
        try:
            changed = execute.run(self._connection, _UPDATE, {"id": endpoint.endpoint_id, **_ROWS.changes(endpoint)})
        except IntegrityError as error:
            _raise_violation(error, endpoint)
            raise
        if changed == 0:
            raise errors.not_found("GatewayEndpoint", endpoint_id=endpoint.endpoint_id)

    def replace_mappings(self, endpoint_id: str, mappings: Sequence[GatewayEndpointModelMapping]) -> None:
        """Replace all mappings of an endpoint.

        Raises:
            GatewayError: ALREADY_EXISTS (same definition and linkage type) or NOT_FOUND (the endpoint or a definition).
        """
        mapping.replace(self._connection, endpoint_id, mappings)

    def add_mapping(self, added: GatewayEndpointModelMapping) -> None:
        """Add a mapping after the existing ones of its endpoint; errors as in ``replace_mappings``."""
        mapping.append(self._connection, added.endpoint_id, added)

    def remove_mappings(self, endpoint_id: str, model_definition_id: str) -> int:
        """Delete all mappings of a definition to an endpoint; return their number."""
        return mapping.remove(self._connection, endpoint_id, model_definition_id)

    def set_tag(self, endpoint_id: str, new: GatewayEndpointTag) -> None:
        """Set a tag; an existing key keeps its position.

        Raises:
            GatewayError: NOT_FOUND; the endpoint does not exist.
        """
        tag.put(self._connection, endpoint_id, new)

    def remove_tag(self, endpoint_id: str, key: str) -> bool:
        """Delete a tag; return whether it existed."""
        return tag.remove(self._connection, endpoint_id, key)

    def remove(self, endpoint_id: str) -> bool:
        """Delete an endpoint with its mappings, tags, bindings and ENDPOINT budgets; return whether it existed."""
        return execute.run(self._connection, _REMOVE, {"endpoint_id": endpoint_id}) > 0

    def list(
        self,
        *,
        provider: str | None = None,
        secret_id: str | None = None,
        model_definition_id: str | None = None,
        changed_since: int | None = None,
        written_since: int | None = None,
        after: tuple[int, str] | None = None,
        limit: int | None = None,
    ) -> builtins.list[GatewayEndpoint]:
        """Return endpoints as ``get`` does, ordered by creation and id, in four queries for any number of endpoints.

        Mappings with the same definition share one entity.

        Args:
            provider: filter by a model's provider; None for all.
            secret_id: filter by a model's secret. A single model must match all filters.
            model_definition_id: filter by a model.
            changed_since: only those whose current state ``Changes.former`` may need for this revision; None for all.
            written_since: only those that were written after this revision, as ``Changes.written``; None for all.
            after: the created_at and endpoint_id that the page starts after; None starts at the first.
            limit: the maximum number; None for all.
        """
        filters = {
            "provider": provider,
            "secret_id": secret_id,
            "model_definition_id": model_definition_id,
            "changed_since": changed_since,
            "written_since": written_since,
        }
        restrictions, parameters = paging.shape(filters, after, limit)
        statements = _list(restrictions)
        found = {row[0]: _ROWS.read(row) for row in execute.rows(self._connection, statements.endpoints, parameters)}
        if found:
            # Skips dangling rows, which a program without foreign keys may have left.
            definitions = model_definition.read(self._connection, statements.definitions, parameters)
            for each in mapping.read(self._connection, statements.mappings, parameters, definitions):
                if each.endpoint_id in found:
                    found[each.endpoint_id].model_mappings.append(each)
            for endpoint_id, each_tag in tag.read(self._connection, statements.tags, parameters):
                if endpoint_id in found:
                    found[endpoint_id].tags.append(each_tag)
        return builtins.list(found.values())

    def _one(self, statement: paging.Query, parameters: Mapping[str, str]) -> GatewayEndpoint | None:
        row = execute.row(self._connection, statement, parameters)
        if row is None:
            return None
        endpoint = _ROWS.read(row)
        endpoint.model_mappings = mapping.of_endpoint(self._connection, endpoint.endpoint_id)
        endpoint.tags = tag.of_endpoint(self._connection, endpoint.endpoint_id)
        return endpoint


def _raise_violation(error: IntegrityError, endpoint: GatewayEndpoint) -> None:
    if errors.violates(error, ENDPOINT_NAME):
        raise errors.name_taken("Endpoint", str(endpoint.name)) from error
