"""Guardrails in configurations, on both stores."""

from __future__ import annotations

from typing import Any

import pytest

from gateway_entities.errors import Code
from gateway_entities.rules.bounds import MAX_GUARDRAILS
from gateway_entities.server.service import GatewayService
from gateway_entities.server.service.context import SCOPE
from gateway_entities.server.store.repositories.token import AccessScope
from gatewayentities.v1 import change_pb2, configuration_pb2, endpoint_pb2, guardrail_pb2
from tests.server.configurations import Open, apply, export, plan, refused, small


def guarded(owner: str = "team", name: str = "support") -> configuration_pb2.GatewayConfiguration:
    """Return a configuration with one guardrail, which one of its two endpoints uses, and whose action calls the other."""
    made = small(owner, name)
    made.endpoints.add(name=f"{name}-rewriter").models.add(model_definition=f"{name}-chat")
    guardrail = made.guardrails.add(name="safe", scorer_id="s1", scorer_version=1, stage="AFTER", action="SANITIZATION")
    guardrail.action_endpoint = f"{name}-rewriter"
    guardrail.endpoints.add(name=name, execution_order=1)
    return made


def listed(service: GatewayService) -> list[guardrail_pb2.GatewayGuardrail]:
    return list(service.list_gateway_guardrails(guardrail_pb2.ListGatewayGuardrailsRequest()).guardrails)


def uses(service: GatewayService, name: str = "support") -> list[guardrail_pb2.GatewayGuardrailConfig]:
    request = guardrail_pb2.ListEndpointGuardrailConfigsRequest(endpoint_id=endpoint_id(service, name))
    return list(service.list_endpoint_guardrail_configs(request).configs)


def endpoint_id(service: GatewayService, name: str = "support") -> str:
    return service.get_gateway_endpoint(endpoint_pb2.GetGatewayEndpointRequest(name=name)).endpoint.endpoint_id


def effects(service: GatewayService) -> list[change_pb2.GatewayChangeEffect]:
    """Return the effects of the last change."""
    [line] = service.list_gateway_changes(change_pb2.ListGatewayChangesRequest(newest_first=True, page_size=1)).changes
    return [line.change, *line.effects]


def fields(change: Any) -> dict[str, tuple[str | None, str | None]]:
    """Return the values of each field before and after."""
    return {
        each.path: (
            each.before if each.HasField("before") else None,
            each.after if each.HasField("after") else None,
        )
        for each in change.fields
    }


def test_a_guardrail_is_stored_with_its_uses(service: GatewayService):
    wanted = guarded()
    wanted.guardrails[0].scorer.scorer_name = "Safety"
    apply(service, wanted, updated_by="ann")
    [guardrail] = listed(service)
    scorer = guardrail_pb2.Scorer(scorer_id="s1", scorer_version=1, scorer_name="Safety")
    assert (guardrail.name, guardrail.scorer, guardrail.created_by) == ("safe", scorer, "ann")
    assert (guardrail.stage, guardrail.action) == (guardrail_pb2.AFTER, guardrail_pb2.SANITIZATION)
    assert guardrail.action_endpoint_id == endpoint_id(service, "support-rewriter")
    [use] = uses(service)
    assert (use.guardrail, use.execution_order, use.created_by) == (guardrail, 1, "ann")
    exported = configuration_pb2.GatewayConfiguration.FromString(export(service, owner="team"))
    assert exported.guardrails == wanted.guardrails


def test_a_plan_and_the_log_name_every_field_of_a_guardrail_and_its_uses(service: GatewayService):
    apply(service, guarded())
    wanted = guarded()
    wanted.guardrails[0].scorer_version = 2
    wanted.guardrails[0].ClearField("action_endpoint")
    wanted.guardrails[0].endpoints.add(name="support-rewriter")
    planned = plan(service, wanted)
    guardrail, use = planned.changes
    assert (guardrail.noun, guardrail.name, use.noun, use.name) == (
        *("guardrail", "safe"),
        *("guardrail_config", "support-rewriter/safe"),
    )
    assert fields(guardrail) == {"scorer_version": ("1", "2"), "action_endpoint": ('"support-rewriter"', None)}
    assert fields(use) == {"name": (None, '"support-rewriter"')}
    [included] = planned.effects
    assert (included.noun, included.name, included.cause) == ("guardrail_config", "support/safe", "guardrail safe")
    [before] = listed(service)
    assert apply(service, wanted).updated == 2
    assert [(each.noun, each.name) for each in effects(service)] == [
        ("guardrail", "safe"),
        ("guardrail_config", "support-rewriter/safe"),
        ("guardrail_config", "support/safe"),
    ]
    assert fields(effects(service)[0]) == fields(guardrail)
    [after] = listed(service)
    assert (after.guardrail_id, after.created_at) == (before.guardrail_id, before.created_at)
    assert after.last_updated_at > before.last_updated_at
    assert [use.guardrail for use in uses(service)] == [after]


