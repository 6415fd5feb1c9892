"""A valid request of every RPC with a request_id, on resources created for it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import Message

from gateway_entities import methods
from gateway_entities.methods import METHODS, Method
from gatewayentities.v1 import (
    binding_pb2,
    budget_pb2,
    configuration_pb2,
    endpoint_pb2,
    guardrail_pb2,
    model_definition_pb2,
    secret_pb2,
    spend_pb2,
)

Do = Callable[[Any], Any]
"""Sends a request message and returns the response message, or raises GatewayError."""

METHOD_OF: Final[Mapping[type[Message], Method[Any, Any]]] = {method.request_type: method for method in METHODS}
NAMED: Final = tuple(method for method in METHODS if method.has_request_id)
"""RPCs with a request_id."""
GUARDED: Final = tuple(method for method in METHODS if "etag" in method.request_type.DESCRIPTOR.fields_by_name)
"""RPCs with an etag."""
LOGGED: Final = tuple(method for method in NAMED if "revision" in method.response_type.DESCRIPTOR.fields_by_name)
"""RPCs that write to the change log."""
SINGLE: Final = tuple(m for m in LOGGED if not m.name.endswith(("GatewayConfiguration", "AdjustGatewaySpend")))
"""Those of them that change one resource. A correction of spending leaves the policy as it is."""

CANARY: Final = "sk-canary-31f2b8c47d5e4a09"
"""A secret value that must not appear anywhere."""


def new_name(stem: str) -> str:
    """Return a unique name."""
    return f"{stem}-{uuid.uuid4().hex[:12]}"


@dataclass(frozen=True, slots=True)
class Resources:
    """One of each resource: an endpoint with two models of one secret, its binding, budget and guardrail; what is unused."""

    secret_id: str
    model_id: str
    second_id: str
    spare_id: str
    endpoint_id: str
    resource_id: str
    policy_id: str
    guardrail_id: str
    spare_guardrail_id: str

    @property
    def binding(self) -> dict[str, str]:
        return {"endpoint_id": self.endpoint_id, "resource_type": "scorer", "resource_id": self.resource_id}

    @property
    def config(self) -> dict[str, str]:
        return {"endpoint_id": self.endpoint_id, "guardrail_id": self.guardrail_id}


def prepare(do: Do, **scorer: Any) -> Resources:
    """Create one of each resource; the scorer is that of its guardrails."""
    secret_id = do(create_secret()).secret.secret_id
    first, second, spare = (do(create_definition(secret_id)).model_definition.model_definition_id for _ in range(3))
    endpoint_id = do(create_endpoint(first, second)).endpoint.endpoint_id
    do(endpoint_pb2.SetGatewayEndpointTagRequest(endpoint_id=endpoint_id, key="team", value="search"))
    resource_id = new_name("resource")
    do(create_binding(endpoint_id, resource_id))
    policy_id = do(create_policy(endpoint_id)).budget_policy.budget_policy_id
    used, unused = (do(create_guardrail(endpoint_id, **scorer)).guardrail.guardrail_id for _ in range(2))
    do(guardrail_pb2.AddGuardrailToEndpointRequest(endpoint_id=endpoint_id, guardrail_id=used, execution_order=1))
    return Resources(secret_id, first, second, spare, endpoint_id, resource_id, policy_id, used, unused)


def deletions(made: Resources) -> list[Any]:
    """Return the requests that delete it all, what refers to others first."""
    models = (made.model_id, made.second_id, made.spare_id)
    return [
        endpoint_pb2.DeleteGatewayEndpointRequest(endpoint_id=made.endpoint_id),
        *(
            guardrail_pb2.DeleteGatewayGuardrailRequest(guardrail_id=each)
            for each in (made.guardrail_id, made.spare_guardrail_id)
        ),
        *(model_definition_pb2.DeleteGatewayModelDefinitionRequest(model_definition_id=model) for model in models),
        secret_pb2.DeleteGatewaySecretRequest(secret_id=made.secret_id),
    ]


def create_secret() -> secret_pb2.CreateGatewaySecretRequest:
    # Several values, because a map is unordered.
    values = {"api_key": CANARY, **{f"part_{number}": CANARY for number in range(8)}}
    return secret_pb2.CreateGatewaySecretRequest(secret_name=new_name("secret"), secret_value=values, provider="openai")


def create_definition(secret_id: str) -> model_definition_pb2.CreateGatewayModelDefinitionRequest:
    return model_definition_pb2.CreateGatewayModelDefinitionRequest(
        name=new_name("model"), secret_id=secret_id, provider="openai", model_name="gpt-4o"
    )


def create_endpoint(*model_ids: str) -> endpoint_pb2.CreateGatewayEndpointRequest:
    return endpoint_pb2.CreateGatewayEndpointRequest(
        name=new_name("endpoint"), model_configs=[_primary(model_id) for model_id in model_ids], usage_tracking=False
    )


def create_binding(endpoint_id: str, resource_id: str) -> binding_pb2.CreateGatewayEndpointBindingRequest:
    return binding_pb2.CreateGatewayEndpointBindingRequest(
        endpoint_id=endpoint_id, resource_type="scorer", resource_id=resource_id
    )


def create_policy(endpoint_id: str) -> budget_pb2.CreateGatewayBudgetPolicyRequest:
    return budget_pb2.CreateGatewayBudgetPolicyRequest(
        budget_unit="USD",
        budget_amount=100.0,
        duration=budget_pb2.BudgetDuration(unit="DAYS", value=1),
        target_scope="ENDPOINT",
        target_value=endpoint_id,
        budget_action="ALERT",
    )


def create_guardrail(
    endpoint_id: str, scorer_id: str = "scorer-1", scorer_version: int = 1
) -> guardrail_pb2.CreateGatewayGuardrailRequest:
    return guardrail_pb2.CreateGatewayGuardrailRequest(
        name=new_name("guardrail"),
        scorer_id=scorer_id,
        scorer_version=scorer_version,
        stage="BEFORE",
        action="SANITIZATION",
        action_endpoint_id=endpoint_id,
    )


def _primary(model_id: str) -> endpoint_pb2.GatewayEndpointModelConfig:
    return endpoint_pb2.GatewayEndpointModelConfig(model_definition_id=model_id, linkage_type="PRIMARY")


REQUESTS: Final[Mapping[Method[Any, Any], Callable[[Resources], Any]]] = {
    methods.CREATE_GATEWAY_SECRET: lambda _: create_secret(),
    methods.UPDATE_GATEWAY_SECRET: lambda t: secret_pb2.UpdateGatewaySecretRequest(
        secret_id=t.secret_id, secret_value={"api_key": CANARY, "other": CANARY}
    ),
    methods.DELETE_GATEWAY_SECRET: lambda t: secret_pb2.DeleteGatewaySecretRequest(secret_id=t.secret_id),
    methods.CREATE_GATEWAY_MODEL_DEFINITION: lambda t: create_definition(t.secret_id),
    methods.UPDATE_GATEWAY_MODEL_DEFINITION: lambda t: model_definition_pb2.UpdateGatewayModelDefinitionRequest(
        model_definition_id=t.model_id, model_name=new_name("gpt")
    ),
    methods.DELETE_GATEWAY_MODEL_DEFINITION: lambda t: model_definition_pb2.DeleteGatewayModelDefinitionRequest(
        model_definition_id=t.spare_id
    ),
    methods.CREATE_GATEWAY_ENDPOINT: lambda t: create_endpoint(t.model_id),
    methods.UPDATE_GATEWAY_ENDPOINT: lambda t: endpoint_pb2.UpdateGatewayEndpointRequest(
        endpoint_id=t.endpoint_id, name=new_name("renamed")
    ),
    methods.DELETE_GATEWAY_ENDPOINT: lambda t: endpoint_pb2.DeleteGatewayEndpointRequest(endpoint_id=t.endpoint_id),
    methods.ATTACH_MODEL_TO_GATEWAY_ENDPOINT: lambda t: endpoint_pb2.AttachModelToGatewayEndpointRequest(
        endpoint_id=t.endpoint_id, model_config=_primary(t.spare_id)
    ),
    methods.DETACH_MODEL_FROM_GATEWAY_ENDPOINT: lambda t: endpoint_pb2.DetachModelFromGatewayEndpointRequest(
        endpoint_id=t.endpoint_id, model_definition_id=t.second_id
    ),
    methods.SET_GATEWAY_ENDPOINT_TAG: lambda t: endpoint_pb2.SetGatewayEndpointTagRequest(
        endpoint_id=t.endpoint_id, key="team", value=new_name("value")
    ),
    methods.DELETE_GATEWAY_ENDPOINT_TAG: lambda t: endpoint_pb2.DeleteGatewayEndpointTagRequest(
        endpoint_id=t.endpoint_id, key="team"
    ),
    methods.CREATE_GATEWAY_ENDPOINT_BINDING: lambda t: create_binding(t.endpoint_id, new_name("resource")),
    methods.DELETE_GATEWAY_ENDPOINT_BINDING: lambda t: binding_pb2.DeleteGatewayEndpointBindingRequest(**t.binding),
    methods.CREATE_GATEWAY_BUDGET_POLICY: lambda t: create_policy(t.endpoint_id),
    methods.UPDATE_GATEWAY_BUDGET_POLICY: lambda t: budget_pb2.UpdateGatewayBudgetPolicyRequest(
        budget_policy_id=t.policy_id, budget_amount=7.5
    ),
    methods.DELETE_GATEWAY_BUDGET_POLICY: lambda t: budget_pb2.DeleteGatewayBudgetPolicyRequest(
        budget_policy_id=t.policy_id
    ),
    methods.APPLY_GATEWAY_CONFIGURATION: lambda _: configuration_pb2.ApplyGatewayConfigurationRequest(
        configuration=configuration_pb2.GatewayConfiguration(
            secrets=[configuration_pb2.GatewaySecretConfiguration(name=new_name("secret"))]
        )
    ),
    methods.ROLLBACK_GATEWAY_CONFIGURATION: lambda _: configuration_pb2.RollbackGatewayConfigurationRequest(to_revision=0),
    methods.CREATE_GATEWAY_GUARDRAIL: lambda t: create_guardrail(t.endpoint_id),
    methods.DELETE_GATEWAY_GUARDRAIL: lambda t: guardrail_pb2.DeleteGatewayGuardrailRequest(guardrail_id=t.guardrail_id),
    methods.ADD_GUARDRAIL_TO_ENDPOINT: lambda t: guardrail_pb2.AddGuardrailToEndpointRequest(
        endpoint_id=t.endpoint_id, guardrail_id=t.spare_guardrail_id
    ),
    methods.REMOVE_GUARDRAIL_FROM_ENDPOINT: lambda t: guardrail_pb2.RemoveGuardrailFromEndpointRequest(**t.config),
    methods.UPDATE_ENDPOINT_GUARDRAIL_CONFIG: lambda t: guardrail_pb2.UpdateEndpointGuardrailConfigRequest(
        **t.config, execution_order=2
    ),
    methods.RECORD_GATEWAY_SPEND: lambda t: budget_pb2.RecordGatewaySpendRequest(
        request_id=new_name("charge"), endpoint_id=t.endpoint_id, amount_nanos=5, budget_unit="USD"
    ),
    methods.RESERVE_GATEWAY_SPEND: lambda t: spend_pb2.ReserveGatewaySpendRequest(
        request_id=new_name("reservation"),
        endpoint_id=t.endpoint_id,
        amount_nanos=5,
        budget_unit="USD",
        # It would expire before its request_id.
        ttl_ms=24 * 60 * 60 * 1000,
    ),
    methods.ADJUST_GATEWAY_SPEND: lambda t: spend_pb2.AdjustGatewaySpendRequest(
        budget_policy_id=t.policy_id, amount_nanos=5, reason="a refund"
    ),
}
"""A request of each RPC, without an etag, and without a request_id if it is optional."""


def of_other_content(request: Any) -> Any:
    """Return another valid request of the same RPC with the same request_id."""
    other = type(request)()
    other.CopyFrom(request)
    for field, value in {
        "created_by": "bob",
        "updated_by": "bob",
        "amount_nanos": 6,
        "key": "other",
        "scorer_version": 2,
    }.items():
        if field in other.DESCRIPTOR.fields_by_name:
            setattr(other, field, value)
            return other
    # A request with an id only gets another id, which need not exist: the reused request_id decides.
    for field in ("model_definition_id", "secret_id", "budget_policy_id", "resource_id", "guardrail_id", "endpoint_id"):
        if field in other.DESCRIPTOR.fields_by_name:
            setattr(other, field, "x-other")
            return other
    raise AssertionError(f"no field of {type(request).__name__} is known to be free")


def subject(do: Do, request: Any) -> Any:
    """Return the resource message of a request."""
    name = type(request).__name__
    if "Binding" in name:
        key = {key: getattr(request, key) for key in ("endpoint_id", "resource_type", "resource_id")}
        return do(binding_pb2.ListGatewayEndpointBindingsRequest(**key)).bindings[0]
    if "Guardrail" in name and "endpoint_id" in request.DESCRIPTOR.fields_by_name:
        configs = do(guardrail_pb2.ListEndpointGuardrailConfigsRequest(endpoint_id=request.endpoint_id)).configs
        return next(config for config in configs if config.guardrail_id == request.guardrail_id)
    if "Guardrail" in name:
        return do(guardrail_pb2.GetGatewayGuardrailRequest(guardrail_id=request.guardrail_id)).guardrail
    if "BudgetPolicy" in name or name == "AdjustGatewaySpendRequest":
        asked = budget_pb2.GetGatewayBudgetPolicyRequest(budget_policy_id=request.budget_policy_id)
        return do(asked).budget_policy
    if "Secret" in name:
        return do(secret_pb2.GetGatewaySecretInfoRequest(secret_id=request.secret_id)).secret
    if "Endpoint" in name:
        return do(endpoint_pb2.GetGatewayEndpointRequest(endpoint_id=request.endpoint_id)).endpoint
    asked = model_definition_pb2.GetGatewayModelDefinitionRequest(model_definition_id=request.model_definition_id)
    return do(asked).model_definition
