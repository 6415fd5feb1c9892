"""Bindings: which resources use which endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from google.protobuf.unknown_fields import UnknownFieldSet

from gateway_entities.entities.base import Entity, new, required
from gateway_entities.entities.canonical import unknown_fields
from gatewayentities.v1 import binding_pb2 as pb


class GatewayResourceType(StrEnum):
    """The resource types that this version knows. The field is text on the wire, so later versions may add types.

    Attributes:
        SCORER: a scorer.
        SCORER_JOB: a job that runs scorers.
    """

    SCORER = "scorer"
    SCORER_JOB = "scorer_job"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return cls.__members__.get(value) if isinstance(value, str) else None


RESOURCE_TYPES: dict[str, GatewayResourceType] = {member.value: member for member in GatewayResourceType}
"""The known types by their texts."""


@dataclass(slots=True, eq=False)
class GatewayEndpointBinding(Entity[pb.GatewayEndpointBinding]):
    """A link from a resource to the endpoint that it uses.

    Attributes:
        endpoint_id: identifier of the endpoint.
        resource_type: type of the resource, 1 to 50 characters: a lower-case letter, then lower-case letters, digits and
            underscores. A type that this version does not know stays a str.
        resource_id: identifier of the resource in its own system, 1 to 255 characters.
        created_at: time of creation, in milliseconds since the Unix epoch, UTC.
        last_updated_at: time of the last change, in milliseconds since the Unix epoch, UTC.
        created_by: creator of the binding, 1 to 255 characters; None if it was not given.
        last_updated_by: actor of the last change to the binding, 1 to 255 characters; None if it was never given.
        display_name: display name of the resource; None if it is unknown.
    """

    _message = pb.GatewayEndpointBinding

    endpoint_id: str
    resource_type: GatewayResourceType | str
    resource_id: str
    created_at: int
    last_updated_at: int
    created_by: str | None = None
    last_updated_by: str | None = None
    display_name: str | None = None

    def __post_init__(self) -> None:
        self._unknown_fields = b""
        if type(self.resource_type) is str:
            self.resource_type = RESOURCE_TYPES.get(self.resource_type, self.resource_type)

    @classmethod
    def _read(cls, proto: pb.GatewayEndpointBinding) -> Self:
        resource_type = proto.resource_type or required(proto, "resource_type")
        entity = new(cls)
        entity.endpoint_id = proto.endpoint_id or required(proto, "endpoint_id")
        entity.resource_type = RESOURCE_TYPES.get(resource_type, resource_type)
        entity.resource_id = proto.resource_id or required(proto, "resource_id")
        entity.created_at = proto.created_at or required(proto, "created_at")
        entity.last_updated_at = proto.last_updated_at or required(proto, "last_updated_at")
        entity.created_by = proto.created_by or ("" if proto.HasField("created_by") else None)
        entity.last_updated_by = proto.last_updated_by or ("" if proto.HasField("last_updated_by") else None)
        entity.display_name = proto.display_name or ("" if proto.HasField("display_name") else None)
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayEndpointBinding) -> None:
        proto.endpoint_id = self.endpoint_id + ""
        proto.resource_type = self.resource_type + ""
        proto.resource_id = self.resource_id + ""
        proto.created_at = self.created_at
        proto.last_updated_at = self.last_updated_at
        if self.created_by is not None:
            proto.created_by = self.created_by + ""
        if self.last_updated_by is not None:
            proto.last_updated_by = self.last_updated_by + ""
        if self.display_name is not None:
            proto.display_name = self.display_name + ""
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)
