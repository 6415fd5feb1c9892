"""Model definitions: one provider's model with the secret that holds its credentials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from google.protobuf.unknown_fields import UnknownFieldSet

from gateway_entities.entities.base import Entity, new, required
from gateway_entities.entities.canonical import unknown_fields
from gatewayentities.v1 import model_definition_pb2 as pb


@dataclass(slots=True, eq=False)
class GatewayModelDefinition(Entity[pb.GatewayModelDefinition]):
    """One model of one provider, reusable by many endpoints.

    Attributes:
        model_definition_id: identifier, ``d-`` and 32 hexadecimal digits.
        name: unique name, 1 to 255 characters.
        secret_id: identifier of the secret with the provider's credentials; None after that secret was deleted.
        secret_name: name of that secret; None after that secret was deleted.
        provider: provider of the model, such as ``openai``, 1 to 64 characters.
        model_name: the provider's name for the model, such as ``gpt-4o``, 1 to 256 characters.
        created_at: time of creation, in milliseconds since the Unix epoch, UTC.
        last_updated_at: time of the last change, in milliseconds since the Unix epoch, UTC.
        created_by: creator of the definition, 1 to 255 characters; None if it was not given.
        last_updated_by: actor of the last change to the definition, 1 to 255 characters; None if it was never given.
    """

    _message = pb.GatewayModelDefinition

    model_definition_id: str
    name: str
    secret_id: str | None
    secret_name: str | None
    provider: str
    model_name: str
    created_at: int
    last_updated_at: int
    created_by: str | None = None
    last_updated_by: str | None = None

    @classmethod
    def _read(cls, proto: pb.GatewayModelDefinition) -> Self:
        entity = new(cls)
        entity.model_definition_id = proto.model_definition_id or required(proto, "model_definition_id")
        entity.name = proto.name or required(proto, "name")
        entity.secret_id = proto.secret_id or ("" if proto.HasField("secret_id") else None)
        entity.secret_name = proto.secret_name or ("" if proto.HasField("secret_name") else None)
        entity.provider = proto.provider or required(proto, "provider")
        entity.model_name = proto.model_name or required(proto, "model_name")
        entity.created_at = proto.created_at or required(proto, "created_at")
        entity.last_updated_at = proto.last_updated_at or required(proto, "last_updated_at")
        entity.created_by = proto.created_by or ("" if proto.HasField("created_by") else None)
        entity.last_updated_by = proto.last_updated_by or ("" if proto.HasField("last_updated_by") else None)
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayModelDefinition) -> None:
        proto.model_definition_id = self.model_definition_id + ""
        proto.name = self.name + ""
        if self.secret_id is not None:
            proto.secret_id = self.secret_id + ""
        if self.secret_name is not None:
            proto.secret_name = self.secret_name + ""
        proto.provider = self.provider + ""
        proto.model_name = self.model_name + ""
        proto.created_at = self.created_at
        proto.last_updated_at = self.last_updated_at
        if self.created_by is not None:
            proto.created_by = self.created_by + ""
        if self.last_updated_by is not None:
            proto.last_updated_by = self.last_updated_by + ""
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)
