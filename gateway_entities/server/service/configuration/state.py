"""The resources of a store, now or after an earlier change."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from gateway_entities.entities import (
    GatewayBudgetPolicy,
    GatewayEndpoint,
    GatewayEndpointBinding,
    GatewayGuardrail,
    GatewayGuardrailConfig,
    GatewayModelDefinition,
    GatewaySecretInfo,
)
from gateway_entities.entities.base import Entity
from gateway_entities.errors import Code, FieldViolation, GatewayError
from gateway_entities.server.service import form
from gateway_entities.server.service.context import check_call
from gatewayentities.v1 import configuration_pb2 as pb

if TYPE_CHECKING:
    from gateway_entities.server.store import Transaction

SECRET: Final = "secret"  # noqa: S105 - a noun.
DEFINITION: Final = "model_definition"
ENDPOINT: Final = "endpoint"
BINDING: Final = "binding"
POLICY: Final = "budget_policy"
GUARDRAIL: Final = "guardrail"
USE: Final = "guardrail_config"

Key = tuple[str, str]
"""Noun and id of a resource."""


class State:
    """Resources by id, and their owners.

    Attributes:
        secrets: the secrets by id.
        definitions: the model definitions by id.
        endpoints: the endpoints by id; their mappings have the definitions of ``definitions``.
        bindings: the bindings by the id of the change log.
        policies: the budget policies by id.
        guardrails: the guardrails by id.
        uses: the uses of guardrails by endpoints, by the id of the change log; they have the guardrails of ``guardrails``.
        owners: the owners by noun and id.
    """

    def __init__(
        self,
        *,
        secrets: Iterable[GatewaySecretInfo] = (),
        definitions: Iterable[GatewayModelDefinition] = (),
        endpoints: Iterable[GatewayEndpoint] = (),
        bindings: Iterable[GatewayEndpointBinding] = (),
        policies: Iterable[GatewayBudgetPolicy] = (),
        guardrails: Iterable[GatewayGuardrail] = (),
        uses: Iterable[GatewayGuardrailConfig] = (),
        owners: dict[Key, str] | None = None,
    ) -> None:
        self.secrets = {secret.secret_id: secret for secret in secrets}
        self.definitions = {definition.model_definition_id: definition for definition in definitions}
        self.endpoints = {endpoint.endpoint_id: endpoint for endpoint in endpoints}
        self.bindings = {binding_id(binding): binding for binding in bindings}
        self.policies = {policy.budget_policy_id: policy for policy in policies}
        self.guardrails = {guardrail.guardrail_id: guardrail for guardrail in guardrails}
        self.uses = {use_id(config.endpoint_id, config.guardrail_id): config for config in uses}
        self.owners = owners or {}
        for config in self.uses.values():
            config.guardrail = self.guardrails.get(config.guardrail_id)
        for endpoint in self.endpoints.values():
            for mapping in endpoint.model_mappings:
                mapping.model_definition = self.definitions.get(mapping.model_definition_id)

    @classmethod
    def current(cls, transaction: Transaction) -> State:
        """Read the state of now."""
        return cls(
            secrets=transaction.secrets.list(),
            definitions=transaction.model_definitions.list(),
            endpoints=transaction.endpoints.list(),
            bindings=transaction.bindings.list(),
            policies=transaction.budget_policies.list(),
            guardrails=transaction.guardrails.list(),
            uses=transaction.guardrail_configs.list(),
            owners=transaction.owners.all(),
        )

    @classmethod
    def at(cls, transaction: Transaction, revision: int, current: State) -> State:
        """Restore the state after a revision.

        Args:
            transaction: the transaction that ``current`` was read in.
            revision: the revision.
            current: the state of now, which is not changed.

        Raises:
            GatewayError: INVALID_ARGUMENT (there is no such revision) or OUT_OF_RANGE (the log does not go back so far).
        """
        changes = transaction.changes
        last = changes.last()
        if revision > last:
            raise GatewayError.invalid([FieldViolation("revision", f"must be at most {last}, the last one, is {revision}")])
        oldest = changes.oldest() - 1
        if revision < oldest:
            raise _compacted(revision, oldest)

        def former(noun: str, kind: type[Any], now: dict[str, Any]) -> Iterable[Any]:
            found = changes.former(noun, revision, lambda: ((key, each.to_bytes()) for key, each in now.items()))
            check_call()
            yield from (copy.deepcopy(each) for key, each in now.items() if key not in found)
            for state in found.values():
                if state.existed and state.data is None:
                    raise _compacted(revision, oldest)
                if state.data is not None:
                    yield kind.from_bytes(state.data)

        owners: dict[Key, str | None] = {**current.owners, **changes.former_owners(revision)}
        return cls(
            secrets=former(SECRET, GatewaySecretInfo, current.secrets),
            definitions=former(DEFINITION, GatewayModelDefinition, current.definitions),
            endpoints=former(ENDPOINT, GatewayEndpoint, current.endpoints),
            bindings=former(BINDING, GatewayEndpointBinding, current.bindings),
            policies=former(POLICY, GatewayBudgetPolicy, current.policies),
            guardrails=former(GUARDRAIL, GatewayGuardrail, current.guardrails),
            uses=former(USE, GatewayGuardrailConfig, current.uses),
            owners={key: owner for key, owner in owners.items() if owner is not None},
        )

    def resources(self, noun: str) -> dict[str, Any]:
        """Return the resources of a noun by id."""
        by_noun: dict[str, dict[str, Any]] = {
            SECRET: self.secrets,
            DEFINITION: self.definitions,
            ENDPOINT: self.endpoints,
            BINDING: self.bindings,
            POLICY: self.policies,
            GUARDRAIL: self.guardrails,
            USE: self.uses,
        }
        return by_noun[noun]

    def endpoint_names(self) -> dict[str, str]:
        """Return the names of the endpoints by id."""
        return {identifier: str(endpoint.name) for identifier, endpoint in self.endpoints.items()}

    def guardrail_forms(self, names: Mapping[str, str]) -> dict[str, pb.GatewayGuardrailConfiguration]:
        """Return the descriptions of the guardrails by id, with the endpoints that use them in order of their names.

        Args:
            names: the names of endpoints by id.
        """
        found = {identifier: form.guardrail_form(guardrail, names) for identifier, guardrail in self.guardrails.items()}
        uses = [(config.guardrail_id, form.use_form(config, names)) for config in self.uses.values()]
        for identifier, described in sorted(uses, key=lambda use: use[1].name):
            found[identifier].endpoints.append(described)
        return found

    def export(self, owner: str | None, *, with_bindings: bool) -> pb.GatewayConfiguration:
        """Return the description of this state, or of what an owner has of it."""
        names = self.endpoint_names()

        def own(noun: str) -> Iterable[Any]:
            for identifier, each in self.resources(noun).items():
                if owner is None or self.owners.get((noun, identifier)) == owner:
                    yield each

        bindings: dict[str, list[pb.GatewayEndpointBindingConfiguration]] = {}
        if with_bindings:
            for binding in self.bindings.values():
                bindings.setdefault(binding.endpoint_id, []).append(form.binding_form(binding))
        endpoints = sorted(own(ENDPOINT), key=lambda endpoint: str(endpoint.name))
        configuration = pb.GatewayConfiguration(
            owner=owner,
            secrets=_by_name(map(form.secret_form, own(SECRET))),
            model_definitions=_by_name(map(form.definition_form, own(DEFINITION))),
            budget_policies=sorted((form.policy_form(policy, names) for policy in own(POLICY)), key=form.policy_key),
        )
        guardrails = self.guardrail_forms(names)
        owned = (guardrails[guardrail.guardrail_id] for guardrail in own(GUARDRAIL))
        configuration.guardrails.extend(sorted(owned, key=form.guardrail_key))
        for endpoint in endpoints:
            check_call()
            described = form.endpoint_form(endpoint)
            if with_bindings:
                found = bindings.get(endpoint.endpoint_id, [])
                described.bindings.items.extend(sorted(found, key=lambda each: (each.resource_type, each.resource_id)))
                described.bindings.SetInParent()
            configuration.endpoints.append(described)
        return configuration


def binding_id(binding: GatewayEndpointBinding) -> str:
    """Return the change log's id of a binding."""
    return f"{binding.endpoint_id}/{binding.resource_type}/{binding.resource_id}"


