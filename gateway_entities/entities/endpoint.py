"""Endpoints: named routes to weighted models with fallbacks, and their tags."""

# pyright: reportPrivateUsage=false
# One entity is read and written as part of another.

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from google.protobuf.unknown_fields import UnknownFieldSet

from gateway_entities.entities import weights
from gateway_entities.entities.base import Entity, new, required
from gateway_entities.entities.canonical import unknown_fields
from gateway_entities.entities.enums import NamedEnum, enum_value, members, number
from gateway_entities.entities.model_definition import GatewayModelDefinition
from gateway_entities.entities.scalars import truth
from gatewayentities.v1 import endpoint_pb2 as pb


class RoutingStrategy(NamedEnum):
    """How an endpoint chooses among its PRIMARY models.

    Attributes:
        ROUTING_STRATEGY_UNSPECIFIED: no strategy: the first PRIMARY model serves every request.
        REQUEST_BASED_TRAFFIC_SPLIT: each request goes to one PRIMARY model drawn in proportion to the weights.
    """

    ROUTING_STRATEGY_UNSPECIFIED = 0
    REQUEST_BASED_TRAFFIC_SPLIT = 1


class FallbackStrategy(NamedEnum):
    """How an endpoint continues after a model failed.

    Attributes:
        FALLBACK_STRATEGY_UNSPECIFIED: no strategy was chosen.
        SEQUENTIAL: the FALLBACK models are tried one after the other, by fallback_order.
    """

    FALLBACK_STRATEGY_UNSPECIFIED = 0
    SEQUENTIAL = 1


class GatewayModelLinkageType(NamedEnum):
    """The role of a model in an endpoint.

    Attributes:
        LINKAGE_TYPE_UNSPECIFIED: no role was chosen; rejected in requests.
        PRIMARY: the model takes requests, in proportion to its weight.
        FALLBACK: the model takes a request only after a PRIMARY model failed.
    """

    LINKAGE_TYPE_UNSPECIFIED = 0
    PRIMARY = 1
    FALLBACK = 2


_ROUTING_STRATEGIES = members(RoutingStrategy)
_FALLBACK_STRATEGIES = members(FallbackStrategy)
_LINKAGE_TYPES = members(GatewayModelLinkageType)


