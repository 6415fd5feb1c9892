"""Configuration as code: endpoints described by their names."""

# pyright: reportPrivateUsage=false
# One entity is read and written as part of another.

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from google.protobuf.unknown_fields import UnknownFieldSet

from gateway_entities.entities import weights
from gateway_entities.entities.base import Entity, new, required
from gateway_entities.entities.binding import RESOURCE_TYPES, GatewayResourceType
from gateway_entities.entities.canonical import unknown_fields
from gateway_entities.entities.endpoint import FallbackConfig, GatewayModelLinkageType, RoutingStrategy
from gateway_entities.entities.enums import enum_value, members, number
from gateway_entities.entities.scalars import truth
from gatewayentities.v1 import configuration_pb2 as pb

_ROUTING_STRATEGIES = members(RoutingStrategy)
_LINKAGE_TYPES = members(GatewayModelLinkageType)


@dataclass(slots=True, eq=False)
class GatewayEndpointBindingConfiguration(Entity[pb.GatewayEndpointBindingConfiguration]):
    """Description of a binding.

    Attributes:
        resource_type: type of the resource, 1 to 50 characters: a lower-case letter, then lower-case letters, digits
            and underscores. A type that this version does not know stays a str.
        resource_id: identifier of the resource in its own system, 1 to 255 characters.
    """

    _message = pb.GatewayEndpointBindingConfiguration

    resource_type: GatewayResourceType | str
    resource_id: str

    def __post_init__(self) -> None:
        self._unknown_fields = b""
        if type(self.resource_type) is str:
            self.resource_type = RESOURCE_TYPES.get(self.resource_type, self.resource_type)

    @classmethod
    def _read(cls, proto: pb.GatewayEndpointBindingConfiguration) -> Self:
        resource_type = proto.resource_type or required(proto, "resource_type")
        entity = new(cls)
        entity.resource_type = RESOURCE_TYPES.get(resource_type, resource_type)
        entity.resource_id = proto.resource_id or required(proto, "resource_id")
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayEndpointBindingConfiguration) -> None:
        proto.resource_type = self.resource_type + ""
        proto.resource_id = self.resource_id + ""
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewayEndpointBindingsConfiguration(Entity[pb.GatewayEndpointBindingsConfiguration]):
    """Description of all bindings of an endpoint.

    Attributes:
        items: the bindings, at most 1000, each once. Others are removed.
    """

    _message = pb.GatewayEndpointBindingsConfiguration

    items: list[GatewayEndpointBindingConfiguration] = field(default_factory=list[GatewayEndpointBindingConfiguration])

    @classmethod
    def _read(cls, proto: pb.GatewayEndpointBindingsConfiguration) -> Self:
        entity = new(cls)
        entity.items = [GatewayEndpointBindingConfiguration._read(item) for item in proto.items[:]]
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayEndpointBindingsConfiguration) -> None:
        for item in self.items:
            GatewayEndpointBindingConfiguration._write(item, proto.items.add())
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewayEndpointModelConfiguration(Entity[pb.GatewayEndpointModelConfiguration]):
    """Description of a model of an endpoint.

    Attributes:
        model_definition: name of the model definition, in this configuration or in the store.
        linkage_type: PRIMARY or FALLBACK. Absent or UNSPECIFIED means PRIMARY.
        weight: share of the requests, finite and 0 or more, relative to the other PRIMARY models. None means 1.
        fallback_order: position among the FALLBACK models, 0 first. None means last.
    """

    _message = pb.GatewayEndpointModelConfiguration

    model_definition: str
    linkage_type: GatewayModelLinkageType | int | None = None
    weight: float | None = None
    fallback_order: int | None = None

    def __post_init__(self) -> None:
        self._unknown_fields = b""
        self.linkage_type = enum_value(GatewayModelLinkageType, self.linkage_type, self, "linkage_type")
        self.weight = weights.shortest_decimal(self.weight)

    @classmethod
    def _read(cls, proto: pb.GatewayEndpointModelConfiguration) -> Self:
        linkage_type = proto.linkage_type or (0 if proto.HasField("linkage_type") else None)
        entity = new(cls)
        entity.model_definition = proto.model_definition or required(proto, "model_definition")
        entity.linkage_type = _LINKAGE_TYPES.get(linkage_type, linkage_type)
        entity.weight = weights.read(proto)
        entity.fallback_order = proto.fallback_order or (0 if proto.HasField("fallback_order") else None)
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayEndpointModelConfiguration) -> None:
        proto.model_definition = self.model_definition + ""
        if self.linkage_type is not None:
            proto.linkage_type = number(self.linkage_type)
        if self.weight is not None:
            proto.weight = weights.narrow(self.weight)
        if self.fallback_order is not None:
            proto.fallback_order = self.fallback_order
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewayEndpointConfiguration(Entity[pb.GatewayEndpointConfiguration]):
    """Description of an endpoint.

    Attributes:
        name: unique name, 1 to 255 letters, digits, underscores, hyphens and dots.
        renamed_from: former name: an endpoint of that name keeps its id, bindings and spend, and gets the new name.
            Ignored when there is none of that name.
        models: the models, 1 to 100, at least one of them PRIMARY. Their order counts.
        routing_strategy: how a PRIMARY model is chosen. Absent or UNSPECIFIED means always the first.
        fallback_config: fallback configuration. With FALLBACK models an absent strategy means SEQUENTIAL.
        experiment_id: identifier of the experiment that traces go to, decimal digits. None or empty means none.
        usage_tracking: whether requests are traced and their cost counted. None means true.
        tags: the tags, at most 100: keys of 1 to 250 characters with values of at most 5000.
        bindings: the bindings. None leaves those that are stored as they are: programs make them at run time.
    """

    _message = pb.GatewayEndpointConfiguration

    name: str
    renamed_from: str | None = None
    models: list[GatewayEndpointModelConfiguration] = field(default_factory=list[GatewayEndpointModelConfiguration])
    routing_strategy: RoutingStrategy | int | None = None
    fallback_config: FallbackConfig | None = None
    experiment_id: str | None = None
    usage_tracking: bool | None = None
    tags: dict[str, str] = field(default_factory=dict[str, str])
    bindings: GatewayEndpointBindingsConfiguration | None = None

    def __post_init__(self) -> None:
        self._unknown_fields = b""
        self.routing_strategy = enum_value(RoutingStrategy, self.routing_strategy, self, "routing_strategy")

    @classmethod
    def _read(cls, proto: pb.GatewayEndpointConfiguration) -> Self:
        routing_strategy = proto.routing_strategy or (0 if proto.HasField("routing_strategy") else None)
        entity = new(cls)
        entity.name = proto.name or required(proto, "name")
        entity.renamed_from = proto.renamed_from or ("" if proto.HasField("renamed_from") else None)
        entity.models = [GatewayEndpointModelConfiguration._read(model) for model in proto.models[:]]
        entity.routing_strategy = _ROUTING_STRATEGIES.get(routing_strategy, routing_strategy)
        entity.fallback_config = FallbackConfig._read(proto.fallback_config) if proto.HasField("fallback_config") else None
        entity.experiment_id = proto.experiment_id or ("" if proto.HasField("experiment_id") else None)
        entity.usage_tracking = proto.usage_tracking or (False if proto.HasField("usage_tracking") else None)
        entity.tags = dict(proto.tags)
        entity.bindings = GatewayEndpointBindingsConfiguration._read(proto.bindings) if proto.HasField("bindings") else None
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayEndpointConfiguration) -> None:
        proto.name = self.name + ""
        if self.renamed_from is not None:
            proto.renamed_from = self.renamed_from + ""
        for model in self.models:
            GatewayEndpointModelConfiguration._write(model, proto.models.add())
        if self.routing_strategy is not None:
            proto.routing_strategy = number(self.routing_strategy)
        if self.fallback_config is not None:
            proto.fallback_config.SetInParent()
            FallbackConfig._write(self.fallback_config, proto.fallback_config)
        if self.experiment_id is not None:
            proto.experiment_id = self.experiment_id + ""
        if self.usage_tracking is not None:
            proto.usage_tracking = truth(self.usage_tracking)
        tags = proto.tags
        for key, value in self.tags.items():
            tags[key + ""] = value + ""
        if self.bindings is not None:
            proto.bindings.SetInParent()
            GatewayEndpointBindingsConfiguration._write(self.bindings, proto.bindings)
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)
