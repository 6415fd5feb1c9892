"""Configuration as code: resources described by their names."""

# pyright: reportPrivateUsage=false
# One entity is read and written as part of another.

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from google.protobuf.unknown_fields import UnknownFieldSet

from gateway_entities.entities import weights
from gateway_entities.entities.base import Entity, new, required
from gateway_entities.entities.binding import RESOURCE_TYPES, GatewayResourceType
from gateway_entities.entities.budget import BudgetAction, BudgetDuration, BudgetTargetScope, BudgetUnit
from gateway_entities.entities.canonical import unknown_fields
from gateway_entities.entities.endpoint import FallbackConfig, GatewayModelLinkageType, RoutingStrategy
from gateway_entities.entities.enums import enum_value, members, number
from gateway_entities.entities.scalars import double, truth
from gateway_entities.entities.secret_value import SecretValue
from gatewayentities.v1 import configuration_pb2 as pb

_ROUTING_STRATEGIES = members(RoutingStrategy)
_LINKAGE_TYPES = members(GatewayModelLinkageType)
_SCOPES = members(BudgetTargetScope)
_UNITS = members(BudgetUnit)
_ACTIONS = members(BudgetAction)


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
class GatewaySecretConfiguration(Entity[pb.GatewaySecretConfiguration]):
    """Description of a secret, never its value.

    Its name cannot change.

    Attributes:
        name: unique name, 1 to 255 characters.
        provider: provider of the credential, at most 64 characters. None or empty means none. Another one needs the
            secret's value.
        auth_config: non-secret settings, with the limits of CreateGatewaySecretRequest. Another api_base needs the
            secret's value.
    """

    _message = pb.GatewaySecretConfiguration

    name: str
    provider: str | None = None
    auth_config: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def _read(cls, proto: pb.GatewaySecretConfiguration) -> Self:
        entity = new(cls)
        entity.name = proto.name or required(proto, "name")
        entity.provider = proto.provider or ("" if proto.HasField("provider") else None)
        entity.auth_config = dict(proto.auth_config)
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewaySecretConfiguration) -> None:
        proto.name = self.name + ""
        if self.provider is not None:
            proto.provider = self.provider + ""
        auth_config = proto.auth_config
        for key, value in self.auth_config.items():
            auth_config[key + ""] = value + ""
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewayModelDefinitionConfiguration(Entity[pb.GatewayModelDefinitionConfiguration]):
    """Description of a model definition.

    Attributes:
        name: unique name, 1 to 255 characters.
        provider: provider of the model, 1 to 64 characters.
        model_name: the provider's name for the model, 1 to 256 characters.
        renamed_from: former name: a definition of that name keeps its id and gets the new name. Ignored when there
            is none of that name.
        secret: name of the secret, in this configuration or in the store. None or empty means none.
    """

    _message = pb.GatewayModelDefinitionConfiguration

    name: str
    provider: str
    model_name: str
    renamed_from: str | None = None
    secret: str | None = None

    @classmethod
    def _read(cls, proto: pb.GatewayModelDefinitionConfiguration) -> Self:
        entity = new(cls)
        entity.name = proto.name or required(proto, "name")
        entity.renamed_from = proto.renamed_from or ("" if proto.HasField("renamed_from") else None)
        entity.secret = proto.secret or ("" if proto.HasField("secret") else None)
        entity.provider = proto.provider or required(proto, "provider")
        entity.model_name = proto.model_name or required(proto, "model_name")
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayModelDefinitionConfiguration) -> None:
        proto.name = self.name + ""
        if self.renamed_from is not None:
            proto.renamed_from = self.renamed_from + ""
        if self.secret is not None:
            proto.secret = self.secret + ""
        proto.provider = self.provider + ""
        proto.model_name = self.model_name + ""
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


