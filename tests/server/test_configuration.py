"""Configurations exported, planned, applied and rolled back, on both stores."""

from __future__ import annotations

import itertools
import random
import threading
from typing import Any

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.service import GatewayService
from gateway_entities.server.service.context import SCOPE
from gateway_entities.server.store.repositories.token import AccessScope
from gatewayentities.v1 import budget_pb2, endpoint_pb2, model_definition_pb2, resolution_pb2, secret_pb2
from gatewayentities.v1 import change_pb2 as change
from gatewayentities.v1 import configuration_pb2 as pb
from tests import profiles
from tests.server.configurations import Open, apply, configuration, export, plan, refused, small

GENERATED = profiles.count(1000, 12)
RETURNS = profiles.count(150, 12)
"""Number of rollbacks. Each reads every change since."""


def test_an_export_applied_to_an_empty_store_is_exported_again_byte_for_byte(stores: Open):
    rng = random.Random(profiles.SEED)
    first, second = stores(), stores()
    for _ in range(GENERATED):
        made = configuration(rng, owner="o", most=200 if rng.random() < 0.05 else 6)
        apply(first, made, prune=True, adopt=True)
        exported = export(first, owner="o")
        parsed = pb.GatewayConfiguration.FromString(exported)
        apply(second, parsed, prune=True, adopt=True)
        assert export(second, owner="o") == exported
        # What was given means the same as what is exported.
        for wanted in (made, parsed):
            for service in (first, second):
                assert not plan(service, wanted, prune=True).changes
                before = service.store.revision() or export(service)
                response = apply(service, wanted, prune=True)
                assert (response.created, response.updated, response.deleted) == (0, 0, 0)
                assert (service.store.revision() or export(service)) == before


def test_after_a_rollback_the_export_is_that_of_the_revision(stores: Open):
    rng = random.Random(profiles.SEED)
    service = stores()
    exports: dict[int, tuple[bytes, bytes]] = {0: (export(service), export(service, owner="o"))}
    for _ in range(RETURNS):
        made, prune = configuration(rng, owner=rng.choice(("o", "p"))), rng.random() < 0.7
        try:
            response = apply(service, made, prune=prune, adopt=True)
        except GatewayError as error:
            # The two use what the other has.
            if error.reason != "USED_BY_ANOTHER" or export(service) != exports[max(exports)][0]:
                raise
            continue
        exports[response.revision] = export(service), export(service, owner="o")
    for revision in rng.sample(sorted(exports), min(len(exports), RETURNS)):
        assert (export(service, at_revision=revision), export(service, at_revision=revision, owner="o")) == exports[revision]
        # The destinations of the generated secrets differ, and these have no values.
        request = pb.RollbackGatewayConfigurationRequest(to_revision=revision, with_bindings=True)
        service.rollback_gateway_configuration(request)
        assert (export(service), export(service, owner="o")) == exports[revision]


def test_a_plan_names_every_field_and_what_it_touches_besides(service: GatewayService):
    other = pb.GatewayConfiguration(owner="other")
    other.endpoints.add(name="shared").models.add(model_definition="support-chat")
    apply(service, small())
    apply(service, other)
    wanted = small()
    wanted.model_definitions[0].model_name = "gpt-5"
    wanted.budget_policies[0].duration.value = 2
    found = plan(service, wanted)
    definition, policy = found.changes
    assert [(each.path, each.before, each.after) for each in definition.fields] == [("model_name", '"gpt-4o"', '"gpt-5"')]
    assert [note.kind for note in policy.notes] == [pb.GATEWAY_PLAN_NOTE_KIND_SPEND_RESTARTS]
    assert {(each.noun, each.name, each.cause) for each in found.effects} == {
        ("endpoint", "support", "model_definition support-chat"),
        ("endpoint", "shared", "model_definition support-chat"),
    }


def test_a_plan_that_no_longer_fits_is_refused_by_name_and_unrelated_writes_do_not_matter(service: GatewayService):
    apply(service, small())
    apply(service, small("other", "unrelated"))
    wanted = small()
    wanted.endpoints[0].tags["a"] = "b"
    basis = plan(service, wanted).basis
    before = export(service)
    moved = small("other", "unrelated")
    moved.endpoints[0].tags["x"] = "y"
    apply(service, moved)
    identifier = service.get_gateway_endpoint(endpoint_pb2.GetGatewayEndpointRequest(name="support")).endpoint.endpoint_id
    tag = endpoint_pb2.SetGatewayEndpointTagRequest(endpoint_id=identifier, key="c", value="d")
    service.set_gateway_endpoint_tag(tag)
    error = refused(lambda: apply(service, wanted, basis=basis), Code.ABORTED, "STALE_PLAN")
    assert [violation.field for violation in error.field_violations] == ["endpoint support"]
    assert export(service) != before
    service.delete_gateway_endpoint_tag(endpoint_pb2.DeleteGatewayEndpointTagRequest(endpoint_id=identifier, key="c"))
    assert apply(service, wanted, basis=basis).updated == 1


