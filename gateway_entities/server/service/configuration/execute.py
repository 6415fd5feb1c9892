"""Execution of a plan: the writes, and what the change log gets."""

from __future__ import annotations

import copy
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from gateway_entities.entities import GatewayFieldDifference
from gateway_entities.rules.bounds import MAX_RESOURCE_BYTES
from gateway_entities.server.service.configuration.plan import Plan
from gateway_entities.server.service.configuration.state import (
    BINDING,
    DEFINITION,
    ENDPOINT,
    GUARDRAIL,
    POLICY,
    SECRET,
    USE,
)
from gateway_entities.server.service.configuration.step import Step
from gateway_entities.server.service.context import check_call
from gateway_entities.server.service.errors import exhausted
from gateway_entities.server.service.form import differences
from gateway_entities.server.store.repositories.change import Effect
from gatewayentities.v1 import configuration_pb2 as pb

if TYPE_CHECKING:
    from gateway_entities.server.store import Transaction

_DELETED_LAST: Final = (GUARDRAIL, POLICY, ENDPOINT, DEFINITION, SECRET)
_STAMPED: Final = (SECRET, DEFINITION, ENDPOINT, POLICY, GUARDRAIL)
_LINKS: Final = (BINDING, USE)
"""Nouns whose resources are removed before others are written."""


def execute(transaction: Transaction, plan: Plan, actor: str | None) -> list[Effect]:
    """Carry out a plan; return its effects, none if nothing differs.

    Args:
        transaction: the write transaction that the plan was made in.
        plan: the plan.
        actor: the actor of the change; None if unknown.

    Raises:
        GatewayError: RESOURCE_EXHAUSTED; a resource would be too large.
    """
    steps = [step for step in plan.steps if step.changes]
    if not steps:
        return []
    for step in steps:
        if step.after is not None and step.noun in _STAMPED and step.before is not None and _is_written(step):
            step.after.last_updated_at = max(transaction.now, step.before.last_updated_at + 1)
        if step.after is not None and step.noun in _STAMPED and _is_written(step) and actor is not None:
            step.after.last_updated_by = actor
    # The effects first: they are of the resources as they are.
    effects = [_effect(step) for step in (*steps, *plan.effects)]
    _free_names(transaction, steps)
    for noun in (SECRET, DEFINITION, ENDPOINT, BINDING, POLICY, GUARDRAIL, USE):
        for step in steps:
            if step.noun == noun and (step.after is not None or noun in _LINKS) and _is_written(step):
                check_call()
                _WRITERS[noun](transaction, step)
    for noun in _DELETED_LAST:
        for step in steps:
            if step.noun == noun and step.after is None:
                check_call()
                _remove(transaction, noun, step.id)
    for step in (*steps, *plan.effects):
        owner = None if step.after is None else step.owner_after
        if step.owner_before != owner and not (step.noun == ENDPOINT and step.cause):
            transaction.owners.set(step.noun, step.id, owner)
    return effects


def _is_written(step: Step) -> bool:
    return step.form_before != step.form_after or step.secret_value is not None


def _free_names(transaction: Transaction, steps: list[Step]) -> None:
    """Give those whose name another resource gets a name in between."""
    for noun, update in ((DEFINITION, transaction.model_definitions.update), (ENDPOINT, transaction.endpoints.update)):
        names = {step.name: step.id for step in steps if step.noun == noun and step.after is not None}
        for step in steps:
            if step.noun == noun and step.before is not None and names.get(step.before.name, step.id) != step.id:
                moved = copy.copy(step.before)
                # No valid name of an endpoint, and no likely one of a definition.
                moved.name = f"~{step.id}"
                update(moved)


def _write_secret(transaction: Transaction, step: Step) -> None:
    if step.before is None:
        transaction.secrets.add(step.after, step.secret_value or {})
    else:
        transaction.secrets.update(step.after, step.secret_value)


def _write_definition(transaction: Transaction, step: Step) -> None:
    if step.before is None:
        transaction.model_definitions.add(step.after)
    else:
        transaction.model_definitions.update(step.after)


