"""Plans: what the application of a configuration would do."""

# pyright: reportPrivateUsage=false
# One entity is read and written as part of another.

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from google.protobuf.unknown_fields import UnknownFieldSet

from gateway_entities.entities.base import Entity, new, required
from gateway_entities.entities.canonical import unknown_fields
from gateway_entities.entities.change import GatewayFieldDifference
from gateway_entities.entities.enums import NamedEnum, enum_value, members, number
from gatewayentities.v1 import configuration_pb2 as pb


class GatewayPlanAction(NamedEnum):
    """What happens to a resource.

    Attributes:
        GATEWAY_PLAN_ACTION_UNSPECIFIED: no action was chosen.
        GATEWAY_PLAN_ACTION_CREATE: it is created.
        GATEWAY_PLAN_ACTION_UPDATE: some of its fields change.
        GATEWAY_PLAN_ACTION_DELETE: it is deleted.
    """

    GATEWAY_PLAN_ACTION_UNSPECIFIED = 0
    GATEWAY_PLAN_ACTION_CREATE = 1
    GATEWAY_PLAN_ACTION_UPDATE = 2
    GATEWAY_PLAN_ACTION_DELETE = 3


class GatewayPlanNoteKind(NamedEnum):
    """What a note is about.

    Attributes:
        GATEWAY_PLAN_NOTE_KIND_UNSPECIFIED: no kind was chosen.
        GATEWAY_PLAN_NOTE_KIND_SPEND_RESTARTS: the spend of the budget policy starts again at 0.
        GATEWAY_PLAN_NOTE_KIND_SECRET_WITHOUT_VALUE: the secret will have no value: its endpoints cannot be resolved
            until it gets one.
        GATEWAY_PLAN_NOTE_KIND_SECRET_VALUE_CHANGES: the value that was sent differs from the stored one.
        GATEWAY_PLAN_NOTE_KIND_SECRET_ROTATED_SINCE: the secret got another value after the revision of the rollback,
            which it keeps.
        GATEWAY_PLAN_NOTE_KIND_SECRET_DELETED_SINCE: the secret was deleted after the revision of the rollback, and
            returns without a value.
        GATEWAY_PLAN_NOTE_KIND_LAST_GUARDRAIL: it is the last guardrail of its endpoint, which will have none.
    """

    GATEWAY_PLAN_NOTE_KIND_UNSPECIFIED = 0
    GATEWAY_PLAN_NOTE_KIND_SPEND_RESTARTS = 1
    GATEWAY_PLAN_NOTE_KIND_SECRET_WITHOUT_VALUE = 2
    GATEWAY_PLAN_NOTE_KIND_SECRET_VALUE_CHANGES = 3
    GATEWAY_PLAN_NOTE_KIND_SECRET_ROTATED_SINCE = 4
    GATEWAY_PLAN_NOTE_KIND_SECRET_DELETED_SINCE = 5
    GATEWAY_PLAN_NOTE_KIND_LAST_GUARDRAIL = 6


_ACTIONS = members(GatewayPlanAction)
_KINDS = members(GatewayPlanNoteKind)