@dataclass(slots=True, eq=False)
class FallbackConfig(Entity[pb.FallbackConfig]):
    """An endpoint's fallback to other models.

    Attributes:
        strategy: how the FALLBACK models are tried; None if none was chosen. A number that this version does not know
            stays an int.
        max_attempts: maximum number of FALLBACK models to try, 1 or more, without the PRIMARY model; None means all.
    """

    _message = pb.FallbackConfig

    strategy: FallbackStrategy | int | None = None
    max_attempts: int | None = None

    def __post_init__(self) -> None:
        self._unknown_fields = b""
        self.strategy = enum_value(FallbackStrategy, self.strategy, self, "strategy")

    @classmethod
    def _read(cls, proto: pb.FallbackConfig) -> Self:
        strategy = proto.strategy or (0 if proto.HasField("strategy") else None)
        entity = new(cls)
        entity.strategy = _FALLBACK_STRATEGIES.get(strategy, strategy)
        entity.max_attempts = proto.max_attempts or (0 if proto.HasField("max_attempts") else None)
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.FallbackConfig) -> None:
        if self.strategy is not None:
            proto.strategy = number(self.strategy)
        if self.max_attempts is not None:
            proto.max_attempts = self.max_attempts
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewayEndpointTag(Entity[pb.GatewayEndpointTag]):
    """A key-value label of an endpoint.

    Attributes:
        key: key, 1 to 250 characters, unique within the endpoint.
        value: value, at most 5000 characters; None if there is none, as MLflow may write it.
    """

    _message = pb.GatewayEndpointTag

    key: str
    value: str | None

    @classmethod
    def _read(cls, proto: pb.GatewayEndpointTag) -> Self:
        entity = new(cls)
        entity.key = proto.key or required(proto, "key")
        entity.value = proto.value or ("" if proto.HasField("value") else None)
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayEndpointTag) -> None:
        proto.key = self.key + ""
        if self.value is not None:
            proto.value = self.value + ""
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewayEndpointModelConfig(Entity[pb.GatewayEndpointModelConfig]):
    """A model to attach to an endpoint.

    Attributes:
        model_definition_id: identifier of the model definition.
        linkage_type: PRIMARY or FALLBACK. None means absent, which the server rejects. A number that this version does not
            know stays an int.
        weight: share of the requests, finite and 0 or more, relative to the other PRIMARY models; None means 1. A 32-bit
            float on the wire, so a weight given here becomes the shortest decimal that rounds to the nearest one.
        fallback_order: position among the FALLBACK models, 0 first; None means last.
    """

    _message = pb.GatewayEndpointModelConfig

    model_definition_id: str
    linkage_type: GatewayModelLinkageType | int | None
    weight: float | None = None
    fallback_order: int | None = None

    def __post_init__(self) -> None:
        self._unknown_fields = b""
        self.linkage_type = enum_value(GatewayModelLinkageType, self.linkage_type, self, "linkage_type")
        self.weight = weights.shortest_decimal(self.weight)

    @classmethod
    def _read(cls, proto: pb.GatewayEndpointModelConfig) -> Self:
        linkage_type = proto.linkage_type or (0 if proto.HasField("linkage_type") else None)
        entity = new(cls)
        entity.model_definition_id = proto.model_definition_id or required(proto, "model_definition_id")
        entity.linkage_type = _LINKAGE_TYPES.get(linkage_type, linkage_type)
        entity.weight = weights.read(proto)
        entity.fallback_order = proto.fallback_order or (0 if proto.HasField("fallback_order") else None)
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayEndpointModelConfig) -> None:
        proto.model_definition_id = self.model_definition_id + ""
        if self.linkage_type is not None:
            proto.linkage_type = number(self.linkage_type)
        if self.weight is not None:
            proto.weight = weights.narrow(self.weight)
        if self.fallback_order is not None:
            proto.fallback_order = self.fallback_order
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewayEndpointModelMapping(Entity[pb.GatewayEndpointModelMapping]):
    """A model attached to an endpoint.

    Attributes:
        mapping_id: identifier, ``m-`` and 32 hexadecimal digits; new each time the endpoint's models are replaced.
        endpoint_id: identifier of the endpoint.
        model_definition_id: identifier of the model definition.
        model_definition: the model definition itself; None if the sender omitted it, which our server never does.
        weight: share of the requests, finite and 0 or more, relative to the other PRIMARY models; None when it was not
            given. A 32-bit float on the wire, so a weight given here becomes the shortest decimal of the nearest one.
        linkage_type: PRIMARY or FALLBACK; None if it was not given. A number that this version does not know stays an int.
        fallback_order: position among the FALLBACK models, 0 first; None means last.
        created_at: time of creation, in milliseconds since the Unix epoch, UTC.
        created_by: actor that attached the model, 1 to 255 characters; None if it was not given.
    """

    _message = pb.GatewayEndpointModelMapping

    mapping_id: str
    endpoint_id: str
    model_definition_id: str
    model_definition: GatewayModelDefinition | None
    weight: float | None
    linkage_type: GatewayModelLinkageType | int | None
    fallback_order: int | None
    created_at: int
    created_by: str | None = None

    def __post_init__(self) -> None:
        self._unknown_fields = b""
        self.linkage_type = enum_value(GatewayModelLinkageType, self.linkage_type, self, "linkage_type")
        self.weight = weights.shortest_decimal(self.weight)

    @classmethod
    def _read(cls, proto: pb.GatewayEndpointModelMapping) -> Self:
        linkage_type = proto.linkage_type or (0 if proto.HasField("linkage_type") else None)
        entity = new(cls)
        entity.mapping_id = proto.mapping_id or required(proto, "mapping_id")
        entity.endpoint_id = proto.endpoint_id or required(proto, "endpoint_id")
        entity.model_definition_id = proto.model_definition_id or required(proto, "model_definition_id")
        entity.model_definition = (
            GatewayModelDefinition._read(proto.model_definition) if proto.HasField("model_definition") else None
        )
        entity.weight = weights.read(proto)
        entity.linkage_type = _LINKAGE_TYPES.get(linkage_type, linkage_type)
        entity.fallback_order = proto.fallback_order or (0 if proto.HasField("fallback_order") else None)
        entity.created_at = proto.created_at or required(proto, "created_at")
        entity.created_by = proto.created_by or ("" if proto.HasField("created_by") else None)
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayEndpointModelMapping) -> None:
        proto.mapping_id = self.mapping_id + ""
        proto.endpoint_id = self.endpoint_id + ""
        proto.model_definition_id = self.model_definition_id + ""
        if self.model_definition is not None:
            GatewayModelDefinition._write(self.model_definition, proto.model_definition)
        if self.weight is not None:
            proto.weight = weights.narrow(self.weight)
        if self.linkage_type is not None:
            proto.linkage_type = number(self.linkage_type)
        if self.fallback_order is not None:
            proto.fallback_order = self.fallback_order
        proto.created_at = self.created_at
        if self.created_by is not None:
            proto.created_by = self.created_by + ""
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewayEndpoint(Entity[pb.GatewayEndpoint]):
    """A named route to one or more models.

    Attributes:
        endpoint_id: identifier, ``e-`` and 32 hexadecimal digits.
        name: unique name, 1 to 255 letters, digits, underscores, hyphens and dots; None if the sender omitted it, which our
            server never does.
        created_at: time of creation, in milliseconds since the Unix epoch, UTC.
        last_updated_at: time of the last change, in milliseconds since the Unix epoch, UTC.
        model_mappings: the attached models, in the order in which they were attached.
        tags: the tags, in the order in which their keys were first set.
        created_by: creator of the endpoint, 1 to 255 characters; None if it was not given.
        last_updated_by: actor of the last change to the endpoint, 1 to 255 characters; None if it was never given.
        routing_strategy: how a PRIMARY model is chosen; None means always the first. A number that this version does not
            know stays an int.
        fallback_config: fallback configuration; None means no fallback.
        experiment_id: identifier of the experiment that traces go to, decimal digits; None if there is none.
        usage_tracking: whether requests are traced and their cost counted; None if it was not given.
    """

    _message = pb.GatewayEndpoint

    endpoint_id: str
    name: str | None
    created_at: int
    last_updated_at: int
    model_mappings: list[GatewayEndpointModelMapping] = field(default_factory=list[GatewayEndpointModelMapping])
    tags: list[GatewayEndpointTag] = field(default_factory=list[GatewayEndpointTag])
    created_by: str | None = None
    last_updated_by: str | None = None
    routing_strategy: RoutingStrategy | int | None = None
    fallback_config: FallbackConfig | None = None
    experiment_id: str | None = None
    usage_tracking: bool | None = None

    def __post_init__(self) -> None:
        self._unknown_fields = b""
        self.routing_strategy = enum_value(RoutingStrategy, self.routing_strategy, self, "routing_strategy")

    @classmethod
    def _read(cls, proto: pb.GatewayEndpoint) -> Self:
        routing_strategy = proto.routing_strategy or (0 if proto.HasField("routing_strategy") else None)
        entity = new(cls)
        entity.endpoint_id = proto.endpoint_id or required(proto, "endpoint_id")
        entity.name = proto.name or ("" if proto.HasField("name") else None)
        entity.created_at = proto.created_at or required(proto, "created_at")
        entity.last_updated_at = proto.last_updated_at or required(proto, "last_updated_at")
        entity.model_mappings = [GatewayEndpointModelMapping._read(mapping) for mapping in proto.model_mappings[:]]
        entity.tags = [GatewayEndpointTag._read(tag) for tag in proto.tags[:]]
        entity.created_by = proto.created_by or ("" if proto.HasField("created_by") else None)
        entity.last_updated_by = proto.last_updated_by or ("" if proto.HasField("last_updated_by") else None)
        entity.routing_strategy = _ROUTING_STRATEGIES.get(routing_strategy, routing_strategy)
        entity.fallback_config = FallbackConfig._read(proto.fallback_config) if proto.HasField("fallback_config") else None
        entity.experiment_id = proto.experiment_id or ("" if proto.HasField("experiment_id") else None)
        entity.usage_tracking = proto.usage_tracking or (False if proto.HasField("usage_tracking") else None)
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayEndpoint) -> None:
        proto.endpoint_id = self.endpoint_id + ""
        if self.name is not None:
            proto.name = self.name + ""
        proto.created_at = self.created_at
        proto.last_updated_at = self.last_updated_at
        add_mapping = proto.model_mappings.add
        for mapping in self.model_mappings:
            GatewayEndpointModelMapping._write(mapping, add_mapping())
        add_tag = proto.tags.add
        for tag in self.tags:
            GatewayEndpointTag._write(tag, add_tag())
        if self.created_by is not None:
            proto.created_by = self.created_by + ""
        if self.last_updated_by is not None:
            proto.last_updated_by = self.last_updated_by + ""
        if self.routing_strategy is not None:
            proto.routing_strategy = number(self.routing_strategy)
        if self.fallback_config is not None:
            proto.fallback_config.SetInParent()
            FallbackConfig._write(self.fallback_config, proto.fallback_config)
        if self.experiment_id is not None:
            proto.experiment_id = self.experiment_id + ""
        if self.usage_tracking is not None:
            proto.usage_tracking = truth(self.usage_tracking)
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)
