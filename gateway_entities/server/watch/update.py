"""Updates of the watch stream, encoded once for all watchers."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from gateway_entities.entities import (
    GatewayBudgetPolicy,
    GatewayEndpoint,
    GatewayEndpointBinding,
    GatewayGuardrail,
    GatewayGuardrailConfig,
    GatewayModelDefinition,
    GatewaySecretInfo,
    canonical,
)
from gateway_entities.entities.base import Entity
from gateway_entities.server.service.writes.mutation import identifier, noun
from gatewayentities.v1 import change_pb2 as pb
from gatewayentities.v1 import endpoint_pb2, guardrail_pb2

MESSAGE_BYTES: Final = 1024 * 1024
"""Maximum size of one message, unless its only resource is larger."""
_HEADER_BYTES: Final = 1024
"""What a message has besides its resources, at most: the id of the store, a revision and a resume token."""
_RESOURCES: Final = pb.WatchGatewayResponse.RESOURCES_FIELD_NUMBER
_REMOVED: Final = pb.WatchGatewayResponse.REMOVED_FIELD_NUMBER
_NUMBERS: Final = {field.name: field.number for field in pb.GatewayResource.DESCRIPTOR.fields}
_FIELDS: Final[Mapping[type[Entity[Any]], tuple[str, int]]] = {
    kind: (noun(kind), _NUMBERS[noun(kind)])
    for kind in (
        GatewaySecretInfo,
        GatewayModelDefinition,
        GatewayEndpoint,
        GatewayEndpointBinding,
        GatewayBudgetPolicy,
        GatewayGuardrail,
        GatewayGuardrailConfig,
    )
}
"""The noun of each kind of resource, and the number of its field in GatewayResource."""


class Update:
    """What a watcher at one revision needs to be at a later one. Immutable.

    Attributes:
        since: the earliest revision of a watcher that may apply it; -1 for a snapshot.
        revision: the revision afterwards.
        messages: its encoded messages, of which the last one completes it.
        size: their bytes.
        alert_id: the last alert in it; None for an update without alerts.
    """

    __slots__ = ("__weakref__", "alert_id", "messages", "revision", "since", "size")

    def __init__(self, since: int, revision: int, messages: tuple[bytes, ...], *, alert_id: int | None = None) -> None:
        self.alert_id = alert_id
        self.since = since
        self.revision = revision
        self.messages = messages
        self.size = sum(map(len, messages))


class UpdateEncoder:
    """Encodes one update. Each resource is encoded once: for its etag, and as a part of the message."""

    def __init__(self, store_id: str, since: int, revision: int) -> None:
        """Start an update; attributes as of Update."""
        self._since = since
        self._head = pb.WatchGatewayResponse(store_id=store_id, revision=revision)
        if since < 0:
            self._head.is_snapshot = True
        self._messages: list[bytes] = []
        self._fields: list[bytes] = []
        self._size = 0

    def write(self, resource: Entity[Any]) -> None:
        """Add a resource that was written, without the definitions of its mappings, or its guardrail: they are resources."""
        noun, number = _FIELDS[type(resource)]
        message = resource.to_proto()
        if isinstance(message, endpoint_pb2.GatewayEndpoint):
            for mapping in message.model_mappings:
                mapping.ClearField("model_definition")
        elif isinstance(message, guardrail_pb2.GatewayGuardrailConfig):
            message.ClearField("guardrail")
        content = canonical.to_bytes(message)
        etag = sha256(content).hexdigest()[:32]
        head = pb.GatewayResource(noun=noun, id=identifier(resource), content_etag=etag).SerializeToString()
        self._add(_RESOURCES, head + canonical.length_delimited(number, content))

    def remove(self, noun: str, identifier: str) -> None:
        """Add a resource that was deleted."""
        self._add(_REMOVED, pb.GatewayResourceKey(noun=noun, id=identifier).SerializeToString())

    def finish(self, resume_token: str) -> Update:
        """Return the update."""
        self._end_message(resume_token)
        return Update(self._since, self._head.revision, tuple(self._messages))

    def _add(self, number: int, content: bytes) -> None:
        field = canonical.length_delimited(number, content)
        if self._fields and self._size + len(field) > MESSAGE_BYTES - _HEADER_BYTES:
            self._end_message(None)
        self._fields.append(field)
        self._size += len(field)

    def _end_message(self, resume_token: str | None) -> None:
        head = pb.WatchGatewayResponse()
        head.CopyFrom(self._head)
        if resume_token is None:
            head.is_partial = True
        else:
            head.resume_token = resume_token
        # Fields of an encoded message may come in any order.
        self._messages.append(b"".join((head.SerializeToString(), *self._fields)))
        self._fields, self._size = [], 0