def test_renamed_from_keeps_id_bindings_and_spend(service: GatewayService):
    first = small()
    first.endpoints[0].bindings.items.add(resource_type="scorer", resource_id="1")
    apply(service, first)
    identifier = service.get_gateway_endpoint(endpoint_pb2.GetGatewayEndpointRequest(name="support")).endpoint.endpoint_id
    spend = budget_pb2.RecordGatewaySpendRequest(
        request_id="r", endpoint_id=identifier, amount_nanos=10**9, budget_unit="USD"
    )
    service.record_gateway_spend(spend)
    renamed = small()
    renamed.endpoints[0].name, renamed.endpoints[0].renamed_from = "help", "support"
    renamed.budget_policies[0].target_value = "help"
    for _ in range(2):
        apply(service, renamed, prune=True)
        found = service.get_gateway_endpoint(endpoint_pb2.GetGatewayEndpointRequest(name="help")).endpoint
        assert found.endpoint_id == identifier
        windows = service.list_gateway_budget_windows(budget_pb2.ListGatewayBudgetWindowsRequest()).windows
        assert [window.current_spend for window in windows] == [1.0]
        assert b"scorer" in export(service)
    assert not plan(service, renamed, prune=True).changes


def test_each_resource_has_one_owner(service: GatewayService):
    apply(service, small())
    foreign = small("other")
    error = refused(lambda: apply(service, foreign), Code.FAILED_PRECONDITION, "OWNED_BY_ANOTHER")
    named = [violation.field for violation in error.field_violations]
    assert named == ["secret support-key", "model_definition support-chat", "endpoint support"]
    # Without an owner reading is free, writing is not.
    plain = small("")
    assert not plan(service, plain).changes
    plain.endpoints[0].tags["a"] = "b"
    refused(lambda: apply(service, plain), Code.FAILED_PRECONDITION, "OWNED_BY_ANOTHER")
    assert apply(service, foreign, adopt=True).updated == 4
    assert pb.GatewayConfiguration.FromString(export(service, owner="team")) == pb.GatewayConfiguration(owner="team")
    # The former owner no longer prunes it.
    assert apply(service, pb.GatewayConfiguration(owner="team"), prune=True).deleted == 0


def test_deleting_what_another_owner_uses_is_refused_by_name(service: GatewayService):
    apply(service, small())
    user = pb.GatewayConfiguration(owner="other")
    user.endpoints.add(name="shared").models.add(model_definition="support-chat")
    apply(service, user)
    before = export(service)
    error = refused(
        lambda: apply(service, pb.GatewayConfiguration(owner="team"), prune=True),
        Code.FAILED_PRECONDITION,
        "USED_BY_ANOTHER",
    )
    assert "endpoint 'shared' of the configuration 'other'" in error.message
    assert export(service) == before


def test_everything_wrong_is_reported_together_and_nothing_is_applied(service: GatewayService):
    wanted = small()
    wanted.endpoints.add(name="second").models.add(model_definition="nowhere")
    wanted.model_definitions[0].secret = "no-such-key"
    error = refused(lambda: apply(service, wanted), Code.NOT_FOUND)
    assert [violation.field for violation in error.field_violations] == [
        "configuration.model_definitions[0].secret",
        "configuration.endpoints[1].models[0].model_definition",
    ]
    assert export(service) == b""
    wanted.endpoints[1].name = "support"
    wanted.secrets[0].name = ""
    error = refused(lambda: apply(service, wanted), Code.INVALID_ARGUMENT)
    assert [violation.field for violation in error.field_violations] == [
        "configuration.secrets[0].name",
        "configuration.endpoints[1].name",
    ]