def _write_endpoint(transaction: Transaction, step: Step) -> None:
    endpoints, after, before = transaction.endpoints, step.after, step.before
    if before is None:
        endpoints.add(after)
        return
    endpoints.update(after)
    if _links(before) != _links(after):
        endpoints.replace_mappings(step.id, after.model_mappings)
    old, new = ({tag.key: tag.value for tag in each.tags} for each in (before, after))
    for key in old.keys() - new.keys():
        endpoints.remove_tag(step.id, key)
    for tag in after.tags:
        if tag.key not in old or old[tag.key] != tag.value:
            endpoints.set_tag(step.id, tag)


def _links(endpoint: Any) -> list[tuple[Any, ...]]:
    return [
        (each.mapping_id, each.model_definition_id, each.linkage_type, each.weight, each.fallback_order)
        for each in endpoint.model_mappings
    ]


def _write_binding(transaction: Transaction, step: Step) -> None:
    if step.after is None:
        before = step.before
        transaction.bindings.remove(before.endpoint_id, str(before.resource_type), before.resource_id)
    else:
        transaction.bindings.add(step.after)


def _write_policy(transaction: Transaction, step: Step) -> None:
    if step.before is None:
        transaction.budget_policies.add(step.after)
        return
    transaction.budget_policies.update(step.after)
    if pb.GATEWAY_PLAN_NOTE_KIND_SPEND_RESTARTS in step.notes:
        transaction.budget_spend.remove(step.id)


def _write_guardrail(transaction: Transaction, step: Step) -> None:
    if step.before is None:
        transaction.guardrails.add(step.after)
    else:
        transaction.guardrails.update(step.after)


def _write_use(transaction: Transaction, step: Step) -> None:
    configs, after, before = transaction.guardrail_configs, step.after, step.before
    if after is None:
        configs.remove(before.endpoint_id, before.guardrail_id)
    elif before is None:
        configs.add(after)
    else:
        configs.update(after)


_WRITERS: Final = {
    SECRET: _write_secret,
    DEFINITION: _write_definition,
    ENDPOINT: _write_endpoint,
    BINDING: _write_binding,
    POLICY: _write_policy,
    GUARDRAIL: _write_guardrail,
    USE: _write_use,
}


def _remove(transaction: Transaction, noun: str, identifier: str) -> None:
    if noun == GUARDRAIL:
        transaction.guardrails.remove(identifier)
    elif noun == POLICY:
        transaction.budget_policies.remove(identifier)
    elif noun == ENDPOINT:
        transaction.endpoints.remove(identifier)
    elif noun == DEFINITION:
        transaction.model_definitions.remove(identifier)
    else:
        transaction.secrets.remove(identifier)


def _effect(step: Step) -> Effect:
    check_call()
    before = None if step.before is None else step.before.to_bytes()
    after = None if step.after is None else step.after.to_bytes()
    if after is not None and len(after) > MAX_RESOURCE_BYTES and (before is None or len(after) > len(before)):
        kind = step.noun.replace("_", " ")
        raise exhausted(
            f"The {kind} '{step.name}' would have {len(after)} bytes; at most {MAX_RESOURCE_BYTES} are allowed.",
            "RESOURCE_TOO_LARGE",
        )
    fields = [*differences(step.form_before, step.form_after), *step.extra_fields()] if step.cause is None else []
    # An effect on an endpoint by its definitions leaves its owner.
    leaves = step.noun == ENDPOINT and step.cause is not None
    owner = None if step.after is None else step.owner_after
    owners = (None, None) if leaves or owner == step.owner_before else (step.owner_before, owner)
    return Effect(
        step.noun,
        step.id,
        None if before is None else sha256(before).hexdigest()[:32],
        None if after is None else sha256(after).hexdigest()[:32],
        before,
        after,
        step.name,
        [GatewayFieldDifference.from_proto(each) for each in fields],
        *owners,
    )