@dataclass(slots=True, eq=False)
class GatewayResourceVersion(Entity[pb.GatewayResourceVersion]):
    """A resource that a plan has read: the version that it had, or that there was none.

    Attributes:
        noun: resource kind: secret, model_definition, endpoint, binding, budget_policy, guardrail or guardrail_config,
            the use of a guardrail by an endpoint.
        name: name of the resource, as in GatewayPlannedChange.
        id: identifier of the resource. None if there was none.
        content_etag: version, 32 hexadecimal digits; for an endpoint or a guardrail_config the content_etag of the
            watch stream. None if there was none.
        owner: owner of the resource. None if it had none.
    """

    _message = pb.GatewayResourceVersion

    noun: str
    name: str
    id: str | None = None
    content_etag: str | None = None
    owner: str | None = None

    @classmethod
    def _read(cls, proto: pb.GatewayResourceVersion) -> Self:
        entity = new(cls)
        entity.noun = proto.noun or required(proto, "noun")
        entity.name = proto.name or required(proto, "name")
        entity.id = proto.id or ("" if proto.HasField("id") else None)
        entity.content_etag = proto.content_etag or ("" if proto.HasField("content_etag") else None)
        entity.owner = proto.owner or ("" if proto.HasField("owner") else None)
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayResourceVersion) -> None:
        proto.noun = self.noun + ""
        proto.name = self.name + ""
        if self.id is not None:
            proto.id = self.id + ""
        if self.content_etag is not None:
            proto.content_etag = self.content_etag + ""
        if self.owner is not None:
            proto.owner = self.owner + ""
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewayPlanBasis(Entity[pb.GatewayPlanBasis]):
    """What a plan depends on.

    Sent with an apply it has the plan carried out, or nothing.

    Attributes:
        store_id: identifier of the store.
        versions: the resources that the plan has read or would write, in order of kind and name.
    """

    _message = pb.GatewayPlanBasis

    store_id: str
    versions: list[GatewayResourceVersion] = field(default_factory=list[GatewayResourceVersion])

    @classmethod
    def _read(cls, proto: pb.GatewayPlanBasis) -> Self:
        entity = new(cls)
        entity.store_id = proto.store_id or required(proto, "store_id")
        entity.versions = [GatewayResourceVersion._read(version) for version in proto.versions[:]]
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayPlanBasis) -> None:
        proto.store_id = self.store_id + ""
        for version in self.versions:
            GatewayResourceVersion._write(version, proto.versions.add())
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewayPlanNote(Entity[pb.GatewayPlanNote]):
    """Something about a planned change that its fields do not show.

    Attributes:
        kind: what it is about.
        description: the same as a sentence, for people.
    """

    _message = pb.GatewayPlanNote

    kind: GatewayPlanNoteKind | int
    description: str

    def __post_init__(self) -> None:
        self._unknown_fields = b""
        self.kind = enum_value(GatewayPlanNoteKind, self.kind, self, "kind")

    @classmethod
    def _read(cls, proto: pb.GatewayPlanNote) -> Self:
        kind = proto.kind or required(proto, "kind")
        entity = new(cls)
        entity.kind = _KINDS.get(kind, kind)
        entity.description = proto.description or required(proto, "description")
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayPlanNote) -> None:
        proto.kind = number(self.kind)
        proto.description = self.description + ""
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewayPlannedChange(Entity[pb.GatewayPlannedChange]):
    """What would happen to one resource.

    Attributes:
        action: what would happen.
        noun: resource kind: secret, model_definition, endpoint, binding, budget_policy, guardrail or guardrail_config,
            the use of a guardrail by an endpoint.
        name: name of the resource; after a change of its name the new one. A binding has that of its endpoint, its
            resource_type and resource_id, separated by slashes; a guardrail_config has those of its endpoint and its
            guardrail, separated by a slash; a budget policy has a description, such as "ENDPOINT support, 100 USD per
            1 MONTHS, REJECT".
        id: identifier of the resource. None if it would be created.
        fields: the fields that change, with the field names of GatewayConfiguration. The field "owner" is the
            resource's owner.
        notes: what else there is to know, in order of kind.
        cause: kind and name of the resource whose change causes this one, such as "model_definition chat". None for
            what the configuration itself says.
    """

    _message = pb.GatewayPlannedChange

    action: GatewayPlanAction | int
    noun: str
    name: str
    id: str | None = None
    fields: list[GatewayFieldDifference] = field(default_factory=list[GatewayFieldDifference])
    notes: list[GatewayPlanNote] = field(default_factory=list[GatewayPlanNote])
    cause: str | None = None

    def __post_init__(self) -> None:
        self._unknown_fields = b""
        self.action = enum_value(GatewayPlanAction, self.action, self, "action")

    @classmethod
    def _read(cls, proto: pb.GatewayPlannedChange) -> Self:
        action = proto.action or required(proto, "action")
        entity = new(cls)
        entity.action = _ACTIONS.get(action, action)
        entity.noun = proto.noun or required(proto, "noun")
        entity.name = proto.name or required(proto, "name")
        entity.id = proto.id or ("" if proto.HasField("id") else None)
        entity.fields = [GatewayFieldDifference._read(difference) for difference in proto.fields[:]]
        entity.notes = [GatewayPlanNote._read(note) for note in proto.notes[:]]
        entity.cause = proto.cause or ("" if proto.HasField("cause") else None)
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayPlannedChange) -> None:
        proto.action = number(self.action)
        proto.noun = self.noun + ""
        proto.name = self.name + ""
        if self.id is not None:
            proto.id = self.id + ""
        for difference in self.fields:
            GatewayFieldDifference._write(difference, proto.fields.add())
        for note in self.notes:
            GatewayPlanNote._write(note, proto.notes.add())
        if self.cause is not None:
            proto.cause = self.cause + ""
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewayConfigurationPlan(Entity[pb.GatewayConfigurationPlan]):
    """What would happen to all resources.

    Attributes:
        basis: what the plan depends on.
        changes: what the configuration says itself, in the order in which it would be done. Empty if nothing
            differs.
        effects: what happens besides: endpoints whose model definitions change, model definitions that lose their
            secret, the uses of guardrails that change, guardrails that lose their action endpoint, and what is
            deleted with its endpoint or guardrail.
    """

    _message = pb.GatewayConfigurationPlan

    basis: GatewayPlanBasis
    changes: list[GatewayPlannedChange] = field(default_factory=list[GatewayPlannedChange])
    effects: list[GatewayPlannedChange] = field(default_factory=list[GatewayPlannedChange])

    @classmethod
    def _read(cls, proto: pb.GatewayConfigurationPlan) -> Self:
        entity = new(cls)
        entity.changes = [GatewayPlannedChange._read(change) for change in proto.changes[:]]
        entity.effects = [GatewayPlannedChange._read(effect) for effect in proto.effects[:]]
        entity.basis = GatewayPlanBasis._read(proto.basis if proto.HasField("basis") else required(proto, "basis"))
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayConfigurationPlan) -> None:
        for change in self.changes:
            GatewayPlannedChange._write(change, proto.changes.add())
        for effect in self.effects:
            GatewayPlannedChange._write(effect, proto.effects.add())
        proto.basis.SetInParent()
        GatewayPlanBasis._write(self.basis, proto.basis)
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)
