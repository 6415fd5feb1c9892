"""Tags of endpoints, ordered by the first set of their key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Column, Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway_entities.entities import GatewayEndpointTag
from gateway_entities.server.store.sql import errors, execute
from gateway_entities.server.store.sql.paging import Query
from gateway_entities.server.store.sql.schema import endpoint_tags

_own = endpoint_tags.c

_COLUMNS: Final[tuple[Column[Any], ...]] = (_own.endpoint_id, _own.key, _own.value)
_TAGS: Final = select(*_COLUMNS).order_by(_own.endpoint_id, _own.position)
_OF_ONE: Final = _TAGS.where(_own.endpoint_id == bindparam("endpoint_id"))
_NEXT_POSITION: Final = (
    select(func.coalesce(func.max(_own.position), -1) + 1)
    .where(_own.endpoint_id == bindparam("of_endpoint"))
    .scalar_subquery()
)
_ADD: Final = insert(endpoint_tags).values(position=_NEXT_POSITION)
_ADD_AT: Final = insert(endpoint_tags)
_UPDATE: Final = update(endpoint_tags).where(_own.endpoint_id == bindparam("of_endpoint"), _own.key == bindparam("of_key"))
_REMOVE: Final = delete(endpoint_tags).where(_own.endpoint_id == bindparam("endpoint_id"), _own.key == bindparam("key"))


def of_endpoints(endpoint_ids: Query | None) -> Query:
    """Return the query for the tags of the endpoints whose ids a query selects; None for all endpoints."""
    return _TAGS if endpoint_ids is None else _TAGS.where(_own.endpoint_id.in_(endpoint_ids))


def of_endpoint(connection: Connection, endpoint_id: str) -> list[GatewayEndpointTag]:
    """Return the tags of one endpoint."""
    return [tag for _, tag in read(connection, _OF_ONE, {"endpoint_id": endpoint_id})]


def read(
    connection: Connection, statement: Query, parameters: Mapping[str, Any]
) -> Iterator[tuple[str, GatewayEndpointTag]]:
    """Run a query of ``of_endpoints``; yield endpoint ids and tags."""
    for endpoint_id, key, value in execute.rows(connection, statement, parameters):
        yield endpoint_id, GatewayEndpointTag(key, value)


def add(connection: Connection, endpoint_id: str, tags: Sequence[GatewayEndpointTag]) -> None:
    """Add the tags of a new endpoint; their keys must be unique."""
    if tags:
        rows = [
            {"endpoint_id": endpoint_id, "key": tag.key, "value": tag.value, "position": position}
            for position, tag in enumerate(tags)
        ]
        execute.run_each(connection, _ADD_AT, rows)


def put(connection: Connection, endpoint_id: str, tag: GatewayEndpointTag) -> None:
    """Set a tag; an existing key keeps its position.

    Raises:
        GatewayError: NOT_FOUND; the endpoint does not exist.
    """
    values = {"of_endpoint": endpoint_id, "of_key": tag.key, "value": tag.value}
    if execute.run(connection, _UPDATE, values):
        return
    try:
        row = {"endpoint_id": endpoint_id, "key": tag.key, "value": tag.value, "of_endpoint": endpoint_id}
        execute.run(connection, _ADD, row)
    except IntegrityError as error:
        if errors.violates_reference(error):
            raise errors.not_found("GatewayEndpoint", endpoint_id=endpoint_id) from error
        raise


def remove(connection: Connection, endpoint_id: str, key: str) -> bool:
    """Delete a tag; return whether it existed."""
    return execute.run(connection, _REMOVE, {"endpoint_id": endpoint_id, "key": key}) > 0
