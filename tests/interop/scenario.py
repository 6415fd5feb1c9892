"""Calls of the live lifecycle in their order: every method of the contract at least once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway_entities import methods as m
from gateway_entities.errors import Code
from tests.interop.spending import spending

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from tests.interop.lifecycle import Lifecycle

API_KEY = "sk-interop-3f1c9a7e52"


def scenario(run: Lifecycle) -> None:
    """Create one of each resource, read and update it, cause the errors, and delete all."""
    secret = _secret(run)
    definitions = _definitions(run, secret)
    endpoint = _endpoint(run, definitions)
    _tag(run, endpoint)
    _binding(run, endpoint)
    _budget(run, endpoint)
    spending(run, endpoint)
    _guardrail(run, endpoint)
    _resolution(run, endpoint)
    _errors(run, definitions[0])
    _configuration(run)
    run.write(m.DELETE_GATEWAY_ENDPOINT, m.DELETE_GATEWAY_ENDPOINT.request_type(endpoint_id=endpoint))
    for definition in definitions:
        request = m.DELETE_GATEWAY_MODEL_DEFINITION.request_type(model_definition_id=definition)
        run.write(m.DELETE_GATEWAY_MODEL_DEFINITION, request)
    run.write(m.DELETE_GATEWAY_SECRET, m.DELETE_GATEWAY_SECRET.request_type(secret_id=secret))
    run.error(m.GET_GATEWAY_SECRET_INFO, m.GET_GATEWAY_SECRET_INFO.request_type(secret_id=secret), Code.NOT_FOUND)
    for method in (m.LIST_GATEWAY_SECRET_INFOS, m.LIST_GATEWAY_MODEL_DEFINITIONS, m.LIST_GATEWAY_ENDPOINTS):
        run.read(method, method.request_type())
    run.read(m.LIST_GATEWAY_CHANGES, m.LIST_GATEWAY_CHANGES.request_type())
    _convergence(run)


def _secret(run: Lifecycle) -> str:
    request = m.CREATE_GATEWAY_SECRET.request_type(
        secret_name=f"clé {run.name}",
        secret_value={"api_key": API_KEY},
        provider="openai",
        auth_config={"auth_mode": "api_key", "": "\U0001f600"},
        created_by="interop",
    )
    response = run.write(m.CREATE_GATEWAY_SECRET, request, m.GET_GATEWAY_SECRET_INFO, "secret_id")
    secret_id: str = response.secret.secret_id
    run.read(m.GET_GATEWAY_SECRET_INFO, m.GET_GATEWAY_SECRET_INFO.request_type(secret_id=secret_id))
    update = m.UPDATE_GATEWAY_SECRET.request_type(
        secret_id=secret_id, secret_value={"api_key": API_KEY[::-1]}, updated_by="x"
    )
    run.write(m.UPDATE_GATEWAY_SECRET, update, m.GET_GATEWAY_SECRET_INFO, "secret_id")
    run.read(m.LIST_GATEWAY_SECRET_INFOS, m.LIST_GATEWAY_SECRET_INFOS.request_type(provider="openai"))
    return secret_id


def _definitions(run: Lifecycle, secret: str) -> list[str]:
    made: list[str] = []
    get, update = m.GET_GATEWAY_MODEL_DEFINITION, m.UPDATE_GATEWAY_MODEL_DEFINITION
    for position in range(3):
        request = m.CREATE_GATEWAY_MODEL_DEFINITION.request_type(
            name=f"{run.name} {position}", secret_id=secret, provider="openai", model_name=f"gpt-{position}"
        )
        response = run.write(m.CREATE_GATEWAY_MODEL_DEFINITION, request, get, "model_definition_id")
        made.append(response.model_definition.model_definition_id)
    changed = update.request_type(model_definition_id=made[0], model_name="gpt-\u6f22", updated_by="interop")
    run.write(update, changed, get, "model_definition_id")
    run.read(get, get.request_type(model_definition_id=made[1]))
    listed = m.LIST_GATEWAY_MODEL_DEFINITIONS
    run.read(listed, listed.request_type(secret_id=secret))
    return made


def _endpoint(run: Lifecycle, definitions: list[str]) -> str:
    create, get = m.CREATE_GATEWAY_ENDPOINT, m.GET_GATEWAY_ENDPOINT
    configs = [
        {"model_definition_id": definitions[0], "linkage_type": "PRIMARY", "weight": 0.1},
        {"model_definition_id": definitions[1], "linkage_type": "FALLBACK", "fallback_order": 1},
    ]
    request = create.request_type(
        name=run.name,
        model_configs=configs,
        routing_strategy="REQUEST_BASED_TRAFFIC_SPLIT",
        fallback_config={"strategy": "SEQUENTIAL", "max_attempts": 2},
        usage_tracking=False,
    )
    endpoint_id: str = run.write(create, request, get, "endpoint_id").endpoint.endpoint_id
    run.read(get, get.request_type(endpoint_id=endpoint_id))
    attach, detach = m.ATTACH_MODEL_TO_GATEWAY_ENDPOINT, m.DETACH_MODEL_FROM_GATEWAY_ENDPOINT
    third = {"model_definition_id": definitions[2], "linkage_type": "PRIMARY", "weight": 1 / 3}
    run.write(attach, attach.request_type(endpoint_id=endpoint_id, model_config=third))
    run.read(get, get.request_type(name=run.name))
    run.write(detach, detach.request_type(endpoint_id=endpoint_id, model_definition_id=definitions[2]))
    update = m.UPDATE_GATEWAY_ENDPOINT
    changed = update.request_type(endpoint_id=endpoint_id, usage_tracking=True, updated_by="x")
    run.write(update, changed, get, "endpoint_id")
    run.read(m.LIST_GATEWAY_ENDPOINTS, m.LIST_GATEWAY_ENDPOINTS.request_type())
    return endpoint_id


def _tag(run: Lifecycle, endpoint: str) -> None:
    set_tag, delete_tag, get = m.SET_GATEWAY_ENDPOINT_TAG, m.DELETE_GATEWAY_ENDPOINT_TAG, m.GET_GATEWAY_ENDPOINT
    for key in ("team", "équipe"):
        run.write(set_tag, set_tag.request_type(endpoint_id=endpoint, key=key, value="\U0001f600"))
        run.read(get, get.request_type(endpoint_id=endpoint))
    run.write(delete_tag, delete_tag.request_type(endpoint_id=endpoint, key="équipe"))


def _binding(run: Lifecycle, endpoint: str) -> None:
    create, delete = m.CREATE_GATEWAY_ENDPOINT_BINDING, m.DELETE_GATEWAY_ENDPOINT_BINDING
    listed = m.LIST_GATEWAY_ENDPOINT_BINDINGS
    names = {"endpoint_id": endpoint, "resource_type": "scorer", "resource_id": f"job {run.name}"}
    run.write(create, create.request_type(**names))
    run.read(listed, listed.request_type(endpoint_id=endpoint))
    run.write(delete, delete.request_type(**names))
    run.read(listed, listed.request_type(endpoint_id=endpoint))


def _budget(run: Lifecycle, endpoint: str) -> None:
    create, get = m.CREATE_GATEWAY_BUDGET_POLICY, m.GET_GATEWAY_BUDGET_POLICY
    request = create.request_type(
        budget_unit="USD",
        budget_amount=0.1 + 0.2,
        duration={"unit": "DAYS", "value": 7},
        target_scope="GLOBAL",
        budget_action="REJECT",
    )
    policy: str = run.write(create, request, get, "budget_policy_id").budget_policy.budget_policy_id
    run.read(get, get.request_type(budget_policy_id=policy))
    update = m.UPDATE_GATEWAY_BUDGET_POLICY
    changed: Message = update.request_type(budget_policy_id=policy, budget_amount=1e300)
    run.write(update, changed, get, "budget_policy_id")
    run.read(m.LIST_GATEWAY_BUDGET_POLICIES, m.LIST_GATEWAY_BUDGET_POLICIES.request_type())
    spend = m.RECORD_GATEWAY_SPEND
    charge = spend.request_type(endpoint_id=endpoint, amount_nanos=123_456_789, budget_unit="USD", request_id=run.name)
    run.write(spend, charge)
    run.read(m.CHECK_GATEWAY_BUDGET, m.CHECK_GATEWAY_BUDGET.request_type(endpoint_id=endpoint))
    run.read(m.LIST_GATEWAY_BUDGET_WINDOWS, m.LIST_GATEWAY_BUDGET_WINDOWS.request_type())
    run.write(m.DELETE_GATEWAY_BUDGET_POLICY, m.DELETE_GATEWAY_BUDGET_POLICY.request_type(budget_policy_id=policy))


def _guardrail(run: Lifecycle, endpoint: str) -> None:
    create, get, listed = m.CREATE_GATEWAY_GUARDRAIL, m.GET_GATEWAY_GUARDRAIL, m.LIST_GATEWAY_GUARDRAILS
    request = create.request_type(
        name=f"{run.name} \u6f22",
        scorer_id="scorer",
        scorer_version=3,
        stage="AFTER",
        action="SANITIZATION",
        action_endpoint_id=endpoint,
        scorer={"experiment_id": -1, "scorer_name": "\U0001f600", "serialized_scorer": "{}", "creation_time": 1 << 40},
    )
    guardrail: str = run.write(create, request, get, "guardrail_id").guardrail.guardrail_id
    run.read(get, get.request_type(guardrail_id=guardrail))
    run.read(listed, listed.request_type())
    key = {"endpoint_id": endpoint, "guardrail_id": guardrail}
    add, update, remove = (
        m.ADD_GUARDRAIL_TO_ENDPOINT,
        m.UPDATE_ENDPOINT_GUARDRAIL_CONFIG,
        m.REMOVE_GUARDRAIL_FROM_ENDPOINT,
    )
    run.write(add, add.request_type(**key, execution_order=-(2**63)))
    run.write(update, update.request_type(**key, execution_order=2**63 - 1))
    configs = m.LIST_ENDPOINT_GUARDRAIL_CONFIGS
    run.read(configs, configs.request_type(endpoint_id=endpoint))
    run.write(remove, remove.request_type(**key))
    run.write(m.DELETE_GATEWAY_GUARDRAIL, m.DELETE_GATEWAY_GUARDRAIL.request_type(guardrail_id=guardrail))


def _configuration(run: Lifecycle) -> None:
    """Plan and apply a configuration, return to the revision before it, and export both states."""
    export, plan = m.EXPORT_GATEWAY_CONFIGURATION, m.PLAN_GATEWAY_CONFIGURATION
    apply, rollback = m.APPLY_GATEWAY_CONFIGURATION, m.ROLLBACK_GATEWAY_CONFIGURATION
    before = run.read(export, export.request_type(with_bindings=True)).revision
    name, endpoint = f"{run.name} \u6f22", f"{run.name}.applied"
    wanted: dict[str, Any] = {
        "owner": name,
        "secrets": [{"name": name, "provider": "openai", "auth_config": {"": "\U0001f600"}}],
        "model_definitions": [{"name": name, "secret": name, "provider": "openai", "model_name": "gpt-4o"}],
        "endpoints": [
            {
                "name": endpoint,
                "models": [{"model_definition": name, "linkage_type": "PRIMARY", "weight": 0.1}],
                "tags": {"team": "\u00e9"},
                "bindings": {"items": [{"resource_type": "scorer", "resource_id": "a"}]},
            }
        ],
        "budget_policies": [
            {
                "target_scope": "ENDPOINT",
                "target_value": endpoint,
                "budget_unit": "USD",
                "budget_amount": 0.1 + 0.2,
                "duration": {"unit": "MONTHS", "value": 1},
                "budget_action": "ALERT",
            }
        ],
        "guardrails": [
            {
                "name": name,
                "scorer_id": "scorer",
                "scorer_version": 1,
                "stage": "BEFORE",
                "action": "VALIDATION",
                "endpoints": [{"name": endpoint, "execution_order": -(2**63)}],
            }
        ],
    }
    values = [{"name": name, "secret_value": {"api_key": API_KEY}}]
    run.error(plan, plan.request_type(configuration={"owner": name, "secrets": [{}]}), Code.INVALID_ARGUMENT)
    planned = run.read(plan, plan.request_type(configuration=wanted, secret_values=values)).plan
    run.read(
        apply,
        apply.request_type(configuration=wanted, secret_values=values, basis=planned.basis, request_id=f"apply {run.name}"),
    )
    run.read(export, export.request_type(owner=name, with_bindings=True))
    run.read(plan, plan.request_type(to_revision=before))
    run.read(rollback, rollback.request_type(to_revision=before, request_id=f"rollback {run.name}"))
    run.read(export, export.request_type(at_revision=before))


def _resolution(run: Lifecycle, endpoint: str) -> None:
    """Callers without a token resolve nothing, and so there are no accesses."""
    resolve = m.RESOLVE_GATEWAY_ENDPOINT
    run.error(resolve, resolve.request_type(endpoint_ids=[endpoint]), Code.FAILED_PRECONDITION)
    run.read(m.LIST_GATEWAY_SECRET_ACCESSES, m.LIST_GATEWAY_SECRET_ACCESSES.request_type(endpoint_id=endpoint))


def _convergence(run: Lifecycle) -> None:
    """A caller without a token is no node."""
    for method in (m.ACKNOWLEDGE_GATEWAY_REVISION, m.REFUSE_GATEWAY_REVISION):
        run.error(method, method.request_type(), Code.FAILED_PRECONDITION)
    run.error(m.WAIT_FOR_GATEWAY_CONVERGENCE, m.WAIT_FOR_GATEWAY_CONVERGENCE.request_type(), Code.INVALID_ARGUMENT)
    run.error(m.LIST_GATEWAY_NODES, m.LIST_GATEWAY_NODES.request_type(page_size=-1), Code.INVALID_ARGUMENT)


def _errors(run: Lifecycle, definition: str) -> None:
    """Cause every kind of error: several violations, a duplicate name, an unknown name, and a resource in use."""
    create: Any = m.CREATE_GATEWAY_ENDPOINT
    wrong = create.request_type(name="", model_configs=[{"weight": -1.0}, {"model_definition_id": "d-none"}])
    run.error(create, wrong, Code.INVALID_ARGUMENT)
    taken = m.CREATE_GATEWAY_SECRET.request_type(
        secret_name=f"clé {run.name}", secret_value={"api_key": API_KEY}, provider="x"
    )
    run.error(m.CREATE_GATEWAY_SECRET, taken, Code.ALREADY_EXISTS)
    unknown = m.GET_GATEWAY_ENDPOINT.request_type(name="n'existe pas: \u6f22 %20\n\U0001f600")
    run.error(m.GET_GATEWAY_ENDPOINT, unknown, Code.NOT_FOUND)
    run.error(m.DELETE_GATEWAY_SECRET, m.DELETE_GATEWAY_SECRET.request_type(), Code.INVALID_ARGUMENT)
    used = m.DELETE_GATEWAY_MODEL_DEFINITION.request_type(model_definition_id=definition)
    run.error(m.DELETE_GATEWAY_MODEL_DEFINITION, used, Code.FAILED_PRECONDITION)
