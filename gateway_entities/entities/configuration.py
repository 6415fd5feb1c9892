"""Configuration as code: resources described by their names."""

# pyright: reportPrivateUsage=false
# One entity is read and written as part of another.

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from google.protobuf.unknown_fields import UnknownFieldSet

from gateway_entities.entities.base import Entity, new, required
from gateway_entities.entities.budget import BudgetAction, BudgetDuration, BudgetTargetScope, BudgetUnit
from gateway_entities.entities.canonical import unknown_fields
from gateway_entities.entities.endpoint_configuration import GatewayEndpointConfiguration
from gateway_entities.entities.enums import enum_value, members, number
from gateway_entities.entities.guardrail_configuration import GatewayGuardrailConfiguration
from gateway_entities.entities.scalars import double
from gateway_entities.entities.secret_value import SecretValue
from gatewayentities.v1 import configuration_pb2 as pb

_SCOPES = members(BudgetTargetScope)
_UNITS = members(BudgetUnit)
_ACTIONS = members(BudgetAction)


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
        guardrails: the guardrails. Their names need not be unique: those of one name, scorer_id and stage are matched
            with the stored ones, first where all is equal, then where all but their endpoints is, then scorer_version
            and action, then scorer_version, then action. The rest are updated in place before any is created or
            deleted.
    """

    _message = pb.GatewayConfiguration

    owner: str | None = None
    secrets: list[GatewaySecretConfiguration] = field(default_factory=list[GatewaySecretConfiguration])
    model_definitions: list[GatewayModelDefinitionConfiguration] = field(
        default_factory=list[GatewayModelDefinitionConfiguration]
    )
    endpoints: list[GatewayEndpointConfiguration] = field(default_factory=list[GatewayEndpointConfiguration])
    budget_policies: list[GatewayBudgetPolicyConfiguration] = field(default_factory=list[GatewayBudgetPolicyConfiguration])
    guardrails: list[GatewayGuardrailConfiguration] = field(default_factory=list[GatewayGuardrailConfiguration])

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
        entity.guardrails = [GatewayGuardrailConfiguration._read(guardrail) for guardrail in proto.guardrails[:]]
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
        for guardrail in self.guardrails:
            GatewayGuardrailConfiguration._write(guardrail, proto.guardrails.add())
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
