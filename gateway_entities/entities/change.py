"""Change log: changes of the configuration."""

# pyright: reportPrivateUsage=false
# One entity is read and written as part of another.

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from google.protobuf.unknown_fields import UnknownFieldSet

from gateway_entities.entities.base import Entity, new, required
from gateway_entities.entities.binding import GatewayEndpointBinding
from gateway_entities.entities.budget import GatewayBudgetPolicy
from gateway_entities.entities.canonical import unknown_fields
from gateway_entities.entities.endpoint import GatewayEndpoint
from gateway_entities.entities.guardrail import GatewayGuardrail, GatewayGuardrailConfig
from gateway_entities.entities.model_definition import GatewayModelDefinition
from gateway_entities.entities.secret import GatewaySecretInfo
from gateway_entities.entities.spend import GatewaySpendAdjustment
from gateway_entities.errors import WireError
from gatewayentities.v1 import change_pb2 as pb


@dataclass(slots=True, eq=False)
class GatewayFieldDifference(Entity[pb.GatewayFieldDifference]):
    """A field of a resource before and after a change.

    It never contains a secret value.

    Attributes:
        path: path of the field, with the field names of GatewayConfiguration, such as models[0].weight or
            tags["team"]. For a secret that got another value it is secret_value, without before and after.
        before: its value before, as JSON; beyond 1000 characters it is cut and ends in "...". None if it had none,
            or its default.
        after: its value after, likewise.
    """

    _message = pb.GatewayFieldDifference

    path: str
    before: str | None = None
    after: str | None = None

    @classmethod
    def _read(cls, proto: pb.GatewayFieldDifference) -> Self:
        entity = new(cls)
        entity.path = proto.path or required(proto, "path")
        entity.before = proto.before or ("" if proto.HasField("before") else None)
        entity.after = proto.after or ("" if proto.HasField("after") else None)
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayFieldDifference) -> None:
        proto.path = self.path + ""
        if self.before is not None:
            proto.before = self.before + ""
        if self.after is not None:
            proto.after = self.after + ""
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewayChangeEffect(Entity[pb.GatewayChangeEffect]):
    """The effect of a change on one resource.

    Attributes:
        noun: resource kind: secret, model_definition, endpoint, binding, budget_policy, guardrail or guardrail_config.
        id: identifier of the resource; for a binding its endpoint_id, resource_type and resource_id, and for a guardrail
            config its endpoint_id and guardrail_id, separated by slashes.
        etag_before: etag of the resource before the change; None if the change created it.
        etag_after: etag of the resource after the change; None if the change deleted it.
        name: name of the resource after the change, before it if it was deleted; None in changes that earlier releases have
            logged.
        fields: the fields that changed, at most 100; empty for resources that only include others that changed.
    """

    _message = pb.GatewayChangeEffect

    noun: str
    id: str
    etag_before: str | None = None
    etag_after: str | None = None
    name: str | None = None
    fields: list[GatewayFieldDifference] = field(default_factory=list[GatewayFieldDifference])

    @classmethod
    def _read(cls, proto: pb.GatewayChangeEffect) -> Self:
        entity = new(cls)
        entity.noun = proto.noun or required(proto, "noun")
        entity.id = proto.id or required(proto, "id")
        entity.etag_before = proto.etag_before or ("" if proto.HasField("etag_before") else None)
        entity.etag_after = proto.etag_after or ("" if proto.HasField("etag_after") else None)
        entity.name = proto.name or ("" if proto.HasField("name") else None)
        entity.fields = [GatewayFieldDifference._read(difference) for difference in proto.fields[:]]
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayChangeEffect) -> None:
        proto.noun = self.noun + ""
        proto.id = self.id + ""
        if self.etag_before is not None:
            proto.etag_before = self.etag_before + ""
        if self.etag_after is not None:
            proto.etag_after = self.etag_after + ""
        if self.name is not None:
            proto.name = self.name + ""
        for difference in self.fields:
            GatewayFieldDifference._write(difference, proto.fields.add())
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
        spend_adjustment: the correction, if the call was AdjustGatewaySpend; None for others.
    """

    _message = pb.GatewayChange

    revision: int
    changed_at: int
    rpc: str
    change: GatewayChangeEffect
    effects: list[GatewayChangeEffect] = field(default_factory=list[GatewayChangeEffect])
    actor: str | None = None
    spend_adjustment: GatewaySpendAdjustment | None = None

    @classmethod
    def _read(cls, proto: pb.GatewayChange) -> Self:
        entity = new(cls)
        entity.revision = proto.revision or required(proto, "revision")
        entity.changed_at = proto.changed_at or required(proto, "changed_at")
        entity.rpc = proto.rpc or required(proto, "rpc")
        entity.change = GatewayChangeEffect._read(proto.change if proto.HasField("change") else required(proto, "change"))
        entity.effects = [GatewayChangeEffect._read(effect) for effect in proto.effects[:]]
        entity.actor = proto.actor or ("" if proto.HasField("actor") else None)
        entity.spend_adjustment = (
            GatewaySpendAdjustment._read(proto.spend_adjustment) if proto.HasField("spend_adjustment") else None
        )
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
        if self.spend_adjustment is not None:
            GatewaySpendAdjustment._write(self.spend_adjustment, proto.spend_adjustment)
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewayResourceKey(Entity[pb.GatewayResourceKey]):
    """Noun and id of a resource.

    Attributes:
        noun: resource kind, as in GatewayResource.
        id: identifier of the resource, as in GatewayResource.
    """

    _message = pb.GatewayResourceKey

    noun: str
    id: str

    @classmethod
    def _read(cls, proto: pb.GatewayResourceKey) -> Self:
        entity = new(cls)
        entity.noun = proto.noun or required(proto, "noun")
        entity.id = proto.id or required(proto, "id")
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayResourceKey) -> None:
        proto.noun = self.noun + ""
        proto.id = self.id + ""
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewayResource(Entity[pb.GatewayResource]):
    """A resource in the watch stream: one of the last seven fields. All are None for a kind that this version does not know.

    Attributes:
        noun: resource kind: secret, model_definition, endpoint, binding, budget_policy, guardrail or guardrail_config.
        id: identifier of the resource; for a binding its endpoint_id, resource_type and resource_id, and for a guardrail
            config its endpoint_id and guardrail_id, separated by slashes.
        content_etag: etag of the resource as it is here; for an endpoint not the one of other reads, which have its
            definitions.
        secret: a secret, never its value.
        model_definition: a model definition.
        endpoint: an endpoint, whose mappings have no model_definition.
        binding: a binding.
        budget_policy: a budget policy.
        guardrail: a guardrail.
        guardrail_config: a guardrail of an endpoint, without the guardrail.
    """

    _message = pb.GatewayResource

    noun: str
    id: str
    content_etag: str
    secret: GatewaySecretInfo | None = None
    model_definition: GatewayModelDefinition | None = None
    endpoint: GatewayEndpoint | None = None
    binding: GatewayEndpointBinding | None = None
    budget_policy: GatewayBudgetPolicy | None = None
    guardrail: GatewayGuardrail | None = None
    guardrail_config: GatewayGuardrailConfig | None = None

    def __post_init__(self) -> None:
        self._unknown_fields = b""
        self._check_contents()

    def _check_contents(self) -> None:
        given = [name for name in _CONTENTS if getattr(self, name) is not None]
        if len(given) > 1:
            raise WireError(f"GatewayResource.{given[1]}", f"cannot be set together with {given[0]}")

    @classmethod
    def _read(cls, proto: pb.GatewayResource) -> Self:
        entity = new(cls)
        entity.noun = proto.noun or required(proto, "noun")
        entity.id = proto.id or required(proto, "id")
        entity.content_etag = proto.content_etag or required(proto, "content_etag")
        entity.secret = GatewaySecretInfo._read(proto.secret) if proto.HasField("secret") else None
        entity.model_definition = (
            GatewayModelDefinition._read(proto.model_definition) if proto.HasField("model_definition") else None
        )
        entity.endpoint = GatewayEndpoint._read(proto.endpoint) if proto.HasField("endpoint") else None
        entity.binding = GatewayEndpointBinding._read(proto.binding) if proto.HasField("binding") else None
        entity.budget_policy = GatewayBudgetPolicy._read(proto.budget_policy) if proto.HasField("budget_policy") else None
        entity.guardrail = GatewayGuardrail._read(proto.guardrail) if proto.HasField("guardrail") else None
        entity.guardrail_config = (
            GatewayGuardrailConfig._read(proto.guardrail_config) if proto.HasField("guardrail_config") else None
        )
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayResource) -> None:
        # The message would keep the last of two.
        self._check_contents()
        proto.noun = self.noun + ""
        proto.id = self.id + ""
        proto.content_etag = self.content_etag + ""
        # An empty resource is present too.
        if self.secret is not None:
            proto.secret.SetInParent()
            GatewaySecretInfo._write(self.secret, proto.secret)
        if self.model_definition is not None:
            proto.model_definition.SetInParent()
            GatewayModelDefinition._write(self.model_definition, proto.model_definition)
        if self.endpoint is not None:
            proto.endpoint.SetInParent()
            GatewayEndpoint._write(self.endpoint, proto.endpoint)
        if self.binding is not None:
            proto.binding.SetInParent()
            GatewayEndpointBinding._write(self.binding, proto.binding)
        if self.budget_policy is not None:
            proto.budget_policy.SetInParent()
            GatewayBudgetPolicy._write(self.budget_policy, proto.budget_policy)
        if self.guardrail is not None:
            proto.guardrail.SetInParent()
            GatewayGuardrail._write(self.guardrail, proto.guardrail)
        if self.guardrail_config is not None:
            proto.guardrail_config.SetInParent()
            GatewayGuardrailConfig._write(self.guardrail_config, proto.guardrail_config)
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


_CONTENTS = ("secret", "model_definition", "endpoint", "binding", "budget_policy", "guardrail", "guardrail_config")