def test_the_order_of_execution_is_changed_in_place(service: GatewayService):
    apply(service, guarded())
    wanted = guarded()
    wanted.guardrails[0].endpoints[0].execution_order = -5
    [change] = plan(service, wanted).changes
    assert fields(change) == {"execution_order": ("1", "-5")}
    apply(service, wanted)
    wanted.guardrails[0].endpoints[0].ClearField("execution_order")
    assert apply(service, wanted).updated == 1
    [use] = uses(service)
    assert not use.HasField("execution_order")


def test_a_plan_notes_when_an_endpoint_loses_its_last_guardrail(service: GatewayService):
    apply(service, guarded())
    wanted = guarded()
    wanted.guardrails[0].ClearField("endpoints")
    [use] = plan(service, wanted).changes
    assert use.action == configuration_pb2.GATEWAY_PLAN_ACTION_DELETE
    assert [note.kind for note in use.notes] == [configuration_pb2.GATEWAY_PLAN_NOTE_KIND_LAST_GUARDRAIL]
    wanted.guardrails.add(name="other", scorer_id="s2", scorer_version=1, stage="BEFORE", action="VALIDATION")
    wanted.guardrails[1].endpoints.add(name="support")
    assert not [change for change in plan(service, wanted).changes if change.notes]
    # Also when the guardrail goes.
    wanted.ClearField("guardrails")
    found = plan(service, wanted, prune=True)
    assert [(change.noun, change.name) for change in found.changes] == [("guardrail", "safe")]
    [use] = found.effects
    assert (use.name, use.cause, len(use.notes)) == ("support/safe", "guardrail safe", 1)
    assert apply(service, wanted, prune=True).deleted == 2
    assert not listed(service)


def test_guardrails_of_one_name_scorer_and_stage_are_matched_before_any_is_made(service: GatewayService):
    def versions(*given: tuple[int, str]) -> configuration_pb2.GatewayConfiguration:
        made = small()
        for version, action in given:
            guardrail = made.guardrails.add(
                name="safe", scorer_id="s1", scorer_version=version, stage="AFTER", action=action
            )
            guardrail.endpoints.add(name="support", execution_order=version)
        return made

    def stored() -> dict[str, tuple[int, str]]:
        name = guardrail_pb2.GuardrailAction.Name
        return {each.guardrail_id: (each.scorer.scorer_version, name(each.action)) for each in listed(service)}

    apply(service, versions((1, "VALIDATION"), (2, "SANITIZATION")))
    first = {content: identifier for identifier, content in stored().items()}
    assert not plan(service, versions((2, "SANITIZATION"), (1, "VALIDATION")), prune=True).changes
    response = apply(service, versions((3, "SANITIZATION"), (1, "SANITIZATION")), prune=True)
    # Each guardrail, and the use of one of them.
    assert (response.created, response.deleted) == (0, 0)
    assert stored() == {first[1, "VALIDATION"]: (1, "SANITIZATION"), first[2, "SANITIZATION"]: (3, "SANITIZATION")}
    # Another stage is another guardrail.
    moved = versions((1, "SANITIZATION"), (3, "SANITIZATION"))
    moved.guardrails[0].stage = "BEFORE"
    response = apply(service, moved, prune=True)
    assert first[2, "SANITIZATION"] in stored()
    assert first[1, "VALIDATION"] not in stored()


