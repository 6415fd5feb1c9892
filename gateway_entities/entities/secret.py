"""Metadata of provider credentials, with masked values."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import Self

from google.protobuf.unknown_fields import UnknownFieldSet

from gateway_entities.entities.base import Entity, new, required
from gateway_entities.entities.canonical import unknown_fields
from gatewayentities.v1 import secret_pb2 as pb


@dataclass(slots=True, eq=False)
class GatewaySecretInfo(Entity[pb.GatewaySecretInfo]):
    """Metadata of a stored credential, without its value.

    Attributes:
        secret_id: identifier, ``s-`` and 32 hexadecimal digits; never changes.
        secret_name: unique name, 1 to 255 characters; never changes.
        masked_values: the credential's keys, each with a masked value: its first 3 characters, ``...``, its last 4, or
            ``***`` for a value of fewer than 20 characters. Never the value itself.
        created_at: time of creation, in milliseconds since the Unix epoch, UTC.
        last_updated_at: time of the last change, in milliseconds since the Unix epoch, UTC.
        provider: provider of the credential, such as ``openai``, at most 64 characters; None if it was not given.
        auth_config: non-secret settings, such as a region or an API version.
        created_by: creator of the secret, 1 to 255 characters; None if it was not given.
        last_updated_by: actor of the last change to the secret, 1 to 255 characters; None if it was never given.
    """

    _message = pb.GatewaySecretInfo

    secret_id: str
    secret_name: str
    masked_values: dict[str, str]
    created_at: int
    last_updated_at: int
    provider: str | None = None
    auth_config: dict[str, str] = field(default_factory=dict[str, str])
    # MLflow's entity has the workspace here.
    _: KW_ONLY
    created_by: str | None = None
    last_updated_by: str | None = None

    @classmethod
    def _read(cls, proto: pb.GatewaySecretInfo) -> Self:
        entity = new(cls)
        entity.secret_id = proto.secret_id or required(proto, "secret_id")
        entity.secret_name = proto.secret_name or required(proto, "secret_name")
        entity.masked_values = dict(proto.masked_values)
        entity.created_at = proto.created_at or required(proto, "created_at")
        entity.last_updated_at = proto.last_updated_at or required(proto, "last_updated_at")
        entity.provider = proto.provider or ("" if proto.HasField("provider") else None)
        entity.auth_config = dict(proto.auth_config)
        entity.created_by = proto.created_by or ("" if proto.HasField("created_by") else None)
        entity.last_updated_by = proto.last_updated_by or ("" if proto.HasField("last_updated_by") else None)
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewaySecretInfo) -> None:
        proto.secret_id = self.secret_id + ""
        proto.secret_name = self.secret_name + ""
        masked_values = proto.masked_values
        for key, value in self.masked_values.items():
            masked_values[key + ""] = value + ""
        proto.created_at = self.created_at
        proto.last_updated_at = self.last_updated_at
        if self.provider is not None:
            proto.provider = self.provider + ""
        auth_config = proto.auth_config
        for key, value in self.auth_config.items():
            auth_config[key + ""] = value + ""
        if self.created_by is not None:
            proto.created_by = self.created_by + ""
        if self.last_updated_by is not None:
            proto.last_updated_by = self.last_updated_by + ""
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)
