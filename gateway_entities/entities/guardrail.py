"""Guardrails: checks of the requests and responses of endpoints."""

# pyright: reportPrivateUsage=false
# One entity is read and written as part of another.

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from google.protobuf.unknown_fields import UnknownFieldSet

from gateway_entities.entities.base import Entity, new, required
from gateway_entities.entities.canonical import unknown_fields
from gateway_entities.entities.enums import NamedEnum, enum_value, members, number
from gatewayentities.v1 import guardrail_pb2 as pb


class GuardrailStage(NamedEnum):
    """When a guardrail is executed.

    Attributes:
        GUARDRAIL_STAGE_UNSPECIFIED: no stage was chosen; rejected in requests.
        BEFORE: before the model is called, on the request.
        AFTER: after the model was called, on its response.
    """

    GUARDRAIL_STAGE_UNSPECIFIED = 0
    BEFORE = 1
    AFTER = 2


class GuardrailAction(NamedEnum):
    """What a guardrail does with what its scorer finds.

    Attributes:
        GUARDRAIL_ACTION_UNSPECIFIED: no action was chosen; rejected in requests.
        VALIDATION: it rejects what does not pass.
        SANITIZATION: it has what does not pass rewritten.
    """

    GUARDRAIL_ACTION_UNSPECIFIED = 0
    VALIDATION = 1
    SANITIZATION = 2


_STAGES = members(GuardrailStage)
_ACTIONS = members(GuardrailAction)


