"""Nodes: the gateways that watch a store, and how far they are."""

# pyright: reportPrivateUsage=false
# As in the other modules of entities.

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from google.protobuf.unknown_fields import UnknownFieldSet

from gateway_entities.entities.base import Entity, new, required
from gateway_entities.entities.canonical import unknown_fields
from gateway_entities.entities.enums import NamedEnum, enum_value, members, number
from gatewayentities.v1 import convergence_pb2 as pb


class GatewayNodeState(NamedEnum):
    """How far a node is, relative to a revision.

    Attributes:
        UNSPECIFIED: no state was chosen.
        PENDING: the node has not applied the revision yet.
        APPLIED: the node has applied the revision or a later one, and its digest is the store's.
        REFUSED: the node has refused the revision or a later one.
        DIVERGED: the node claims a revision, but its digest is not the store's.
    """

    UNSPECIFIED = 0
    PENDING = 1
    APPLIED = 2
    REFUSED = 3
    DIVERGED = 4

    # The contract's names of the same.
    GATEWAY_NODE_STATE_UNSPECIFIED = 0
    GATEWAY_NODE_STATE_PENDING = 1
    GATEWAY_NODE_STATE_APPLIED = 2
    GATEWAY_NODE_STATE_REFUSED = 3
    GATEWAY_NODE_STATE_DIVERGED = 4


_STATES = members(GatewayNodeState)


@dataclass(slots=True, eq=False)
class GatewayNode(Entity[pb.GatewayNode]):
    """A gateway that watches the store.

    Attributes:
        name: name of the node's token.
        instance: name of the process among those with the same token; empty if it was not given.
        state: how far it is.
        last_seen_at: time of its last call, in milliseconds since the Unix epoch, UTC.
        applied_revision: last revision that it has applied; None if it has applied none.
        digest: digest of its state at that revision, 64 hexadecimal digits; None if it has applied none.
        refused_revision: last revision that it has refused; None if it has applied a later one, or has refused none.
        reason: why it was refused; None without refused_revision.
    """

    _message = pb.GatewayNode

    name: str
    instance: str
    state: GatewayNodeState | int
    last_seen_at: int
    applied_revision: int | None = None
    digest: str | None = None
    refused_revision: int | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        # With arguments: a dataclass with slots is another class than the one that the method was defined in.
        super(GatewayNode, self).__post_init__()
        self.state = enum_value(GatewayNodeState, self.state, self, "state")

    @classmethod
    def _read(cls, proto: pb.GatewayNode) -> Self:
        entity = new(cls)
        entity.name = proto.name or required(proto, "name")
        entity.instance = proto.instance or required(proto, "instance")
        state = proto.state or required(proto, "state")
        entity.state = _STATES.get(state, state)
        entity.last_seen_at = proto.last_seen_at or required(proto, "last_seen_at")
        entity.applied_revision = proto.applied_revision or (0 if proto.HasField("applied_revision") else None)
        entity.digest = proto.digest or ("" if proto.HasField("digest") else None)
        entity.refused_revision = proto.refused_revision or (0 if proto.HasField("refused_revision") else None)
        entity.reason = proto.reason or ("" if proto.HasField("reason") else None)
        entity._unknown_fields = unknown_fields(proto) if UnknownFieldSet(proto) else b""
        return entity

    def _write(self, proto: pb.GatewayNode) -> None:
        proto.name = self.name + ""
        proto.instance = self.instance + ""
        proto.state = number(self.state)
        proto.last_seen_at = self.last_seen_at
        if self.applied_revision is not None:
            proto.applied_revision = self.applied_revision
        if self.digest is not None:
            proto.digest = self.digest + ""
        if self.refused_revision is not None:
            proto.refused_revision = self.refused_revision
        if self.reason is not None:
            proto.reason = self.reason + ""
        if self._unknown_fields:
            proto.MergeFromString(self._unknown_fields)


class Convergence(NamedTuple):
    """How far the nodes are with a revision.

    Attributes:
        converged: whether every node has applied it; also true without nodes.
        nodes: the nodes, at most 10,000 and 2 MiB: those that have not applied it first.
    """

    converged: bool
    nodes: Sequence[GatewayNode]
