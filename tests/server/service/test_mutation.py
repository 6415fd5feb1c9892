"""Every mutation takes effect once, returns its revision and etag, and has an entry in the change log."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway_entities import methods
from gateway_entities.entities import GatewayChangeEffect
from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.service.context import CALLER
from gateway_entities.server.service.writes.idempotency import IDEMPOTENCY_WINDOW_MS
from gatewayentities.v1 import binding_pb2, endpoint_pb2, guardrail_pb2, model_definition_pb2, secret_pb2
from tests.mutations import (
    CANARY,
    GUARDED,
    LOGGED,
    METHOD_OF,
    NAMED,
    REQUESTS,
    SINGLE,
    Resources,
    create_binding,
    create_endpoint,
    create_policy,
    create_secret,
    of_other_content,
    prepare,
    subject,
)
from tests.replay import consistent, identifier, log, stored

every_mutation = pytest.mark.parametrize("method", SINGLE, ids=lambda method: method.name)
every_named = pytest.mark.parametrize("method", NAMED, ids=lambda method: method.name)
every_guarded = pytest.mark.parametrize("method", GUARDED, ids=lambda method: method.name)

STALE = "0" * 32


@pytest.fixture
def resources(gateway: Any) -> Resources:
    return prepare(gateway.do)


def test_every_mutating_rpc_is_covered() -> None:
    assert set(REQUESTS) == set(NAMED)
    spending = {"RecordGatewaySpend", "ReserveGatewaySpend"}
    assert {method.name for method in set(NAMED) - set(LOGGED)} == spending, "it is not in the change log"
    creates = {method for method in SINGLE if method.name.startswith(("Create", "Add"))}
    assert set(SINGLE) == set(GUARDED) | creates, "a created resource has no etag before"


class TestLog:
    @every_mutation
    def test_each_mutation_appends_an_entry_with_the_etags_before_and_after(
        self, gateway: Any, resources: Resources, method: Any
    ) -> None:
        before, earlier = stored(gateway.do), consistent(gateway.do)
        response = gateway.do(REQUESTS[method](resources))
        after, lines = stored(gateway.do), consistent(gateway.do)
        assert lines[:-1] == earlier
        line = lines[-1]
        assert (line.revision, line.rpc) == (len(lines), method.name)
        assert response.revision == line.revision
        assert getattr(response, "etag", None) == line.change.etag_after
        logged = {
            (effect.noun, effect.id): (effect.etag_before, effect.etag_after) for effect in [line.change, *line.effects]
        }
        changed = {key: (before.get(key), after.get(key)) for key in before | after if before.get(key) != after.get(key)}
        assert changed == logged
        assert changed

    def test_a_mutation_without_changes_has_an_entry_without_effects(self, gateway: Any, resources: Resources) -> None:
        response = gateway.do(endpoint_pb2.DeleteGatewayEndpointTagRequest(endpoint_id=resources.endpoint_id, key="never"))
        line = consistent(gateway.do)[-1]
        name = gateway.do(endpoint_pb2.GetGatewayEndpointRequest(endpoint_id=resources.endpoint_id)).endpoint.name
        assert line.change == GatewayChangeEffect("endpoint", resources.endpoint_id, response.etag, response.etag, name)
        assert line.effects == []

    def test_deleting_a_secret_affects_its_models_and_their_endpoints(self, gateway: Any, resources: Resources) -> None:
        gateway.do(secret_pb2.DeleteGatewaySecretRequest(secret_id=resources.secret_id))
        line = consistent(gateway.do)[-1]
        assert (line.change.noun, line.change.id, line.change.etag_after) == ("secret", resources.secret_id, None)
        assert {(effect.noun, effect.id) for effect in line.effects} == {
            ("model_definition", resources.model_id),
            ("model_definition", resources.second_id),
            ("model_definition", resources.spare_id),
            ("endpoint", resources.endpoint_id),
        }
        assert all(effect.etag_after for effect in line.effects)

    def test_updating_a_model_affects_its_endpoints(self, gateway: Any, resources: Resources) -> None:
        other = gateway.do(create_endpoint(resources.second_id)).endpoint.endpoint_id
        request = model_definition_pb2.UpdateGatewayModelDefinitionRequest(
            model_definition_id=resources.second_id, provider="anthropic"
        )
        gateway.do(request)
        line = consistent(gateway.do)[-1]
        assert {(effect.noun, effect.id) for effect in line.effects} == {
            ("endpoint", resources.endpoint_id),
            ("endpoint", other),
        }

    def test_deleting_an_endpoint_affects_its_bindings_budgets_and_guardrails(
        self, gateway: Any, resources: Resources
    ) -> None:
        second = gateway.do(create_policy(resources.endpoint_id)).budget_policy.budget_policy_id
        gateway.do(endpoint_pb2.DeleteGatewayEndpointRequest(endpoint_id=resources.endpoint_id))
        line = consistent(gateway.do)[-1]
        assert {(effect.noun, effect.id) for effect in line.effects} == {
            ("binding", f"{resources.endpoint_id}/scorer/{resources.resource_id}"),
            ("budget_policy", resources.policy_id),
            ("budget_policy", second),
            ("guardrail_config", f"{resources.endpoint_id}/{resources.guardrail_id}"),
            ("guardrail", resources.guardrail_id),
            ("guardrail", resources.spare_guardrail_id),
        }
        # The guardrails stay: only their action endpoint is gone.
        assert {effect.noun for effect in line.effects if effect.etag_after is not None} == {"guardrail"}

    @every_mutation
    def test_a_failed_mutation_has_no_entry(self, gateway: Any, resources: Resources, method: Any) -> None:
        request = REQUESTS[method](resources)
        gateway.do(endpoint_pb2.DeleteGatewayEndpointRequest(endpoint_id=resources.endpoint_id))
        for gone in (resources.model_id, resources.second_id, resources.spare_id):
            gateway.do(model_definition_pb2.DeleteGatewayModelDefinitionRequest(model_definition_id=gone))
        gateway.do(secret_pb2.DeleteGatewaySecretRequest(secret_id=resources.secret_id))
        for gone in (resources.guardrail_id, resources.spare_guardrail_id):
            gateway.do(guardrail_pb2.DeleteGatewayGuardrailRequest(guardrail_id=gone))
        if method is methods.CREATE_GATEWAY_SECRET:
            gateway.do(request)
        lines = consistent(gateway.do)
        assert gateway.refused(request).code in {Code.NOT_FOUND, Code.ALREADY_EXISTS}
        assert consistent(gateway.do) == lines

    def test_the_authenticated_caller_takes_precedence_over_created_by(self, gateway: Any) -> None:
        request = create_secret()
        request.created_by = "ann"
        gateway.do(request)
        token = CALLER.set("robot")
        try:
            again = create_secret()
            again.created_by = "ann"
            made = gateway.do(again).secret
        finally:
            CALLER.reset(token)
        gateway.do(create_secret())
        assert [line.actor for line in log(gateway.do)] == ["ann", "robot", None]
        assert (made.created_by, made.last_updated_by) == ("robot", "robot")

    def test_pages_start_after_since_revision(self, gateway: Any, resources: Resources) -> None:
        whole = log(gateway.do)
        assert [log(gateway.do, since) for since in range(len(whole) + 2)] == [whole[n:] for n in range(len(whole) + 2)]
        page = gateway.do(methods.LIST_GATEWAY_CHANGES.request_type(since_revision=2, page_size=3))
        assert [change.revision for change in page.changes] == [3, 4, 5]
        assert page.revision == len(whole)
        assert log(gateway.do, 2**63 - 1) == []

    def test_the_log_never_contains_a_secret(self, gateway: Any, resources: Resources) -> None:
        for method in sorted(LOGGED, key=lambda method: method.name.startswith("Delete")):
            with suppress(GatewayError):  # It may have been deleted together with another resource.
                gateway.do(named(REQUESTS[method](resources), f"of {method.name}"))
        assert all(CANARY.encode() not in line.to_bytes() for line in consistent(gateway.do))
        for table in ("changes", "answers"):
            rows = gateway.place.execute(f"SELECT * FROM {table}")
            assert len(rows) > 10
            assert all(CANARY not in str(value) for row in rows for value in row)


class TestEtags:
    @every_guarded
    def test_a_stale_etag_aborts_without_changes(self, gateway: Any, resources: Resources, method: Any) -> None:
        before, lines = stored(gateway.do), log(gateway.do)
        request = REQUESTS[method](resources)
        request.etag = STALE
        error = gateway.refused(request)
        assert (error.code, error.reason) == (Code.ABORTED, "STALE_ETAG")
        assert (stored(gateway.do), log(gateway.do)) == (before, lines)

    @every_guarded
    def test_a_current_etag_is_accepted_once(self, gateway: Any, resources: Resources, method: Any) -> None:
        request = REQUESTS[method](resources)
        before = stored(gateway.do)
        request.etag = before[_key(gateway, request)]
        gateway.do(request)
        assert stored(gateway.do) != before
        # NOT_FOUND if the first request deleted the resource.
        assert gateway.refused(request).code in {Code.ABORTED, Code.NOT_FOUND}

    @every_guarded
    def test_two_updates_in_one_millisecond_have_different_etags(
        self, gateway: Any, resources: Resources, method: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("time.time_ns", lambda: 1_700_000_000_000_000_000)
        request = REQUESTS[method](resources)
        first = gateway.do(request)
        # The state of a guardrail config has no time, so that the same state has the same etag.
        if method.name.startswith("Update") and method is not methods.UPDATE_ENDPOINT_GUARDRAIL_CONFIG:
            assert gateway.do(request).etag != first.etag
        consistent(gateway.do)

    @pytest.mark.parametrize("etag", ["x", "0" * 31, "0" * 33, "A" * 32])
    def test_a_malformed_etag_is_invalid(self, gateway: Any, resources: Resources, etag: str) -> None:
        error = gateway.refused(secret_pb2.DeleteGatewaySecretRequest(secret_id=resources.secret_id, etag=etag))
        assert error.code is Code.INVALID_ARGUMENT
        assert {violation.field for violation in error.field_violations} == {"etag"}


class TestRepeats:
    @every_named
    def test_a_repeat_returns_the_first_response_without_effect(
        self, gateway: Any, resources: Resources, method: Any, ticks: Any
    ) -> None:
        request = named(REQUESTS[method](resources))
        first = gateway.do(request).SerializeToString(deterministic=True)
        before, lines = stored(gateway.do), log(gateway.do)
        ticks.advance(IDEMPOTENCY_WINDOW_MS - 1000)
        assert gateway.do(request).SerializeToString(deterministic=True) == first
        assert (stored(gateway.do), log(gateway.do)) == (before, lines)

    @every_named
    def test_another_content_is_invalid(self, gateway: Any, resources: Resources, method: Any) -> None:
        request = named(REQUESTS[method](resources))
        gateway.do(request)
        before = stored(gateway.do)
        error = gateway.refused(of_other_content(request))
        assert error.code is Code.INVALID_ARGUMENT
        assert [violation.field for violation in error.field_violations] == ["request_id"]
        assert stored(gateway.do) == before

    def test_a_request_id_belongs_to_one_rpc(self, gateway: Any, resources: Resources) -> None:
        gateway.do(named(create_secret()))
        error = gateway.refused(named(create_endpoint(resources.model_id)))
        assert [violation.field for violation in error.field_violations] == ["request_id"]

    def test_a_request_id_belongs_to_one_caller(self, gateway: Any) -> None:
        request = named(create_secret())
        gateway.do(request)
        token = CALLER.set("robot")
        try:
            assert gateway.refused(request).code is Code.INVALID_ARGUMENT
        finally:
            CALLER.reset(token)

    @pytest.mark.parametrize("others", [0, 20])
    def test_a_request_id_can_be_used_again_after_24_hours(
        self, gateway: Any, resources: Resources, ticks: Any, others: int
    ) -> None:
        """Also when more responses have expired than one mutation prunes."""
        for number in range(others):
            gateway.do(named(create_secret(), f"other {number}"))
        request = named(create_binding(resources.endpoint_id, "once"))
        gateway.do(request)
        gateway.do(binding_pb2.DeleteGatewayEndpointBindingRequest(**{**resources.binding, "resource_id": "once"}))
        ticks.advance(IDEMPOTENCY_WINDOW_MS + 1)
        lines = log(gateway.do)
        gateway.do(request)
        assert len(log(gateway.do)) == len(lines) + 1
        ticks.advance(1000)
        gateway.do(request)
        assert len(log(gateway.do)) == len(lines) + 1, "its response is stored again"

    def test_errors_are_not_stored(self, gateway: Any, resources: Resources) -> None:
        request = named(create_binding("e-none", "once"))
        assert gateway.refused(request).code is Code.NOT_FOUND
        assert gateway.refused(request).code is Code.NOT_FOUND
        gateway.do(named(create_binding(resources.endpoint_id, "once")))

    def test_a_repeat_with_an_etag_is_not_aborted(self, gateway: Any, resources: Resources) -> None:
        """Although its etag is stale by then."""
        request = named(REQUESTS[methods.UPDATE_GATEWAY_ENDPOINT](resources))
        etag = stored(gateway.do)["endpoint", resources.endpoint_id]
        request.etag = etag
        assert gateway.do(request) == gateway.do(request)


def named(request: Any, name: str = "a name") -> Any:
    request.request_id = name
    return request


def _key(gateway: Any, request: Any) -> tuple[str, str]:
    """The noun and id that the change log has for the resource of a request."""
    resource = subject(gateway.do, request)
    nouns = {
        "GatewaySecretInfo": "secret",
        "GatewayModelDefinition": "model_definition",
        "GatewayEndpoint": "endpoint",
        "GatewayEndpointBinding": "binding",
        "GatewayBudgetPolicy": "budget_policy",
        "GatewayGuardrail": "guardrail",
        "GatewayGuardrailConfig": "guardrail_config",
    }
    noun = nouns[type(resource).__name__]
    return noun, identifier(noun, resource)


@settings(
    max_examples=max(10, settings().max_examples // 20),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_replaying_the_log_gives_the_stored_state(fresh_gateway: Any, data: st.DataObject) -> None:
    """Random sequences of all mutating RPCs, over resources that may be deleted or share models and secrets."""
    gateway = fresh_gateway()
    several = [prepare(gateway.do) for _ in range(2)]
    succeeded = 0
    before = len(log(gateway.do))
    for _ in range(data.draw(st.integers(1, 25))):
        # Mixed ids, such as a model of one set in an endpoint of another.
        mixed = Resources(*(getattr(data.draw(st.sampled_from(several)), name) for name in Resources.__slots__))
        request = REQUESTS[data.draw(st.sampled_from(SINGLE))](mixed)
        # Any other error fails the test.
        with suppress(_RefusedError):
            response = _unless_refused(gateway, request)
            succeeded += 1
            several.append(_grown(mixed, METHOD_OF[type(request)], response))
    assert len(consistent(gateway.do)) == before + succeeded


class _RefusedError(Exception):
    """The mutation does not apply to the current state."""


def _unless_refused(gateway: Any, request: Any) -> Any:
    try:
        return gateway.do(request)
    except GatewayError as error:
        if error.code in {Code.NOT_FOUND, Code.ALREADY_EXISTS, Code.FAILED_PRECONDITION}:
            raise _RefusedError from error
        raise


def _grown(resources: Resources, method: Any, response: Any) -> Resources:
    """Return the ids with that of the created resource in place of the old one."""
    made = {
        methods.CREATE_GATEWAY_SECRET: lambda: {"secret_id": response.secret.secret_id},
        methods.CREATE_GATEWAY_MODEL_DEFINITION: lambda: {"spare_id": response.model_definition.model_definition_id},
        methods.CREATE_GATEWAY_ENDPOINT: lambda: {"endpoint_id": response.endpoint.endpoint_id},
        methods.CREATE_GATEWAY_ENDPOINT_BINDING: lambda: {"resource_id": response.binding.resource_id},
        methods.CREATE_GATEWAY_BUDGET_POLICY: lambda: {"policy_id": response.budget_policy.budget_policy_id},
    }
    return replace(resources, **made.get(method, dict)())