@dataclass(slots=True, eq=False)
class Scorer(Entity[pb.Scorer]):
    """A version of a scorer, a program that judges text, in the system that has it.

    Attributes:
        experiment_id: identifier of the experiment that the scorer belongs to; None if it is unknown.
        scorer_name: name of the scorer, at most 255 characters; None if it is unknown.
        scorer_version: version of the scorer, 1 or more; None if it is unknown.
        serialized_scorer: the scorer as JSON text, at most 65536 characters; None if it is unknown.
        creation_time: time of creation, in milliseconds since the Unix epoch, UTC; None if it is unknown.
        scorer_id: identifier of the scorer in its system, 1 to 255 characters; None if it is unknown.
    """

    _message = pb.Scorer

    experiment_id: int | None = None
    scorer_name: str | None = None
    scorer_version: int | None = None
    serialized_scorer: str | None = None
    creation_time: int | None = None
    scorer_id: str | None = None

    @classmethod
    def _read(cls, proto: pb.Scorer) -> Self:
        entity = new(cls)
        entity.experiment_id = proto.experiment_id or (0 if proto.HasField("experiment_id") else None)
        entity.scorer_name = proto.scorer_name or ("" if proto.HasField("scorer_name") else None)
        entity.scorer_version = proto.scorer_version or (0 if proto.HasField("scorer_version") else None)
        entity.serialized_scorer = proto.serialized_scorer or ("" if proto.HasField("serialized_scorer") else None)
        entity.creation_time = proto.creation_time or (0 if proto.HasField("creation_time") else None)
        entity.scorer_id = proto.scorer_id or ("" if proto.HasField("scorer_id") else None)
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.Scorer) -> None:
        if self.experiment_id is not None:
            proto.experiment_id = self.experiment_id
        if self.scorer_name is not None:
            proto.scorer_name = self.scorer_name + ""
        if self.scorer_version is not None:
            proto.scorer_version = self.scorer_version
        if self.serialized_scorer is not None:
            proto.serialized_scorer = self.serialized_scorer + ""
        if self.creation_time is not None:
            proto.creation_time = self.creation_time
        if self.scorer_id is not None:
            proto.scorer_id = self.scorer_id + ""
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewayGuardrail(Entity[pb.GatewayGuardrail]):
    """A check of requests or responses with a scorer.

    Enum numbers that this version does not know stay ints.

    Attributes:
        guardrail_id: identifier, ``gr-`` and 32 hexadecimal digits.
        name: name, 1 to 255 characters; not unique.
        scorer: the scorer that judges; None if it is unknown.
        stage: when the guardrail is executed; None if it is unknown.
        action: what it does with what the scorer finds; None if it is unknown.
        created_at: time of creation, in milliseconds since the Unix epoch, UTC.
        last_updated_at: time of the last change, in milliseconds since the Unix epoch, UTC.
        action_endpoint_id: identifier of the endpoint that the action calls; None if there is none.
        created_by: creator of the guardrail, 1 to 255 characters; None if it is unknown.
        last_updated_by: actor of the last change to the guardrail, 1 to 255 characters; None if it is unknown.
    """

    _message = pb.GatewayGuardrail

    guardrail_id: str
    name: str
    scorer: Scorer | None
    stage: GuardrailStage | int | None
    action: GuardrailAction | int | None
    created_at: int
    last_updated_at: int
    action_endpoint_id: str | None = None
    created_by: str | None = None
    last_updated_by: str | None = None

    def __post_init__(self) -> None:
        self._unknown_fields = b""
        self.stage = enum_value(GuardrailStage, self.stage, self, "stage")
        self.action = enum_value(GuardrailAction, self.action, self, "action")

    @classmethod
    def _read(cls, proto: pb.GatewayGuardrail) -> Self:
        stage = proto.stage or (0 if proto.HasField("stage") else None)
        action = proto.action or (0 if proto.HasField("action") else None)
        entity = new(cls)
        entity.guardrail_id = proto.guardrail_id or required(proto, "guardrail_id")
        entity.name = proto.name or required(proto, "name")
        entity.scorer = Scorer._read(proto.scorer) if proto.HasField("scorer") else None
        entity.stage = _STAGES.get(stage, stage)
        entity.action = _ACTIONS.get(action, action)
        entity.created_at = proto.created_at or required(proto, "created_at")
        entity.last_updated_at = proto.last_updated_at or required(proto, "last_updated_at")
        entity.action_endpoint_id = proto.action_endpoint_id or ("" if proto.HasField("action_endpoint_id") else None)
        entity.created_by = proto.created_by or ("" if proto.HasField("created_by") else None)
        entity.last_updated_by = proto.last_updated_by or ("" if proto.HasField("last_updated_by") else None)
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayGuardrail) -> None:
        proto.guardrail_id = self.guardrail_id + ""
        proto.name = self.name + ""
        if self.scorer is not None:
            # An empty scorer is present too.
            proto.scorer.SetInParent()
            Scorer._write(self.scorer, proto.scorer)
        if self.stage is not None:
            proto.stage = number(self.stage)
        if self.action is not None:
            proto.action = number(self.action)
        if self.action_endpoint_id is not None:
            proto.action_endpoint_id = self.action_endpoint_id + ""
        if self.created_by is not None:
            proto.created_by = self.created_by + ""
        proto.created_at = self.created_at
        if self.last_updated_by is not None:
            proto.last_updated_by = self.last_updated_by + ""
        proto.last_updated_at = self.last_updated_at
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewayGuardrailConfig(Entity[pb.GatewayGuardrailConfig]):
    """A guardrail of an endpoint, with its place in the order of execution.

    Attributes:
        endpoint_id: identifier of the endpoint.
        guardrail_id: identifier of the guardrail.
        execution_order: place in the order of execution, the lowest first; equal ones go by guardrail_id. None means after
            all others.
        created_at: time of creation, in milliseconds since the Unix epoch, UTC.
        guardrail: the guardrail; None in the watch stream, where it is a resource of its own.
        created_by: who made the endpoint use the guardrail, 1 to 255 characters; None if it is unknown.
    """

    _message = pb.GatewayGuardrailConfig

    endpoint_id: str
    guardrail_id: str
    execution_order: int | None
    created_at: int
    guardrail: GatewayGuardrail | None = None
    created_by: str | None = None

    @classmethod
    def _read(cls, proto: pb.GatewayGuardrailConfig) -> Self:
        entity = new(cls)
        entity.endpoint_id = proto.endpoint_id or required(proto, "endpoint_id")
        entity.guardrail_id = proto.guardrail_id or required(proto, "guardrail_id")
        entity.execution_order = proto.execution_order or (0 if proto.HasField("execution_order") else None)
        entity.created_at = proto.created_at or required(proto, "created_at")
        entity.guardrail = GatewayGuardrail._read(proto.guardrail) if proto.HasField("guardrail") else None
        entity.created_by = proto.created_by or ("" if proto.HasField("created_by") else None)
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayGuardrailConfig) -> None:
        proto.endpoint_id = self.endpoint_id + ""
        proto.guardrail_id = self.guardrail_id + ""
        if self.execution_order is not None:
            proto.execution_order = self.execution_order
        if self.created_by is not None:
            proto.created_by = self.created_by + ""
        proto.created_at = self.created_at
        if self.guardrail is not None:
            # An empty guardrail is present too.
            proto.guardrail.SetInParent()
            GatewayGuardrail._write(self.guardrail, proto.guardrail)
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)