def test_the_same_guardrail_twice_is_two_guardrails(stores: Open):
    first, second = stores(), stores()
    wanted = guarded()
    wanted.guardrails.append(wanted.guardrails[0])
    apply(first, wanted)
    assert [len(listed(first)), len(uses(first))] == [2, 2]
    assert not plan(first, wanted, prune=True).changes
    exported = export(first, owner="team")
    apply(second, configuration_pb2.GatewayConfiguration.FromString(exported))
    assert export(second, owner="team") == exported


def test_each_guardrail_has_one_owner_and_endpoints_of_others_may_use_it(service: GatewayService):
    apply(service, small())
    security = configuration_pb2.GatewayConfiguration(owner="security")
    guardrail = security.guardrails.add(name="safe", scorer_id="s", scorer_version=1, stage="BEFORE", action="VALIDATION")
    guardrail.endpoints.add(name="support")
    apply(service, security)
    # The owner of the endpoint neither loses nor removes it.
    assert not plan(service, small(), prune=True).changes
    error = refused(
        lambda: apply(service, configuration_pb2.GatewayConfiguration(owner="team"), prune=True),
        Code.FAILED_PRECONDITION,
        "USED_BY_ANOTHER",
    )
    assert "guardrail 'safe' of the configuration 'security'" in error.message
    # One that is equal, of another owner, is another one; adopted it is the same.
    mine = small()
    mine.guardrails.append(guardrail)
    assert plan(service, mine).changes[0].action == configuration_pb2.GATEWAY_PLAN_ACTION_CREATE
    [adopted] = plan(service, mine, adopt=True).changes
    assert fields(adopted) == {"owner": ('"security"', '"team"')}
    apply(service, mine, adopt=True)
    assert apply(service, configuration_pb2.GatewayConfiguration(owner="security"), prune=True).deleted == 0
    assert len(uses(service)) == 1


def test_an_endpoint_that_goes_takes_its_uses_along_and_is_forgotten_by_guardrails(service: GatewayService):
    apply(service, small())
    plain = guardrail_pb2.CreateGatewayGuardrailRequest(
        name="loose",
        scorer_id="s",
        scorer_version=1,
        stage="BEFORE",
        action="SANITIZATION",
        action_endpoint_id=endpoint_id(service),
    )
    identifier = service.create_gateway_guardrail(plain).guardrail.guardrail_id
    service.add_guardrail_to_endpoint(
        guardrail_pb2.AddGuardrailToEndpointRequest(endpoint_id=endpoint_id(service), guardrail_id=identifier)
    )
    before = export(service)
    wanted = small()
    wanted.ClearField("endpoints")
    wanted.ClearField("budget_policies")
    found = plan(service, wanted, prune=True)
    touched = {(each.noun, each.name, each.action, each.cause) for each in found.effects}
    assert touched == {
        ("guardrail", "loose", configuration_pb2.GATEWAY_PLAN_ACTION_UPDATE, "endpoint support"),
        ("guardrail_config", "support/loose", configuration_pb2.GATEWAY_PLAN_ACTION_DELETE, "endpoint support"),
    }
    [lost] = [each for each in found.effects if each.noun == "guardrail"]
    assert fields(lost) == {"action_endpoint": ('"support"', None)}
    revision = apply(service, wanted, prune=True).revision
    assert export(service, at_revision=revision - 1) == before
    [guardrail] = listed(service)
    assert not guardrail.HasField("action_endpoint_id")
    service.rollback_gateway_configuration(
        configuration_pb2.RollbackGatewayConfigurationRequest(to_revision=revision - 1, with_bindings=True)
    )
    assert export(service) == before
    assert [each.guardrail_id for each in listed(service)] == [identifier]


def test_what_a_guardrail_of_the_configuration_names_is_not_pruned(service: GatewayService):
    apply(service, guarded())
    wanted = guarded()
    del wanted.endpoints[1]
    refused(lambda: apply(service, wanted, prune=True), Code.FAILED_PRECONDITION, "USED_BY_ANOTHER")
    wanted.guardrails[0].ClearField("action_endpoint")
    assert apply(service, wanted, prune=True).deleted == 1