@dataclass(slots=True, eq=False)
class GatewayBudgetPolicyConfiguration(Entity[pb.GatewayBudgetPolicyConfiguration]):
    """Description of a budget policy.

    Attributes:
        target_scope: scope of the spending that counts.
        budget_unit: unit of the amount.
        budget_amount: maximum spend in one window, finite and 0 or more.
        duration: length of a window.
        budget_action: effect of a spent budget.
        target_value: name of the endpoint (ENDPOINT), in this configuration or in the store, or of the user (USER).
            None for other scopes.
    """

    _message = pb.GatewayBudgetPolicyConfiguration

    target_scope: BudgetTargetScope | int
    budget_unit: BudgetUnit | int
    budget_amount: float
    duration: BudgetDuration
    budget_action: BudgetAction | int
    target_value: str | None = None

    def __post_init__(self) -> None:
        self._unknown_fields = b""
        self.target_scope = enum_value(BudgetTargetScope, self.target_scope, self, "target_scope")
        self.budget_unit = enum_value(BudgetUnit, self.budget_unit, self, "budget_unit")
        self.budget_action = enum_value(BudgetAction, self.budget_action, self, "budget_action")

    @classmethod
    def _read(cls, proto: pb.GatewayBudgetPolicyConfiguration) -> Self:
        target_scope = proto.target_scope or required(proto, "target_scope")
        budget_unit = proto.budget_unit or required(proto, "budget_unit")
        budget_action = proto.budget_action or required(proto, "budget_action")
        entity = new(cls)
        entity.target_scope = _SCOPES.get(target_scope, target_scope)
        entity.target_value = proto.target_value or ("" if proto.HasField("target_value") else None)
        entity.budget_unit = _UNITS.get(budget_unit, budget_unit)
        entity.budget_amount = proto.budget_amount or required(proto, "budget_amount")
        entity.duration = BudgetDuration._read(proto.duration if proto.HasField("duration") else required(proto, "duration"))
        entity.budget_action = _ACTIONS.get(budget_action, budget_action)
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayBudgetPolicyConfiguration) -> None:
        proto.target_scope = number(self.target_scope)
        if self.target_value is not None:
            proto.target_value = self.target_value + ""
        proto.budget_unit = number(self.budget_unit)
        proto.budget_amount = double(self.budget_amount)
        proto.duration.SetInParent()
        BudgetDuration._write(self.duration, proto.duration)
        proto.budget_action = number(self.budget_action)
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewayConfiguration(Entity[pb.GatewayConfiguration]):
    """Description of resources by their names.

    A resource in it is described completely: an absent field means its default, and an absent list an empty one. It
    has at most 4 MiB, encoded, and 10000 resources of each kind.

    Attributes:
        owner: name of this configuration, which becomes the owner of its resources: 1 to 255 characters. None or
            empty means that it owns nothing.
        secrets: the secrets, each name once.
        model_definitions: the model definitions, each name once.
        endpoints: the endpoints, each name once.
        budget_policies: the budget policies. They have no names: those of one target_scope, target_value and
            budget_unit are matched with the stored ones, first where all is equal, then where duration and
            budget_action are, then duration, then budget_amount. The rest are updated in place before any is created
            or deleted.
    """

    _message = pb.GatewayConfiguration

    owner: str | None = None
    secrets: list[GatewaySecretConfiguration] = field(default_factory=list[GatewaySecretConfiguration])
    model_definitions: list[GatewayModelDefinitionConfiguration] = field(
        default_factory=list[GatewayModelDefinitionConfiguration]
    )
    endpoints: list[GatewayEndpointConfiguration] = field(default_factory=list[GatewayEndpointConfiguration])
    budget_policies: list[GatewayBudgetPolicyConfiguration] = field(default_factory=list[GatewayBudgetPolicyConfiguration])

    @classmethod
    def _read(cls, proto: pb.GatewayConfiguration) -> Self:
        entity = new(cls)
        entity.owner = proto.owner or ("" if proto.HasField("owner") else None)
        entity.secrets = [GatewaySecretConfiguration._read(secret) for secret in proto.secrets[:]]
        entity.model_definitions = [
            GatewayModelDefinitionConfiguration._read(definition) for definition in proto.model_definitions[:]
        ]
        entity.endpoints = [GatewayEndpointConfiguration._read(endpoint) for endpoint in proto.endpoints[:]]
        entity.budget_policies = [GatewayBudgetPolicyConfiguration._read(policy) for policy in proto.budget_policies[:]]
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayConfiguration) -> None:
        if self.owner is not None:
            proto.owner = self.owner + ""
        for secret in self.secrets:
            GatewaySecretConfiguration._write(secret, proto.secrets.add())
        for definition in self.model_definitions:
            GatewayModelDefinitionConfiguration._write(definition, proto.model_definitions.add())
        for endpoint in self.endpoints:
            GatewayEndpointConfiguration._write(endpoint, proto.endpoints.add())
        for policy in self.budget_policies:
            GatewayBudgetPolicyConfiguration._write(policy, proto.budget_policies.add())
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewaySecretAssignment(Entity[pb.GatewaySecretAssignment]):
    """A secret and its value.

    ``repr``, ``to_dict`` and ``to_json`` show ``***``, and a pickle is refused with TypeError.

    Attributes:
        name: name of the secret.
        secret_value: the value, with the limits of CreateGatewaySecretRequest.
    """

    _message = pb.GatewaySecretAssignment

    name: str
    secret_value: SecretValue = field(default_factory=SecretValue)

    def __post_init__(self) -> None:
        # With arguments: a dataclass with slots is another class than the one that the method was defined in.
        super(GatewaySecretAssignment, self).__post_init__()
        if not isinstance(self.secret_value, SecretValue):  # pyright: ignore[reportUnnecessaryIsInstance]
            # Otherwise its repr would show the value.
            self.secret_value = SecretValue(self.secret_value)

    @classmethod
    def _read(cls, proto: pb.GatewaySecretAssignment) -> Self:
        entity = new(cls)
        entity.name = proto.name or required(proto, "name")
        entity.secret_value = SecretValue(proto.secret_value)
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewaySecretAssignment) -> None:
        proto.name = self.name + ""
        secret_value = proto.secret_value
        for key, value in self.secret_value.reveal().items():
            secret_value[key] = value
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)
