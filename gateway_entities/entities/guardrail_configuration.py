"""Configuration as code: guardrails described by their names."""

# pyright: reportPrivateUsage=false
# One entity is read and written as part of another.

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from google.protobuf.unknown_fields import UnknownFieldSet

from gateway_entities.entities.base import Entity, new, required
from gateway_entities.entities.canonical import unknown_fields
from gateway_entities.entities.enums import enum_value, members, number
from gateway_entities.entities.guardrail import GuardrailAction, GuardrailStage, Scorer
from gatewayentities.v1 import configuration_pb2 as pb

_STAGES = members(GuardrailStage)
_ACTIONS = members(GuardrailAction)


@dataclass(slots=True, eq=False)
class GatewayGuardrailEndpointConfiguration(Entity[pb.GatewayGuardrailEndpointConfiguration]):
    """Description of an endpoint's use of a guardrail.

    Attributes:
        name: name of the endpoint, in this configuration or in the store.
        execution_order: place in the endpoint's order of execution; the lowest is first. None means after all others.
    """

    _message = pb.GatewayGuardrailEndpointConfiguration

    name: str
    execution_order: int | None = None

    @classmethod
    def _read(cls, proto: pb.GatewayGuardrailEndpointConfiguration) -> Self:
        entity = new(cls)
        entity.name = proto.name or required(proto, "name")
        entity.execution_order = proto.execution_order or (0 if proto.HasField("execution_order") else None)
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayGuardrailEndpointConfiguration) -> None:
        proto.name = self.name + ""
        if self.execution_order is not None:
            proto.execution_order = self.execution_order
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewayGuardrailConfiguration(Entity[pb.GatewayGuardrailConfiguration]):
    """Description of a guardrail, and of which endpoints use it.

    Attributes:
        name: name, 1 to 255 characters; not unique.
        scorer_id: identifier of the scorer in its system, 1 to 255 characters. Its existence is not checked.
        scorer_version: version of the scorer, 1 to 2147483647.
        stage: when the guardrail is executed.
        action: what it does with what the scorer finds.
        action_endpoint: name of the endpoint that the action calls, in this configuration or in the store. None or
            empty means none.
        scorer: what else is known of the scorer. If it has a scorer_id or a scorer_version, they are those of the
            guardrail. None means nothing.
        endpoints: the endpoints that use the guardrail, at most 10000, each once. Others no longer use it.
    """

    _message = pb.GatewayGuardrailConfiguration

    name: str
    scorer_id: str
    scorer_version: int
    stage: GuardrailStage | int
    action: GuardrailAction | int
    action_endpoint: str | None = None
    scorer: Scorer | None = None
    endpoints: list[GatewayGuardrailEndpointConfiguration] = field(
        default_factory=list[GatewayGuardrailEndpointConfiguration]
    )

    def __post_init__(self) -> None:
        self._unknown_fields = b""
        self.stage = enum_value(GuardrailStage, self.stage, self, "stage")
        self.action = enum_value(GuardrailAction, self.action, self, "action")

    @classmethod
    def _read(cls, proto: pb.GatewayGuardrailConfiguration) -> Self:
        stage = proto.stage or required(proto, "stage")
        action = proto.action or required(proto, "action")
        entity = new(cls)
        entity.name = proto.name or required(proto, "name")
        entity.scorer_id = proto.scorer_id or required(proto, "scorer_id")
        entity.scorer_version = proto.scorer_version or required(proto, "scorer_version")
        entity.stage = _STAGES.get(stage, stage)
        entity.action = _ACTIONS.get(action, action)
        entity.action_endpoint = proto.action_endpoint or ("" if proto.HasField("action_endpoint") else None)
        entity.scorer = Scorer._read(proto.scorer) if proto.HasField("scorer") else None
        entity.endpoints = [GatewayGuardrailEndpointConfiguration._read(endpoint) for endpoint in proto.endpoints[:]]
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayGuardrailConfiguration) -> None:
        proto.name = self.name + ""
        proto.scorer_id = self.scorer_id + ""
        proto.scorer_version = self.scorer_version
        proto.stage = number(self.stage)
        proto.action = number(self.action)
        if self.action_endpoint is not None:
            proto.action_endpoint = self.action_endpoint + ""
        if self.scorer is not None:
            # An empty scorer is present too.
            proto.scorer.SetInParent()
            Scorer._write(self.scorer, proto.scorer)
        for endpoint in self.endpoints:
            GatewayGuardrailEndpointConfiguration._write(endpoint, proto.endpoints.add())
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)
