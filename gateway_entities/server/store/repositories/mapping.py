"""Mappings of models to endpoints, in the order of attachment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Column, Connection, bindparam, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from gateway_entities.entities import GatewayEndpointModelMapping, GatewayModelDefinition, GatewayModelLinkageType
from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.repositories import model_definition
from gateway_entities.server.store.sql import errors, execute
from gateway_entities.server.store.sql.entity_rows import EntityRows, enum_column
from gateway_entities.server.store.sql.paging import Query
from gateway_entities.server.store.sql.schema import MAPPING_LINKAGE, endpoint_mappings, model_definitions, secrets

_own = endpoint_mappings.c

_ROWS: Final = EntityRows(
    GatewayEndpointModelMapping,
    endpoint_mappings,
    {"linkage_type": enum_column("linkage_type", GatewayModelLinkageType)},
    filled_later={"model_definition": lambda: None},
)
_DEFINITION_ID: Final[tuple[Column[Any], ...]] = (_own.model_definition_id,)
_ORDER: Final = (_own.endpoint_id, _own.position)
_MAPPINGS: Final = select(*_ROWS.columns).order_by(*_ORDER)
_OF_ONE: Final = (
    select(*_ROWS.columns, *model_definition.ROWS.columns)
    .select_from(
        endpoint_mappings.join(
            model_definitions, model_definitions.c.model_definition_id == _own.model_definition_id
        ).outerjoin(secrets, secrets.c.secret_id == model_definitions.c.secret_id)
    )
    .where(_own.endpoint_id == bindparam("endpoint_id"))
    .order_by(*_ORDER)
)
_LAST_POSITION: Final = select(func.coalesce(func.max(_own.position), -1)).where(
    _own.endpoint_id == bindparam("endpoint_id")
)
_ADD: Final = insert(endpoint_mappings)
_REMOVE_ALL: Final = delete(endpoint_mappings).where(_own.endpoint_id == bindparam("endpoint_id"))
_REMOVE: Final = _REMOVE_ALL.where(_own.model_definition_id == bindparam("model_definition_id"))


def of_endpoints(endpoint_ids: Query | None) -> Query:
    """Return the query for the mappings of the endpoints whose ids a query selects; None for all endpoints."""
    return _MAPPINGS if endpoint_ids is None else _MAPPINGS.where(_own.endpoint_id.in_(endpoint_ids))


def definitions_of_endpoints(endpoint_ids: Query | None) -> Query:
    """Return the query for the distinct definitions of these mappings."""
    if endpoint_ids is None:
        return model_definition.ALL
    return model_definition.selected_by(select(*_DEFINITION_ID).where(_own.endpoint_id.in_(endpoint_ids)))


def of_endpoint(connection: Connection, endpoint_id: str) -> list[GatewayEndpointModelMapping]:
    """Return the mappings of one endpoint."""
    own = len(_ROWS.columns)
    rows = execute.rows(connection, _OF_ONE, {"endpoint_id": endpoint_id})
    return [_mapping(row[:own], model_definition.ROWS.read(row[own:])) for row in rows]


def read(
    connection: Connection,
    statement: Query,
    parameters: Mapping[str, Any],
    definitions: Mapping[str, GatewayModelDefinition],
) -> Iterator[GatewayEndpointModelMapping]:
    """Run a query of ``of_endpoints``; yield its mappings, except for those whose definition is missing.

    Args:
        connection: the connection.
        statement: the query.
        parameters: its parameters.
        definitions: the definitions, keyed by id; mappings with the same definition share one entity.
    """
    for row in execute.rows(connection, statement, parameters):
        definition = definitions.get(row[2])
        if definition is not None:
            yield _mapping(row, definition)


def add(connection: Connection, endpoint_id: str, mappings: Sequence[GatewayEndpointModelMapping], first: int = 0) -> None:
    """Add mappings to an endpoint.

    Args:
        connection: the connection.
        endpoint_id: the endpoint.
        mappings: the mappings, in order.
        first: the position of the first one.

    Raises:
        GatewayError: ALREADY_EXISTS (same definition and linkage type) or NOT_FOUND (the endpoint or a definition).
    """
    for position, mapping in enumerate(mappings, start=first):
        row = {**_ROWS.write(mapping), "endpoint_id": endpoint_id, "position": position}
        # One statement each, so that an error names the mapping.
        try:
            execute.run(connection, _ADD, row)
        except IntegrityError as error:
            _raise_violation(error, endpoint_id, mapping)
            raise


def append(connection: Connection, endpoint_id: str, mapping: GatewayEndpointModelMapping) -> None:
    """Add a mapping after the existing ones of an endpoint; errors as in ``add``."""
    ((last,),) = execute.rows(connection, _LAST_POSITION, {"endpoint_id": endpoint_id})
    add(connection, endpoint_id, [mapping], last + 1)


def replace(connection: Connection, endpoint_id: str, mappings: Sequence[GatewayEndpointModelMapping]) -> None:
    """Replace all mappings of an endpoint; errors as in ``add``."""
    execute.run(connection, _REMOVE_ALL, {"endpoint_id": endpoint_id})
    add(connection, endpoint_id, mappings)


def remove(connection: Connection, endpoint_id: str, model_definition_id: str) -> int:
    """Delete all mappings of a definition to an endpoint; return their number."""
    keys = {"endpoint_id": endpoint_id, "model_definition_id": model_definition_id}
    return execute.run(connection, _REMOVE, keys)


def _mapping(row: execute.Row, definition: GatewayModelDefinition) -> GatewayEndpointModelMapping:
    mapping = _ROWS.read(row)
    mapping.model_definition = definition
    return mapping


def _raise_violation(error: IntegrityError, endpoint_id: str, mapping: GatewayEndpointModelMapping) -> None:
    if errors.violates(error, MAPPING_LINKAGE):
        raise GatewayError(
            Code.ALREADY_EXISTS,
            f"Model definition '{mapping.model_definition_id}' is already attached to endpoint '{endpoint_id}'",
            reason="ALREADY_ATTACHED",
        ) from error
    if errors.violates_reference(error):
        raise GatewayError(
            Code.NOT_FOUND,
            f"Model definition '{mapping.model_definition_id}' or endpoint '{endpoint_id}' not found",
            reason="NOT_FOUND",
        ) from error