def use_id(endpoint_id: str, guardrail_id: str) -> str:
    """Return the change log's id of an endpoint's use of a guardrail."""
    return f"{endpoint_id}/{guardrail_id}"


def version_of(resource: Entity[Any]) -> str:
    """Return the content_etag of a resource: of an endpoint without its definitions, of a use without its guardrail."""
    if isinstance(resource, GatewayEndpoint):
        bare = copy.copy(resource)
        bare.model_mappings = [_alone(mapping, "model_definition") for mapping in resource.model_mappings]
        resource = bare
    elif isinstance(resource, GatewayGuardrailConfig):
        resource = _alone(resource, "guardrail")
    return sha256(resource.to_bytes()).hexdigest()[:32]


def _alone(resource: Any, included: str) -> Any:
    """Return a resource without the one that it includes."""
    found = copy.copy(resource)
    setattr(found, included, None)
    return found


def _by_name(forms: Iterable[Any]) -> Sequence[Any]:
    return sorted(forms, key=lambda each: each.name)


def _compacted(revision: int, oldest: int) -> GatewayError:
    return GatewayError(
        Code.OUT_OF_RANGE,
        f"The change log does not go back to revision {revision}: its changes have been deleted. The oldest is {oldest}.",
        reason="REVISION_COMPACTED",
    )
