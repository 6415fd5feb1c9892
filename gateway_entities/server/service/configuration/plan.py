"""Plans: from the state of now and what is wanted to the steps that lead from the one to the other."""

# pyright: reportPrivateUsage=false
# The classes are one; they are apart because of their length.

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING

from gateway_entities.entities import BudgetTargetScope, GatewayBudgetPolicy, GatewayEndpointBinding
from gateway_entities.server.service.configuration.guardrails import GuardrailSteps
from gateway_entities.server.service.configuration.problems import used
from gateway_entities.server.service.configuration.state import (
    BINDING,
    DEFINITION,
    ENDPOINT,
    GUARDRAIL,
    POLICY,
    SECRET,
    Key,
    State,
)
from gateway_entities.server.service.configuration.step import Step
from gateway_entities.server.service.configuration.wanted import Wanted

if TYPE_CHECKING:
    from gateway_entities.server.store import Transaction


class Plan(GuardrailSteps):
    """The steps of an apply or a rollback, those of what goes included.

    Attributes: as of Steps.
    """

    def __init__(self, transaction: Transaction, state: State, wanted: Wanted, actor: str | None) -> None:
        """Make a plan. Arguments as of Steps.

        Raises:
            GatewayError: INVALID_ARGUMENT, NOT_FOUND or FAILED_PRECONDITION: everything that is wrong; RESOURCE_EXHAUSTED.
        """
        super().__init__(transaction, state, wanted, actor)
        self._guardrail_steps()
        gone = self._prune() if wanted.prunes else set[Key]()
        self._endpoint_effects()
        self._guardrail_effects(gone)
        self._problems.refuse()
        self._count_guardrails()

    def _prune(self) -> set[Key]:
        """Add the steps of what goes; return it."""
        gone: set[Key] = set()
        for noun in (GUARDRAIL, POLICY, ENDPOINT, DEFINITION, SECRET):
            for identifier, resource in self._state.resources(noun).items():
                key = noun, identifier
                owner = self._state.owners.get(key)
                if key not in self._taken and (self._wanted.is_rollback or owner == self._wanted.owner):
                    gone.add(key)
                    self._add(self._removed(noun, identifier, resource))
        self._go_along(gone)
        self._refuse_used(gone)
        self._refuse_used_by_guardrails(gone)
        return gone

    def _go_along(self, gone: set[Key]) -> None:
        """Add what is deleted with its endpoint."""
        names = self._names
        own: tuple[tuple[str, Mapping[str, GatewayEndpointBinding | GatewayBudgetPolicy]], ...]
        own = (BINDING, self._state.bindings), (POLICY, self._state.policies)
        for noun, resources in own:
            for identifier, resource in resources.items():
                of = resource.endpoint_id if isinstance(resource, GatewayEndpointBinding) else _target(resource)
                if (ENDPOINT, of) not in gone or (noun, identifier) in self._taken:
                    continue
                step = self._removed(noun, identifier, resource)
                step.cause = f"endpoint {names[str(of)]}"
                other = step.owner_before
                if other is not None and other != self._wanted.owner and not self._wanted.is_rollback:
                    self._problems.used.append(used("endpoint", names[str(of)], f"budget policy '{step.name}'", other))
                self.effects.append(step)

    def _refuse_used(self, gone: set[Key]) -> None:
        definitions = {**self._state.definitions, **{each.model_definition_id: each for each in self._definitions.values()}}
        endpoints = {**self._state.endpoints, **{each.endpoint_id: each for each in self._endpoints.values()}}
        for identifier, definition in definitions.items():
            if (SECRET, definition.secret_id) in gone and (DEFINITION, identifier) not in gone:
                owner = self._state.owners.get((DEFINITION, identifier))
                user = f"model definition '{definition.name}'"
                self._problems.used.append(used("secret", str(definition.secret_name), user, owner))
        for identifier, endpoint in endpoints.items():
            for mapping in endpoint.model_mappings:
                if (DEFINITION, mapping.model_definition_id) in gone and (ENDPOINT, identifier) not in gone:
                    owner = self._state.owners.get((ENDPOINT, identifier))
                    name = self._state.definitions[mapping.model_definition_id].name
                    self._problems.used.append(used("model_definition", name, f"endpoint '{endpoint.name}'", owner))
        for step in self.steps:
            if step.noun == POLICY and step.after is not None and (ENDPOINT, _target(step.after)) in gone:
                user = f"budget policy '{step.name}'"
                self._problems.used.append(used("endpoint", str(step.form_after.target_value), user, self._wanted.owner))

    def _endpoint_effects(self) -> None:
        """Add the endpoints that do not change themselves, but include a definition that does."""
        changed = {
            step.id: step
            for step in self.steps
            if step.noun == DEFINITION and step.before and step.after and step.form_before != step.form_after
        }
        if not changed:
            return
        written = {step.id for step in self.steps if step.noun == ENDPOINT and (step.changes or step.after is None)}
        for identifier, endpoint in self._state.endpoints.items():
            included = [m.model_definition_id for m in endpoint.model_mappings if m.model_definition_id in changed]
            if included and identifier not in written:
                after = copy.copy(endpoint)
                after.model_mappings = self._relinked(endpoint)
                cause = f"model_definition {changed[included[0]].name}"
                self.effects.append(Step(ENDPOINT, identifier, str(endpoint.name), endpoint, after, cause=cause))


def _target(policy: GatewayBudgetPolicy) -> str | None:
    return policy.target_value if policy.target_scope == BudgetTargetScope.ENDPOINT else None