def test_endpoints_of_guardrails_are_known_by_name_also_after_a_rename(service: GatewayService):
    apply(service, guarded())
    wanted = guarded()
    wanted.endpoints[0].name, wanted.endpoints[0].renamed_from = "help", "support"
    wanted.budget_policies[0].target_value = wanted.guardrails[0].endpoints[0].name = "help"
    assert {each.noun for each in plan(service, wanted, prune=True).changes} == {"endpoint"}
    apply(service, wanted, prune=True)
    assert len(uses(service, "help")) == 1
    wanted.guardrails[0].action_endpoint = "nowhere"
    wanted.guardrails[0].endpoints.add(name="support")
    error = refused(lambda: apply(service, wanted), Code.NOT_FOUND)
    assert [violation.field for violation in error.field_violations] == [
        "configuration.guardrails[0].action_endpoint",
        "configuration.guardrails[0].endpoints[1].name",
    ]


def test_a_plan_is_stale_when_a_guardrail_it_reads_has_moved(service: GatewayService):
    apply(service, guarded())
    wanted = guarded()
    wanted.guardrails[0].scorer_version = 2
    basis = plan(service, wanted).basis
    [use] = uses(service)
    moved = guardrail_pb2.UpdateEndpointGuardrailConfigRequest(
        endpoint_id=use.endpoint_id, guardrail_id=use.guardrail_id, execution_order=7
    )
    service.update_endpoint_guardrail_config(moved)
    error = refused(lambda: apply(service, wanted, basis=basis), Code.ABORTED, "STALE_PLAN")
    assert [violation.field for violation in error.field_violations] == ["guardrail_config support/safe"]
    moved.execution_order = 1
    service.update_endpoint_guardrail_config(moved)
    assert apply(service, wanted, basis=basis).updated == 2


@pytest.mark.parametrize("change", ["version", "owner"])
def test_guardrails_need_the_scope_admin_and_their_uses_write(service: GatewayService, change: str):
    apply(service, guarded())
    wanted = guarded()
    wanted.guardrails[0].endpoints[0].execution_order = 2
    admin = guarded()
    if change == "version":
        admin.guardrails[0].scorer_version = 2
    else:
        admin = configuration_pb2.GatewayConfiguration(owner="other", guardrails=admin.guardrails)
    token = SCOPE.set(AccessScope.WRITE)
    try:
        assert apply(service, wanted).updated == 1
        refused(lambda: apply(service, admin, adopt=True), Code.PERMISSION_DENIED)
    finally:
        SCOPE.reset(token)
    assert apply(service, admin, adopt=True).updated


def test_an_endpoint_has_at_most_100_guardrails(service: GatewayService):
    wanted = small()
    for number in range(MAX_GUARDRAILS):
        guardrail = wanted.guardrails.add(scorer_id="s", scorer_version=1, stage="BEFORE", action="VALIDATION")
        guardrail.name = f"g{number}"
        guardrail.endpoints.add(name="support")
    apply(service, wanted)
    more = configuration_pb2.GatewayConfiguration(owner="other")
    more.guardrails.append(wanted.guardrails[0])
    refused(lambda: apply(service, more), Code.RESOURCE_EXHAUSTED, "TOO_MANY_GUARDRAILS")
    wanted.guardrails.append(wanted.guardrails[0])
    refused(lambda: apply(service, wanted), Code.RESOURCE_EXHAUSTED, "TOO_MANY_GUARDRAILS")


@pytest.mark.parametrize("number", [1, 101])
def test_the_log_names_what_single_calls_change(service: GatewayService, number: int):
    wanted = guarded()
    for position in range(1, number):
        name = f"e{position}"
        wanted.endpoints.add(name=name).models.add(model_definition="support-chat")
        wanted.guardrails[0].endpoints.add(name=name)
    apply(service, wanted)
    [guardrail] = listed(service)
    service.delete_gateway_guardrail(guardrail_pb2.DeleteGatewayGuardrailRequest(guardrail_id=guardrail.guardrail_id))
    first, *others = effects(service)
    assert (first.noun, first.name) == ("guardrail", "safe")
    names = {f"{use.name}/safe" for use in wanted.guardrails[0].endpoints}
    assert {(each.noun, each.name) for each in others} == {("guardrail_config", name) for name in names}
    # It has no owner any more.
    assert apply(service, configuration_pb2.GatewayConfiguration(owner="other", guardrails=wanted.guardrails)).created