def test_secrets_without_a_value_are_pending(service: GatewayService):
    apply(service, small())
    request = resolution_pb2.ResolveGatewayEndpointRequest(names=["support"])
    refused(lambda: service.resolve_gateway_endpoint(request), Code.FAILED_PRECONDITION, "SECRET_VALUE_MISSING")
    value = [pb.GatewaySecretAssignment(name="support-key", secret_value={"api_key": "sk-one"})]
    apply(service, small(), secret_values=value)
    resolved = service.resolve_gateway_endpoint(request).endpoints[0].models[0]
    assert dict(resolved.secret_value) == {"api_key": "sk-one"}
    assert not plan(service, small(), secret_values=value).changes
    other = [pb.GatewaySecretAssignment(name="support-key", secret_value={"api_key": "sk-two"})]
    [changed] = plan(service, small(), secret_values=other).changes
    assert [note.kind for note in changed.notes] == [pb.GATEWAY_PLAN_NOTE_KIND_SECRET_VALUE_CHANGES]
    assert [(each.path, each.HasField("before")) for each in changed.fields] == [("secret_value", False)]
    token = SCOPE.set(AccessScope.READ)
    try:
        refused(lambda: plan(service, small(), secret_values=other), Code.PERMISSION_DENIED)
        assert not plan(service, small()).changes
    finally:
        SCOPE.reset(token)


def test_a_stored_value_never_goes_to_another_address(service: GatewayService):
    value = [pb.GatewaySecretAssignment(name="support-key", secret_value={"api_key": "sk-one"})]
    apply(service, small(), secret_values=value)
    moved = small()
    moved.secrets[0].auth_config["api_base"] = "https://elsewhere.example.com/v1"
    error = refused(lambda: apply(service, moved), Code.INVALID_ARGUMENT)
    assert [violation.field for violation in error.field_violations] == ['configuration.secrets[0].auth_config["api_base"]']
    apply(service, moved, secret_values=value)
    back = pb.RollbackGatewayConfigurationRequest(to_revision=1)
    refused(lambda: service.rollback_gateway_configuration(back), Code.INVALID_ARGUMENT)
    back.secret_values.extend(value)
    service.rollback_gateway_configuration(back)
    assert export(service) == export(service, at_revision=1)


def test_a_rollback_keeps_rotated_values_and_names_them_in_its_plan(service: GatewayService):
    value = [pb.GatewaySecretAssignment(name="support-key", secret_value={"api_key": "sk-one"})]
    apply(service, small(), secret_values=value)
    secret = service.get_gateway_secret_info(secret_pb2.GetGatewaySecretInfoRequest(secret_name="support-key")).secret
    service.update_gateway_secret(
        secret_pb2.UpdateGatewaySecretRequest(secret_id=secret.secret_id, secret_value={"api_key": "sk-two"})
    )
    planned = service.plan_gateway_configuration(pb.PlanGatewayConfigurationRequest(to_revision=1)).plan
    assert not planned.changes
    [effect] = planned.effects
    assert (effect.name, effect.notes[0].kind) == ("support-key", pb.GATEWAY_PLAN_NOTE_KIND_SECRET_ROTATED_SINCE)
    service.rollback_gateway_configuration(pb.RollbackGatewayConfigurationRequest(to_revision=1))
    resolve = resolution_pb2.ResolveGatewayEndpointRequest(names=["support"])
    assert dict(service.resolve_gateway_endpoint(resolve).endpoints[0].models[0].secret_value) == {"api_key": "sk-two"}


def test_budget_policies_are_matched_before_any_is_made(service: GatewayService):
    def policies(*given: tuple[float, int, str]) -> pb.GatewayConfiguration:
        made = pb.GatewayConfiguration(owner="team")
        for amount, days, action in given:
            made.budget_policies.add(
                target_scope="GLOBAL",
                budget_unit="USD",
                budget_amount=amount,
                duration=budget_pb2.BudgetDuration(unit="DAYS", value=days),
                budget_action=action,
            )
        return made

    def stored() -> dict[str, tuple[float, int]]:
        listed = service.list_gateway_budget_policies(budget_pb2.ListGatewayBudgetPoliciesRequest()).budget_policies
        return {policy.budget_policy_id: (policy.budget_amount, policy.duration.value) for policy in listed}

    apply(service, policies((10, 1, "REJECT"), (20, 7, "ALERT")))
    first = {content: identifier for identifier, content in stored().items()}
    # The order counts nothing, and the duration more than the amount.
    response = apply(service, policies((20, 1, "REJECT"), (10, 7, "ALERT")), prune=True)
    assert (response.created, response.updated, response.deleted) == (0, 2, 0)
    assert stored() == {first[10, 1]: (20, 1), first[20, 7]: (10, 7)}
    # One that fits none is changed in place rather than replaced.
    response = apply(service, policies((20, 1, "REJECT"), (3, 30, "REJECT"), (3, 30, "REJECT")), prune=True)
    assert (response.created, response.updated, response.deleted) == (1, 1, 0)
    assert stored()[first[20, 7]] == (3, 30)
    token = SCOPE.set(AccessScope.WRITE)
    try:
        refused(lambda: apply(service, policies(), prune=True), Code.PERMISSION_DENIED)
        assert apply(service, policies((20, 1, "REJECT"), (3, 30, "REJECT"), (3, 30, "REJECT")), prune=True).updated == 0
    finally:
        SCOPE.reset(token)


