"""The steps from the state of now to what is wanted: one for each wanted resource."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from gateway_entities.entities import (
    BudgetAction,
    BudgetDuration,
    BudgetTargetScope,
    BudgetUnit,
    GatewayBudgetPolicy,
    GatewayEndpoint,
    GatewayEndpointBinding,
    GatewayEndpointModelMapping,
    GatewayModelDefinition,
    GatewayModelLinkageType,
    GatewaySecretInfo,
    SecretValue,
)
from gateway_entities.entities.weights import shortest_decimal
from gateway_entities.errors import FieldViolation
from gateway_entities.server.service import form
from gateway_entities.server.service.base import new_id
from gateway_entities.server.service.configuration.matching import MATCHING, Candidate, match
from gateway_entities.server.service.configuration.problems import Problems
from gateway_entities.server.service.configuration.state import BINDING, DEFINITION, ENDPOINT, POLICY, SECRET, State
from gateway_entities.server.service.configuration.step import Step
from gateway_entities.server.service.configuration.stored import Claims, write_endpoint
from gateway_entities.server.service.configuration.wanted import Item, Wanted
from gateway_entities.server.service.context import check_call
from gateway_entities.server.service.secret import masked

if TYPE_CHECKING:
    from gateway_entities.server.store import Transaction

_API_BASE: Final = "api_base"


class Steps:
    """The steps for what is wanted.

    Attributes:
        steps: what happens to each resource that is wanted or pruned, also where nothing does.
        effects: what happens to others.
        references: the resources that are referred to, but not wanted themselves, by noun and name; None if missing.
    """

    def __init__(self, transaction: Transaction, state: State, wanted: Wanted, actor: str | None) -> None:
        """Make the steps.

        Args:
            transaction: the transaction that the state was read in.
            state: the state of now.
            wanted: what is wanted.
            actor: the actor of the change.

        What is wrong is in ``_problems``.
        """
        self._transaction = transaction
        self._state = state
        self._wanted = wanted
        self._actor = actor
        self._now = transaction.now
        self._problems = Problems()
        self.steps: list[Step] = []
        self.effects: list[Step] = []
        self.references: dict[tuple[str, str], str] = {}
        self._taken: set[tuple[str, str]] = set()
        self._secrets: dict[str, GatewaySecretInfo] = {}
        self._definitions: dict[str, GatewayModelDefinition] = {}
        self._endpoints: dict[str, GatewayEndpoint] = {}
        self._names = state.endpoint_names()
        self._stored_secrets = {info.secret_name: info for info in state.secrets.values()}
        self._stored_definitions = {definition.name: definition for definition in state.definitions.values()}
        # New names of definitions by their former ones.
        self._renamed: dict[str, str] = {}
        self._secret_steps()
        self._definition_steps()
        self._endpoint_steps()
        self._binding_steps()
        # The endpoints as they will be; one that is wanted goes before one that is not.
        endpoints = [step for step in self.steps if step.noun == ENDPOINT]
        self._names_after = self._names | {step.id: step.name for step in endpoints}
        self._ids_after = {name: identifier for identifier, name in self._names_after.items()}
        self._ids_after |= {step.name: step.id for step in endpoints}
        self._policy_steps()

    # The nouns, in the order of their references.

    def _secret_steps(self) -> None:
        now = self._stored_secrets
        named = {item.form.name for item in self._wanted.secrets}
        for path, name in self._wanted.value_paths.items():
            if name not in named:
                self._problems.invalid.append(FieldViolation(path, "must be the name of a secret in the configuration"))
        for item in self._wanted.secrets:
            check_call()
            wanted, before = item.form, now.get(item.form.name)
            value = self._wanted.values.get(wanted.name)
            after = GatewaySecretInfo(new_id("s"), wanted.name, {}, self._now, self._now, created_by=self._actor)
            if before is not None:
                after = copy.copy(before)
            step = self._step(SECRET, after.secret_id, wanted.name, before, item)
            step.form_before = None if before is None else form.secret_form(before)
            step.form_after = wanted
            if step.form_before != wanted:
                # What is equal stays as it was written.
                after.provider = wanted.provider or None
                after.auth_config = dict(wanted.auth_config)
            self._value(step, before, value, after, item)
            if value is not None and step.secret_value is not None:
                after.masked_values = {key: masked(text) for key, text in value.items()}
            step.after = after
            self._secrets[wanted.name] = after
            self._add(step)

    def _value(
        self, step: Step, before: GatewaySecretInfo | None, value: dict[str, str] | None, after: Any, item: Item
    ) -> None:
        rotated = self._wanted.rotated
        if before is None:
            step.secret_value = value
            if value is None:
                step.notes.add(5 if self._wanted.is_rollback else 2)
            return
        moves = (before.provider or None, before.auth_config.get(_API_BASE)) != (
            after.provider or None,
            after.auth_config.get(_API_BASE),
        )
        if value is not None:
            stored = SecretValue(self._transaction.secrets.reveal(before.secret_id))
            if stored != SecretValue(value):
                step.notes.add(3)
                step.secret_value = value
            elif moves:
                step.secret_value = value
        elif moves and before.masked_values:
            what = "provider" if (before.provider or None) != (after.provider or None) else f'auth_config["{_API_BASE}"]'
            self._problems.invalid.append(
                FieldViolation(
                    f"{item.path}.{what}",
                    f"of secret '{before.secret_name}' must not change unless its value is sent too: the stored value would "
                    "go to another address",
                )
            )
        elif before.secret_id in rotated:
            step.notes.add(4)

    def _definition_steps(self) -> None:
        claims = Claims(self._wanted.definitions, self._state.definitions, self._stored_definitions)
        for item in self._wanted.definitions:
            check_call()
            wanted = item.form
            before = claims.existing(item)
            secret_id = None
            if wanted.secret:
                secret = self._secret(wanted.secret)
                secret_id = None if secret is None else secret.secret_id
                if secret is None:
                    self._missing(f"{item.path}.secret", "secret", wanted.secret)
            after = GatewayModelDefinition(
                new_id("d"), wanted.name, None, None, wanted.provider, wanted.model_name, self._now, self._now
            )
            after.created_by = self._actor
            if before is not None:
                after = copy.copy(before)
            step = self._step(DEFINITION, after.model_definition_id, wanted.name, before, item)
            step.form_before = None if before is None else form.definition_form(before)
            step.form_after = wanted
            after.name, after.provider, after.model_name = wanted.name, wanted.provider, wanted.model_name
            after.secret_id, after.secret_name = secret_id, wanted.secret or None
            step.after = after
            if before is not None and before.name != wanted.name:
                self._renamed[before.name] = wanted.name
            self._definitions[wanted.name] = after
            self._add(step)

    def _endpoint_steps(self) -> None:
        now = {str(endpoint.name): endpoint for endpoint in self._state.endpoints.values()}
        claims = Claims(self._wanted.endpoints, self._state.endpoints, now)
        for item in self._wanted.endpoints:
            check_call()
            wanted = item.form
            before = claims.existing(item)
            after = GatewayEndpoint(new_id("e"), wanted.name, self._now, self._now, created_by=self._actor)
            after.usage_tracking = True
            if before is not None:
                after = copy.copy(before)
            step = self._step(ENDPOINT, after.endpoint_id, wanted.name, before, item)
            step.form_before = None if before is None else self._endpoint_form(before)
            step.form_after = wanted
            definitions = self._definitions_of(item)
            if before is not None and step.form_before == wanted:
                after.model_mappings = self._relinked(before)
            else:
                after.model_mappings = self._mappings(after, wanted, definitions, before)
                write_endpoint(after, wanted)
            step.after = after
            self._endpoints[wanted.name] = after
            self._add(step)

    def _endpoint_form(self, endpoint: GatewayEndpoint) -> Any:
        """Return the description of a stored endpoint, with the new names of its definitions."""
        described = form.endpoint_form(endpoint)
        for model in described.models if self._renamed else ():
            model.model_definition = self._renamed.get(model.model_definition, model.model_definition)
        return described

    def _relinked(self, endpoint: GatewayEndpoint) -> list[GatewayEndpointModelMapping]:
        """Return the mappings of a stored endpoint, with its definitions as they will be."""
        found: list[GatewayEndpointModelMapping] = []
        for mapping in endpoint.model_mappings:
            new = copy.copy(mapping)
            if mapping.model_definition is not None:
                name = mapping.model_definition.name
                new.model_definition = self._definitions.get(self._renamed.get(name, name), mapping.model_definition)
            found.append(new)
        return found

    def _definitions_of(self, item: Item) -> list[GatewayModelDefinition | None]:
        found: list[GatewayModelDefinition | None] = []
        for position, model in enumerate(item.form.models):
            definition = self._definition(model.model_definition)
            if definition is None:
                path = f"{item.path}.models[{position}].model_definition"
                self._missing(path, "model definition", model.model_definition)
            found.append(definition)
        return found

    def _mappings(
        self, endpoint: Any, wanted: Any, definitions: Sequence[GatewayModelDefinition | None], before: Any
    ) -> list[GatewayEndpointModelMapping]:
        old = {
            (mapping.model_definition_id, int(mapping.linkage_type or 0) or 1): mapping
            for mapping in (() if before is None else before.model_mappings)
        }
        mappings: list[GatewayEndpointModelMapping] = []
        for model, definition in zip(wanted.models, definitions, strict=True):
            if definition is None:
                continue
            linkage = GatewayModelLinkageType(model.linkage_type or GatewayModelLinkageType.PRIMARY)
            kept = old.get((definition.model_definition_id, int(linkage)))
            mapping = copy.copy(kept) if kept is not None else None
            weight = model.weight if model.HasField("weight") else 1.0
            order = model.fallback_order if model.HasField("fallback_order") else None
            if mapping is None:
                mapping = GatewayEndpointModelMapping(
                    new_id("m"),
                    endpoint.endpoint_id,
                    definition.model_definition_id,
                    None,
                    weight,
                    linkage,
                    order,
                    self._now,
                )
                mapping.created_by = self._actor
            mapping.model_definition = definition
            mapping.weight = shortest_decimal(weight)
            mapping.fallback_order = order
            mappings.append(mapping)
        return mappings

    def _binding_steps(self) -> None:
        by_endpoint: dict[str, dict[str, GatewayEndpointBinding]] = {}
        for identifier, binding in self._state.bindings.items():
            by_endpoint.setdefault(binding.endpoint_id, {})[identifier] = binding
        for item in self._wanted.endpoints:
            if item.bindings is None:
                continue
            endpoint = self._endpoints[item.form.name]
            now = by_endpoint.get(endpoint.endpoint_id, {})
            kept: set[str] = set()
            for each in item.bindings:
                identifier = f"{endpoint.endpoint_id}/{each.resource_type}/{each.resource_id}"
                name = f"{item.form.name}/{each.resource_type}/{each.resource_id}"
                kept.add(identifier)
                before = now.get(identifier)
                after = before or GatewayEndpointBinding(
                    endpoint.endpoint_id, each.resource_type, each.resource_id, self._now, self._now
                )
                if before is None:
                    after.created_by = after.last_updated_by = self._actor
                self._add(Step(BINDING, identifier, name, before, after, None if before is None else each, each))
            for identifier, binding in now.items():
                if identifier not in kept:
                    self._add(self._removed(BINDING, identifier, binding))

    def _policy_steps(self) -> None:
        names = self._names_after
        now = {identifier: form.policy_form(policy, names) for identifier, policy in self._state.policies.items()}
        matched = self._matched(POLICY, self._wanted.policies, now)
        for item, identifier in zip(self._wanted.policies, matched, strict=True):
            wanted = item.form
            before = None if identifier is None else self._state.policies[identifier]
            target: str | None = wanted.target_value or None
            if target is not None and wanted.target_scope == BudgetTargetScope.ENDPOINT:
                target = self._endpoint_id(target, f"{item.path}.target_value")
            after = GatewayBudgetPolicy(
                identifier or new_id("bp"),
                BudgetUnit(wanted.budget_unit),
                wanted.budget_amount,
                BudgetDuration.from_proto(wanted.duration),
                BudgetTargetScope(wanted.target_scope),
                BudgetAction(wanted.budget_action),
                self._now if before is None else before.created_at,
                self._now if before is None else before.last_updated_at,
                target_value=target,
                created_by=self._actor if before is None else before.created_by,
                last_updated_by=None if before is None else before.last_updated_by,
            )
            step = self._step(POLICY, after.budget_policy_id, form.policy_name(wanted), before, item)
            step.form_before = None if identifier is None else now[identifier]
            step.form_after, step.after = wanted, after
            if step.form_before is not None and step.form_before.duration != wanted.duration:
                step.notes.add(1)
            self._add(step)

    # What all nouns share.

    def _secret(self, name: str) -> GatewaySecretInfo | None:
        found = self._secrets.get(name)
        if found is None:
            found = self._stored_secrets.get(name)
            if found is not None:
                self.references[SECRET, name] = found.secret_id
                # For the next one that refers to it.
                self._secrets[name] = found
        return found

    def _definition(self, name: str) -> GatewayModelDefinition | None:
        found = self._definitions.get(name)
        if found is None:
            found = self._stored_definitions.get(name)
            if found is not None and (DEFINITION, found.model_definition_id) in self._taken:
                # It gets another name.
                return None
            if found is not None:
                self.references[DEFINITION, name] = found.model_definition_id
                self._definitions[name] = found
        return found

    def _endpoint_id(self, name: str, path: str) -> str | None:
        """Return the id of the endpoint that has a name afterwards; None if it is missing."""
        found = self._ids_after.get(name)
        if found is None:
            self._missing(path, "endpoint", name)
        elif name not in self._endpoints:
            self.references[ENDPOINT, name] = found
        return found

    def _matched(self, noun: str, wanted: Sequence[Item], now: Mapping[str, Any]) -> list[str | None]:
        """Return for each wanted resource of a noun without unique names the id of the stored one; None for a new one.

        Args:
            noun: the noun.
            wanted: what is wanted of it.
            now: the descriptions of the stored ones by id.
        """
        own, takes_over = self._wanted.owner, self._wanted.takes_over
        matching = MATCHING[noun]
        found: list[str | None] = [
            item.id if item.id and item.id in now and matching.group(now[item.id]) == matching.group(item.form) else None
            for item in wanted
        ]
        given = {identifier for identifier in found if identifier is not None}
        candidates: list[Candidate] = []
        for identifier, described in now.items():
            owner = self._state.owners.get((noun, identifier))
            foreign = owner is not None and owner != own and not takes_over
            # One of another owner is none of this configuration's, unless it has no owner and only reads.
            if identifier not in given and not (foreign and own):
                candidates.append(Candidate(identifier, described, 0 if owner == own else 1, foreign))
        rest = [position for position, identifier in enumerate(found) if identifier is None]
        more = match(matching, [wanted[position].form for position in rest], candidates)
        for position, matched in zip(rest, more, strict=True):
            found[position] = matched
        return found

    def _step(self, noun: str, identifier: str, name: str, before: Any, item: Item) -> Step:
        owner = self._state.owners.get((noun, identifier)) if before is not None else None
        return Step(noun, identifier, name, before, owner_before=owner, owner_after=self._wanted.owner_of(item, owner))

    def _removed(self, noun: str, identifier: str, resource: Any) -> Step:
        described = form.describe(noun, resource, self._names)
        name = form.name_of(noun, resource, described, self._names)
        owner = self._state.owners.get((noun, identifier))
        return Step(noun, identifier, name, resource, form_before=described, owner_before=owner)

    def _add(self, step: Step) -> None:
        self._taken.add(step.key)
        self.steps.append(step)
        other, wanted = step.owner_before, self._wanted
        if other is None or wanted.takes_over or other == wanted.owner or step.after is None:
            return
        if wanted.owner is not None or step.changes:
            self._problems.owned.append(
                FieldViolation(f"{step.noun} {step.name}", f"belongs to the configuration '{other}'; adopt takes it over")
            )

    def _missing(self, path: str, noun: str, name: str) -> None:
        description = f"names the {noun} '{name}', which is neither in the configuration nor in the store"
        self._problems.missing.append(FieldViolation(path, description))
