"""Change log: changes of the configuration."""

# pyright: reportPrivateUsage=false
# One entity is read and written as part of another.

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from google.protobuf.unknown_fields import UnknownFieldSet

from gateway_entities.entities.base import Entity, new, required
from gateway_entities.entities.canonical import unknown_fields
from gatewayentities.v1 import change_pb2 as pb


@dataclass(slots=True, eq=False)
class GatewayChangeEffect(Entity[pb.GatewayChangeEffect]):
    """The effect of a change on one resource.

    Attributes:
        noun: resource kind: secret, model_definition, endpoint, binding or budget_policy.
        id: identifier of the resource; for a binding its endpoint_id, resource_type and resource_id, separated by slashes.
        etag_before: etag of the resource before the change; None if the change created it.
        etag_after: etag of the resource after the change; None if the change deleted it.
    """

    _message = pb.GatewayChangeEffect

    noun: str
    id: str
    etag_before: str | None = None
    etag_after: str | None = None

    @classmethod
    def _read(cls, proto: pb.GatewayChangeEffect) -> Self:
        entity = new(cls)
        entity.noun = proto.noun or required(proto, "noun")
        entity.id = proto.id or required(proto, "id")
        entity.etag_before = proto.etag_before or ("" if proto.HasField("etag_before") else None)
        entity.etag_after = proto.etag_after or ("" if proto.HasField("etag_after") else None)
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayChangeEffect) -> None:
        proto.noun = self.noun + ""
        proto.id = self.id + ""
        if self.etag_before is not None:
            proto.etag_before = self.etag_before + ""
        if self.etag_after is not None:
            proto.etag_after = self.etag_after + ""
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewayChange(Entity[pb.GatewayChange]):
    """One entry of the change log: the effects of one call. It never contains a secret value.

    Attributes:
        revision: number of the change in the change log, 1 or more.
        changed_at: time of the change, in milliseconds since the Unix epoch, UTC.
        rpc: name of the RPC, such as ``UpdateGatewayEndpoint``.
        change: effect on the resource that the call addressed.
        effects: effects on related resources: the endpoints of a definition, the bindings of a deleted endpoint.
        actor: the authenticated caller, or else the actor that the request names; None if there is neither.
    """

    _message = pb.GatewayChange

    revision: int
    changed_at: int
    rpc: str
    change: GatewayChangeEffect
    effects: list[GatewayChangeEffect] = field(default_factory=list[GatewayChangeEffect])
    actor: str | None = None

    @classmethod
    def _read(cls, proto: pb.GatewayChange) -> Self:
        entity = new(cls)
        entity.revision = proto.revision or required(proto, "revision")
        entity.changed_at = proto.changed_at or required(proto, "changed_at")
        entity.rpc = proto.rpc or required(proto, "rpc")
        entity.change = GatewayChangeEffect._read(proto.change if proto.HasField("change") else required(proto, "change"))
        entity.effects = [GatewayChangeEffect._read(effect) for effect in proto.effects[:]]
        entity.actor = proto.actor or ("" if proto.HasField("actor") else None)
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayChange) -> None:
        proto.revision = self.revision
        proto.changed_at = self.changed_at
        if self.actor is not None:
            proto.actor = self.actor + ""
        proto.rpc = self.rpc + ""
        GatewayChangeEffect._write(self.change, proto.change)
        for effect in self.effects:
            GatewayChangeEffect._write(effect, proto.effects.add())
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)
