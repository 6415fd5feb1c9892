"""The steps of guardrails and of their uses by endpoints."""

# pyright: reportPrivateUsage=false
# The classes are one; they are apart because of their length.

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping
from typing import Any

from gateway_entities.entities import GatewayGuardrail, GatewayGuardrailConfig, GuardrailAction, GuardrailStage, Scorer
from gateway_entities.rules.bounds import MAX_GUARDRAILS
from gateway_entities.server.service import form
from gateway_entities.server.service.base import new_id
from gateway_entities.server.service.configuration.problems import used
from gateway_entities.server.service.configuration.state import ENDPOINT, GUARDRAIL, USE, Key, use_id
from gateway_entities.server.service.configuration.step import Step
from gateway_entities.server.service.configuration.steps import Steps
from gateway_entities.server.service.configuration.wanted import Item
from gateway_entities.server.service.context import check_call
from gateway_entities.server.service.errors import refuse_more
from gatewayentities.v1 import configuration_pb2 as pb

_Uses = Mapping[str, GatewayGuardrailConfig]
"""Uses of one guardrail by the ids of their endpoints."""


class GuardrailSteps(Steps):
    """The steps of all nouns. Attributes as of Steps."""

    def _guardrail_steps(self) -> None:
        uses: dict[str, dict[str, GatewayGuardrailConfig]] = {}
        for config in self._state.uses.values():
            uses.setdefault(config.guardrail_id, {})[config.endpoint_id] = config
        now = self._state.guardrail_forms(self._names_after)
        items = self._wanted.guardrails
        for item, identifier in zip(items, self._matched(GUARDRAIL, items, now), strict=True):
            check_call()
            step = self._guardrail_step(item, now, identifier)
            self._add(step)
            self._use_steps(item, step.after, uses.get(step.id, {}))

    def _guardrail_step(
        self, item: Item, now: Mapping[str, pb.GatewayGuardrailConfiguration], identifier: str | None
    ) -> Step:
        wanted = _alone(item.form)
        before = None if identifier is None else self._state.guardrails[identifier]
        action_endpoint = None
        if wanted.action_endpoint:
            action_endpoint = self._endpoint_id(wanted.action_endpoint, f"{item.path}.action_endpoint")
        after = GatewayGuardrail(
            new_id("gr"),
            wanted.name,
            None,
            GuardrailStage(wanted.stage),
            GuardrailAction(wanted.action),
            self._now,
            self._now,
            created_by=self._actor,
        )
        if before is not None:
            after = copy.copy(before)
        step = self._step(GUARDRAIL, after.guardrail_id, wanted.name, before, item)
        step.form_before = None if identifier is None else _alone(now[identifier])
        step.form_after, step.after = wanted, after
        if step.form_before != wanted:
            # What is equal stays as it was written.
            after.scorer = Scorer.from_proto(wanted.scorer)
            after.scorer.scorer_id, after.scorer.scorer_version = wanted.scorer_id, wanted.scorer_version
            after.action = GuardrailAction(wanted.action)
            after.action_endpoint_id = action_endpoint
        return step

    def _use_steps(self, item: Item, guardrail: GatewayGuardrail, now: _Uses) -> None:
        wanted: set[str] = set()
        for position, each in enumerate(item.form.endpoints):
            endpoint_id = self._endpoint_id(each.name, f"{item.path}.endpoints[{position}].name")
            if endpoint_id is None:
                continue
            wanted.add(endpoint_id)
            before = now.get(endpoint_id)
            order = each.execution_order if each.HasField("execution_order") else None
            after = GatewayGuardrailConfig(endpoint_id, guardrail.guardrail_id, order, self._now, created_by=self._actor)
            if before is not None:
                after = copy.copy(before)
                after.execution_order = order
            after.guardrail = guardrail
            step = Step(USE, use_id(endpoint_id, guardrail.guardrail_id), form.use_name(each.name, after), before, after)
            step.form_before = None if before is None else form.use_form(before, self._names_after)
            step.form_after = each
            self._add(step)
        for endpoint_id, config in now.items():
            if endpoint_id not in wanted:
                self._add(self._removed(USE, use_id(endpoint_id, config.guardrail_id), config))

    def _guardrail_effects(self, gone: set[Key]) -> None:
        """Add the guardrails and uses that are not wanted themselves, but lose or include what changes."""
        changed: dict[str, Step] = {step.id: step for step in self.steps if step.noun == GUARDRAIL and _is_changed(step)}
        for identifier, guardrail in self._state.guardrails.items():
            if (GUARDRAIL, identifier) not in self._taken and (ENDPOINT, guardrail.action_endpoint_id) in gone:
                changed[identifier] = step = self._without_action_endpoint(identifier, guardrail)
                self.effects.append(step)
        written = {step.id for step in self.steps if step.noun == USE and step.changes}
        for identifier, config in self._state.uses.items():
            if identifier not in written:
                self._use_effect(identifier, config, gone, changed)

    def _without_action_endpoint(self, identifier: str, guardrail: GatewayGuardrail) -> Step:
        endpoint = self._names[str(guardrail.action_endpoint_id)]
        self._refuse_foreign(identifier, endpoint)
        after = copy.copy(guardrail)
        after.action_endpoint_id = None
        step = Step(GUARDRAIL, identifier, guardrail.name, guardrail, after, cause=f"endpoint {endpoint}")
        step.form_before, step.form_after = (form.guardrail_form(each, self._names) for each in (guardrail, after))
        return step

    def _use_effect(self, identifier: str, config: GatewayGuardrailConfig, gone: set[Key], changed: dict[str, Step]) -> None:
        endpoint, guardrail = (ENDPOINT, config.endpoint_id), (GUARDRAIL, config.guardrail_id)
        if endpoint in gone or guardrail in gone:
            step = self._removed(USE, identifier, config)
            name = self._names[config.endpoint_id]
            if guardrail in gone:
                step.cause = f"guardrail {self._state.guardrails[config.guardrail_id].name}"
            else:
                step.cause = f"endpoint {name}"
                self._refuse_foreign(config.guardrail_id, name)
            self.effects.append(step)
        elif config.guardrail_id in changed:
            of = changed[config.guardrail_id]
            after = copy.copy(config)
            after.guardrail = of.after
            name = form.use_name(self._names_after[config.endpoint_id], after)
            self.effects.append(Step(USE, identifier, name, config, after, cause=of.cause or f"guardrail {of.name}"))

    def _refuse_foreign(self, guardrail_id: str, endpoint: str) -> None:
        """Refuse the deletion of an endpoint that another owner's guardrail calls, or checks."""
        owner = self._state.owners.get((GUARDRAIL, guardrail_id))
        if owner is not None and owner != self._wanted.owner and not self._wanted.is_rollback:
            user = f"guardrail '{self._state.guardrails[guardrail_id].name}'"
            self._problems.used.append(used("endpoint", endpoint, user, owner))

    def _refuse_used_by_guardrails(self, gone: set[Key]) -> None:
        """Refuse the deletion of endpoints that wanted guardrails name."""
        for step in self.steps:
            if step.after is None or step.noun not in {GUARDRAIL, USE}:
                continue
            endpoint_id = step.after.action_endpoint_id if step.noun == GUARDRAIL else step.after.endpoint_id
            if (ENDPOINT, endpoint_id) in gone:
                guardrail = step.after if step.noun == GUARDRAIL else step.after.guardrail
                user = f"guardrail '{guardrail.name}'"
                self._problems.used.append(used("endpoint", self._names[endpoint_id], user, self._wanted.owner))

    def _count_guardrails(self) -> None:
        """Check how many guardrails endpoints have afterwards, and note where the last one goes.

        Raises:
            GatewayError: RESOURCE_EXHAUSTED; an endpoint would have too many.
        """
        steps = [step for step in (*self.steps, *self.effects) if step.noun == USE]
        if not steps:
            return
        before = Counter(config.endpoint_id for config in self._state.uses.values())
        after = before.copy()
        after.update(step.after.endpoint_id for step in steps if step.before is None)
        after.subtract(step.before.endpoint_id for step in steps if step.after is None)
        for endpoint_id, number in after.items():
            if number > before[endpoint_id]:
                refuse_more(self._names_after[endpoint_id], number, MAX_GUARDRAILS, "guardrails")
        gone = {step.id for step in self.steps if step.noun == ENDPOINT and step.after is None}
        for step in steps:
            if step.after is None and not after[step.before.endpoint_id] and step.before.endpoint_id not in gone:
                step.notes.add(pb.GATEWAY_PLAN_NOTE_KIND_LAST_GUARDRAIL)


def _alone(described: Any) -> Any:
    found = pb.GatewayGuardrailConfiguration()
    found.CopyFrom(described)
    found.ClearField("endpoints")
    return found


def _is_changed(step: Step) -> bool:
    return step.before is not None and step.after is not None and step.form_before != step.form_after
