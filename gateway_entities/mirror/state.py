"""The configuration at one revision, and what an update changed of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from gateway_entities.entities import (
    GatewayBudgetPolicy,
    GatewayEndpoint,
    GatewayEndpointBinding,
    GatewayGuardrail,
    GatewayGuardrailConfig,
    GatewayModelDefinition,
    GatewaySecretInfo,
)

Resource: TypeAlias = (
    GatewaySecretInfo
    | GatewayModelDefinition
    | GatewayEndpoint
    | GatewayEndpointBinding
    | GatewayBudgetPolicy
    | GatewayGuardrail
    | GatewayGuardrailConfig
)
"""A resource of any kind."""

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


def _nothing() -> Mapping[str, Any]:
    # Python 3.11 takes a read-only mapping for a mutable default.
    return _NOTHING


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MirrorState:
    """The configuration at one revision. It never changes: an update makes a new one, so who keeps it reads one revision.

    Its entities are shared with later states and with other readers: do not change them.

    Attributes:
        store_id: the id of the store; None before the first update.
        revision: the revision; 0 before the first update, and before the first change of a store.
        secrets: the secrets by id, without their values.
        model_definitions: the model definitions by id.
        endpoints: the endpoints by id, with the model definitions of their mappings.
        bindings: the bindings by ``ENDPOINT_ID/RESOURCE_TYPE/RESOURCE_ID``.
        budget_policies: the budget policies by id.
        guardrails: the guardrails by id.
        guardrail_configs: the guardrails of endpoints by ``ENDPOINT_ID/GUARDRAIL_ID``, with their guardrails.
        endpoint_ids: the ids of the endpoints that have a name, by name.
    """

    store_id: str | None = None
    revision: int = 0
    secrets: Mapping[str, GatewaySecretInfo] = field(default_factory=_nothing)
    model_definitions: Mapping[str, GatewayModelDefinition] = field(default_factory=_nothing)
    endpoints: Mapping[str, GatewayEndpoint] = field(default_factory=_nothing)
    bindings: Mapping[str, GatewayEndpointBinding] = field(default_factory=_nothing)
    budget_policies: Mapping[str, GatewayBudgetPolicy] = field(default_factory=_nothing)
    guardrails: Mapping[str, GatewayGuardrail] = field(default_factory=_nothing)
    guardrail_configs: Mapping[str, GatewayGuardrailConfig] = field(default_factory=_nothing)
    endpoint_ids: Mapping[str, str] = field(default_factory=_nothing)

    def endpoint(self, name: str) -> GatewayEndpoint | None:
        """Return the endpoint with a name, or None."""
        endpoint_id = self.endpoint_ids.get(name)
        return None if endpoint_id is None else self.endpoints[endpoint_id]

    def __repr__(self) -> str:
        return f"<MirrorState of store {self.store_id} at revision {self.revision}>"


class MirrorEvent(NamedTuple):
    """What an update did to one resource.

    An endpoint changes with each model definition that it uses, and a guardrail config with its guardrail.

    Attributes:
        noun: ``secret``, ``model_definition``, ``endpoint``, ``binding``, ``budget_policy``, ``guardrail`` or
            ``guardrail_config``.
        id: its id, the key in the state.
        before: the resource before the update; None if there was none.
        after: the resource after it; None if there is none.
    """

    noun: str
    id: str
    before: Resource | None
    after: Resource | None

    @property
    def kind(self) -> Literal["added", "changed", "removed"]:
        """What happened to the resource."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"