def test_an_apply_is_one_line_of_the_log_with_its_effects(service: GatewayService):
    apply(service, small(), updated_by="ann", request_id="once")
    assert apply(service, small(), updated_by="ann", request_id="once").created == 4
    [line] = service.list_gateway_changes(change.ListGatewayChangesRequest()).changes
    assert (line.rpc, line.actor, line.revision) == ("ApplyGatewayConfiguration", "ann", 1)
    effects = [line.change, *line.effects]
    assert [(each.noun, each.name) for each in effects] == [
        ("secret", "support-key"),
        ("model_definition", "support-chat"),
        ("endpoint", "support"),
        ("budget_policy", "ENDPOINT support, 5 USD per 1 DAYS, REJECT"),
    ]
    assert ("owner", "", '"team"') in {(field.path, field.before, field.after) for field in effects[2].fields}


def test_the_log_tells_what_changed_and_is_filtered(service: GatewayService):
    apply(service, small(), updated_by="ann")
    found = service.get_gateway_model_definition(
        model_definition_pb2.GetGatewayModelDefinitionRequest(name="support-chat")
    ).model_definition
    service.update_gateway_model_definition(
        model_definition_pb2.UpdateGatewayModelDefinitionRequest(
            model_definition_id=found.model_definition_id, model_name="gpt-5", updated_by="bob"
        )
    )
    apply(service, small("other", "unrelated"), updated_by="ann")

    def listed(**fields: Any) -> list[int]:
        request = change.ListGatewayChangesRequest(**fields)
        revisions: list[int] = []
        while True:
            response = service.list_gateway_changes(request)
            revisions += [each.revision for each in response.changes]
            request.page_token = response.next_page_token
            if not response.next_page_token:
                return revisions

    line = service.list_gateway_changes(change.ListGatewayChangesRequest(since_revision=1)).changes[0]
    assert [(each.path, each.before, each.after) for each in line.change.fields] == [("model_name", '"gpt-4o"', '"gpt-5"')]
    assert [(each.noun, each.name, len(each.fields)) for each in line.effects] == [("endpoint", "support", 0)]
    for size in (1, 2, 0):
        assert listed(actor="ann", page_size=size) == [1, 3]
        assert listed(newest_first=True, page_size=size) == [3, 2, 1]
    assert listed(actor="ann", newest_first=True) == [3, 1]
    assert listed(noun="endpoint", name="support") == [1, 2]
    assert listed(name="unrelated-key") == [3]
    assert listed(noun="endpoint", name="unrelated-key") == []
    assert listed(until_revision=2, since_revision=1) == [2]
    assert listed(changed_since=line.changed_at + 10**9) == []
    assert listed(changed_before=line.changed_at + 10**9) == [1, 2, 3]


def test_eight_concurrent_appliers_lose_nothing_of_each_other(service: GatewayService):
    """Nor does anything conflict: a ninth writer changes an endpoint that has no owner all the time."""
    rounds, failures = profiles.count(40, 3), []
    free = small("")
    apply(service, free)
    identifier = service.get_gateway_endpoint(endpoint_pb2.GetGatewayEndpointRequest(name="support")).endpoint.endpoint_id
    ends = threading.Event()

    def run(number: int) -> None:
        rng = random.Random(number)
        owner = f"owner{number}"
        try:
            for _ in range(rounds):
                wanted = configuration(rng, owner=owner, prefix=owner, most=4)
                basis = plan(service, wanted, prune=True).basis
                apply(service, wanted, prune=True, basis=basis)
                mine = pb.GatewayConfiguration.FromString(export(service, owner=owner))
                assert not plan(service, wanted, prune=True).changes
                assert sorted(each.name for each in mine.endpoints) == sorted(each.name for each in wanted.endpoints)
        except Exception as error:
            failures.append(error)

    def write() -> None:
        try:
            for number in itertools.count():
                # The store has one writer at a time, and this service does not retry as clients do.
                if ends.wait(0.02):
                    return
                tag = endpoint_pb2.SetGatewayEndpointTagRequest(endpoint_id=identifier, key="k", value=f"{number}")
                service.set_gateway_endpoint_tag(tag)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    writer = threading.Thread(target=write)
    for thread in (writer, *threads):
        thread.start()
    for thread in threads:
        thread.join(60)
    ends.set()
    writer.join(60)
    assert not failures
    assert [each.name for each in pb.GatewayConfiguration.FromString(export(service)).endpoints].count("support") == 1
