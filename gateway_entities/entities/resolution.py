"""Resolved endpoints: what a gateway needs to call their models; and the record of accesses to secrets."""

# pyright: reportPrivateUsage=false
# One entity is read and written as part of another.

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from google.protobuf.unknown_fields import UnknownFieldSet

from gateway_entities.entities.base import Entity, new, required
from gateway_entities.entities.canonical import unknown_fields
from gateway_entities.entities.endpoint import GatewayEndpoint
from gateway_entities.entities.guardrail import GatewayGuardrailConfig
from gateway_entities.entities.secret_value import SecretValue
from gatewayentities.v1 import resolution_pb2 as pb


@dataclass(slots=True, eq=False)
class ResolvedGatewayModel(Entity[pb.ResolvedGatewayModel]):
    """A model of an endpoint, with its credential.

    Only ``secret_value.reveal()`` and the wire format (``to_proto``, ``to_bytes``) have the credential. ``repr``,
    ``to_dict`` and ``to_json`` show ``***``, and a pickle is refused with TypeError.

    Attributes:
        mapping_id: identifier of the mapping that attaches the model.
        model_definition_id: identifier of the model definition.
        provider: provider of the model, such as ``openai``.
        model_name: the provider's name for the model, such as ``gpt-4o``.
        secret_id: identifier of the secret.
        secret_etag: etag of the secret, 32 hexadecimal digits: when it changes, resolve again.
        auth_config: non-secret settings of the secret, such as an ``api_base`` or a region.
        secret_value: the credential, decrypted: its keys with their values. A mapping of text to text is converted.
    """

    _message = pb.ResolvedGatewayModel

    mapping_id: str
    model_definition_id: str
    provider: str
    model_name: str
    secret_id: str
    secret_etag: str
    auth_config: dict[str, str] = field(default_factory=dict[str, str])
    secret_value: SecretValue = field(default_factory=SecretValue)

    def __post_init__(self) -> None:
        # With arguments: a dataclass with slots is another class than the one that the method was defined in.
        super(ResolvedGatewayModel, self).__post_init__()
        if not isinstance(self.secret_value, SecretValue):  # pyright: ignore[reportUnnecessaryIsInstance]
            # Otherwise its repr would show the value.
            self.secret_value = SecretValue(self.secret_value)

    @classmethod
    def _read(cls, proto: pb.ResolvedGatewayModel) -> Self:
        entity = new(cls)
        entity.mapping_id = proto.mapping_id or required(proto, "mapping_id")
        entity.model_definition_id = proto.model_definition_id or required(proto, "model_definition_id")
        entity.provider = proto.provider or required(proto, "provider")
        entity.model_name = proto.model_name or required(proto, "model_name")
        entity.secret_id = proto.secret_id or required(proto, "secret_id")
        entity.secret_etag = proto.secret_etag or required(proto, "secret_etag")
        entity.auth_config = dict(proto.auth_config)
        entity.secret_value = SecretValue(proto.secret_value)
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.ResolvedGatewayModel) -> None:
        proto.mapping_id = self.mapping_id + ""
        proto.model_definition_id = self.model_definition_id + ""
        proto.provider = self.provider + ""
        proto.model_name = self.model_name + ""
        proto.secret_id = self.secret_id + ""
        proto.secret_etag = self.secret_etag + ""
        auth_config = proto.auth_config
        for key, value in self.auth_config.items():
            auth_config[key + ""] = value + ""
        secret_value = proto.secret_value
        for key, value in self.secret_value.reveal().items():
            secret_value[key] = value
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class ResolvedGatewayEndpoint(Entity[pb.ResolvedGatewayEndpoint]):
    """An endpoint with what is needed to call its models.

    Attributes:
        endpoint: the endpoint, with its models and tags.
        models: its models with their credentials, in the order of the endpoint's mappings.
        guardrails: its guardrails, those of both stages, in order of execution.
    """

    _message = pb.ResolvedGatewayEndpoint

    endpoint: GatewayEndpoint
    models: list[ResolvedGatewayModel] = field(default_factory=list[ResolvedGatewayModel])
    guardrails: list[GatewayGuardrailConfig] = field(default_factory=list[GatewayGuardrailConfig])

    @classmethod
    def _read(cls, proto: pb.ResolvedGatewayEndpoint) -> Self:
        entity = new(cls)
        entity.endpoint = GatewayEndpoint._read(
            proto.endpoint if proto.HasField("endpoint") else required(proto, "endpoint")
        )
        entity.models = [ResolvedGatewayModel._read(model) for model in proto.models[:]]
        entity.guardrails = [GatewayGuardrailConfig._read(config) for config in proto.guardrails[:]]
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.ResolvedGatewayEndpoint) -> None:
        # An endpoint without fields would be absent.
        proto.endpoint.SetInParent()
        GatewayEndpoint._write(self.endpoint, proto.endpoint)
        for model in self.models:
            ResolvedGatewayModel._write(model, proto.models.add())
        for config in self.guardrails:
            GatewayGuardrailConfig._write(config, proto.guardrails.add())
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


@dataclass(slots=True, eq=False)
class GatewaySecretAccess(Entity[pb.GatewaySecretAccess]):
    """A record that a caller received the value of a secret.

    Attributes:
        secret_id: identifier of the secret.
        endpoint_id: identifier of the endpoint that was resolved.
        actor: name of the caller's token.
        accessed_at: time in milliseconds since the Unix epoch, UTC.
    """

    _message = pb.GatewaySecretAccess

    secret_id: str
    endpoint_id: str
    actor: str
    accessed_at: int

    @classmethod
    def _read(cls, proto: pb.GatewaySecretAccess) -> Self:
        entity = new(cls)
        entity.secret_id = proto.secret_id or required(proto, "secret_id")
        entity.endpoint_id = proto.endpoint_id or required(proto, "endpoint_id")
        entity.actor = proto.actor or required(proto, "actor")
        entity.accessed_at = proto.accessed_at or required(proto, "accessed_at")
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewaySecretAccess) -> None:
        proto.secret_id = self.secret_id + ""
        proto.endpoint_id = self.endpoint_id + ""
        proto.actor = self.actor + ""
        proto.accessed_at = self.accessed_at
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)
