"""The models attached to endpoints, in the order in which they were attached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Column, Connection, bindparam, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from gateway_entities.entities import GatewayEndpointModelMapping, GatewayModelDefinition, GatewayModelLinkageType
from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store import faults, model_definition
from gateway_entities.server.store.paging import Query
from gateway_entities.server.store.schema import MAPPING_LINKAGE, endpoint_mappings, model_definitions, secrets
from gateway_entities.server.store.values import Numbers

_own = endpoint_mappings.c

_OWN_COLUMNS: Final[tuple[Column[Any], ...]] = (
    _own.mapping_id,
    _own.endpoint_id,
    _own.model_definition_id,
    _own.weight,
    _own.linkage_type,
    _own.fallback_order,
    _own.created_at,
    _own.created_by,
)
_MAPPINGS: Final = (
    select(*_OWN_COLUMNS, *model_definition.COLUMNS)
    .select_from(
        endpoint_mappings.join(
            model_definitions, model_definitions.c.model_definition_id == _own.model_definition_id
        ).outerjoin(secrets, secrets.c.secret_id == model_definitions.c.secret_id)
    )
    .order_by(_own.endpoint_id, _own.position)
)
_OF_ONE: Final = _MAPPINGS.where(_own.endpoint_id == bindparam("endpoint_id"))
_LAST_POSITION: Final = select(func.coalesce(func.max(_own.position), -1)).where(
    _own.endpoint_id == bindparam("endpoint_id")
)
_ADD: Final = insert(endpoint_mappings)
_REMOVE_ALL: Final = delete(endpoint_mappings).where(_own.endpoint_id == bindparam("endpoint_id"))
_REMOVE: Final = _REMOVE_ALL.where(_own.model_definition_id == bindparam("model_definition_id"))

_LINKAGE_TYPES: Final = Numbers(GatewayModelLinkageType)


def of_endpoints(endpoint_ids: Query) -> Query:
    """Return the statement that reads the mappings of the endpoints that another statement selects."""
    return _MAPPINGS.where(_own.endpoint_id.in_(endpoint_ids))


def of_endpoint(connection: Connection, endpoint_id: str) -> list[GatewayEndpointModelMapping]:
    """Return the mappings of one endpoint."""
    return [mapping for _, mapping in read(connection, _OF_ONE, {"endpoint_id": endpoint_id})]


def read(
    connection: Connection, statement: Query, parameters: Mapping[str, Any]
) -> Iterator[tuple[str, GatewayEndpointModelMapping]]:
    """Run a statement of this module; yield each mapping with the id of its endpoint."""
    for row in connection.execute(statement, parameters).all():
        mapping = _mapping(row)
        yield mapping.endpoint_id, mapping


def add(connection: Connection, endpoint_id: str, mappings: Sequence[GatewayEndpointModelMapping]) -> None:
    """Store mappings of one endpoint, after those that it has.

    Raises:
        GatewayError: ALREADY_EXISTS when a definition is linked twice in the same way; NOT_FOUND when the endpoint or a
            definition does not exist.
    """
    if not mappings:
        return
    last: int = connection.execute(_LAST_POSITION, {"endpoint_id": endpoint_id}).scalar_one()
    for position, mapping in enumerate(mappings, start=last + 1):
        row = {
            "mapping_id": mapping.mapping_id,
            "endpoint_id": endpoint_id,
            "model_definition_id": mapping.model_definition_id,
            "position": position,
            "weight": mapping.weight,
            "linkage_type": None if mapping.linkage_type is None else int(mapping.linkage_type),
            "fallback_order": mapping.fallback_order,
            "created_at": mapping.created_at,
            "created_by": mapping.created_by,
        }
        # One at a time, so that an error tells which mapping it was.
        try:
            connection.execute(_ADD, row)
        except IntegrityError as error:
            _explain(error, endpoint_id, mapping)
            raise


def replace(connection: Connection, endpoint_id: str, mappings: Sequence[GatewayEndpointModelMapping]) -> None:
    """Put these mappings in place of all that an endpoint has; errors as in add."""
    connection.execute(_REMOVE_ALL, {"endpoint_id": endpoint_id})
    add(connection, endpoint_id, mappings)


def remove(connection: Connection, endpoint_id: str, model_definition_id: str) -> int:
    """Remove every mapping of one definition from an endpoint; return how many there were."""
    keys = {"endpoint_id": endpoint_id, "model_definition_id": model_definition_id}
    return connection.execute(_REMOVE, keys).rowcount


def _mapping(row: Sequence[Any]) -> GatewayEndpointModelMapping:
    mapping_id, endpoint_id, definition_id, weight, linkage_type, fallback_order, created_at, created_by = row[:8]
    return GatewayEndpointModelMapping(
        mapping_id,
        endpoint_id,
        definition_id,
        GatewayModelDefinition(*row[8:]),
        weight,
        _LINKAGE_TYPES.read(linkage_type),
        fallback_order,
        created_at,
        created_by,
    )


def _explain(error: IntegrityError, endpoint_id: str, mapping: GatewayEndpointModelMapping) -> None:
    if faults.violates(error, MAPPING_LINKAGE):
        raise GatewayError(
            Code.ALREADY_EXISTS,
            f"Model definition '{mapping.model_definition_id}' is already attached to endpoint '{endpoint_id}'",
            reason="ALREADY_ATTACHED",
        ) from error
    if faults.violates_reference(error):
        raise GatewayError(
            Code.NOT_FOUND,
            f"Model definition '{mapping.model_definition_id}' or endpoint '{endpoint_id}' not found",
            reason="NOT_FOUND",
        ) from error
