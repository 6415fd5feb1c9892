"""Every RPC of the contract as data: what transports, clients and servers need to know of it, in one place.

To add an RPC, add it to proto/, generate, and add its constant here. No transport and no server edge changes.
"""

from __future__ import annotations

import re
from typing import Any, Final, Generic, TypeGuard, TypeVar

from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message

from gatewayentities.v1 import binding_pb2, budget_pb2, change_pb2, endpoint_pb2, model_definition_pb2, secret_pb2

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


class Method(Generic[Request, Response]):
    """One RPC.

    Its name is that of its request type without ``Request``; everything else is read from the compiled proto.

    Attributes:
        name: the RPC's name, such as ``CreateGatewaySecret``.
        service: the full name of its service, such as ``gatewayentities.v1.SecretService``.
        path: the path that gRPC and Connect both use, such as ``/gatewayentities.v1.SecretService/CreateGatewaySecret``.
        handler: the name of the function that serves it, such as ``create_gateway_secret``.
        request_type: the class of its request message.
        response_type: the class of its response message.
        idempotent: whether a repeat has the same effect as one call, so that a client may retry it.
        named: whether its request can carry a request_id, by which a server tells a repeat from another call.
    """

    __slots__ = ("handler", "idempotent", "name", "named", "path", "request_type", "response_type", "service")

    def __init__(self, request_type: type[Request], response_type: type[Response]) -> None:
        self.name: Final = request_type.DESCRIPTOR.name.removesuffix("Request")
        descriptor = next(
            service.methods_by_name[self.name]
            for service in request_type.DESCRIPTOR.file.services_by_name.values()
            if self.name in service.methods_by_name
        )
        self.service: Final = descriptor.containing_service.full_name
        self.path: Final = f"/{self.service}/{self.name}"
        self.handler: Final = re.sub(r"(?<!^)(?=[A-Z])", "_", self.name).lower()
        self.request_type: Final = request_type
        self.response_type: Final = response_type
        self.idempotent: Final = descriptor.GetOptions().idempotency_level != MethodOptions.IDEMPOTENCY_UNKNOWN
        self.named: Final = "request_id" in request_type.DESCRIPTOR.fields_by_name

    def __repr__(self) -> str:
        return f"<Method {self.path}>"


CREATE_GATEWAY_SECRET = Method(secret_pb2.CreateGatewaySecretRequest, secret_pb2.CreateGatewaySecretResponse)
GET_GATEWAY_SECRET_INFO = Method(secret_pb2.GetGatewaySecretInfoRequest, secret_pb2.GetGatewaySecretInfoResponse)
UPDATE_GATEWAY_SECRET = Method(secret_pb2.UpdateGatewaySecretRequest, secret_pb2.UpdateGatewaySecretResponse)
DELETE_GATEWAY_SECRET = Method(secret_pb2.DeleteGatewaySecretRequest, secret_pb2.DeleteGatewaySecretResponse)
LIST_GATEWAY_SECRET_INFOS = Method(secret_pb2.ListGatewaySecretInfosRequest, secret_pb2.ListGatewaySecretInfosResponse)

CREATE_GATEWAY_MODEL_DEFINITION = Method(
    model_definition_pb2.CreateGatewayModelDefinitionRequest, model_definition_pb2.CreateGatewayModelDefinitionResponse
)
GET_GATEWAY_MODEL_DEFINITION = Method(
    model_definition_pb2.GetGatewayModelDefinitionRequest, model_definition_pb2.GetGatewayModelDefinitionResponse
)
LIST_GATEWAY_MODEL_DEFINITIONS = Method(
    model_definition_pb2.ListGatewayModelDefinitionsRequest, model_definition_pb2.ListGatewayModelDefinitionsResponse
)
UPDATE_GATEWAY_MODEL_DEFINITION = Method(
    model_definition_pb2.UpdateGatewayModelDefinitionRequest, model_definition_pb2.UpdateGatewayModelDefinitionResponse
)
DELETE_GATEWAY_MODEL_DEFINITION = Method(
    model_definition_pb2.DeleteGatewayModelDefinitionRequest, model_definition_pb2.DeleteGatewayModelDefinitionResponse
)

CREATE_GATEWAY_ENDPOINT = Method(endpoint_pb2.CreateGatewayEndpointRequest, endpoint_pb2.CreateGatewayEndpointResponse)
GET_GATEWAY_ENDPOINT = Method(endpoint_pb2.GetGatewayEndpointRequest, endpoint_pb2.GetGatewayEndpointResponse)
UPDATE_GATEWAY_ENDPOINT = Method(endpoint_pb2.UpdateGatewayEndpointRequest, endpoint_pb2.UpdateGatewayEndpointResponse)
DELETE_GATEWAY_ENDPOINT = Method(endpoint_pb2.DeleteGatewayEndpointRequest, endpoint_pb2.DeleteGatewayEndpointResponse)
LIST_GATEWAY_ENDPOINTS = Method(endpoint_pb2.ListGatewayEndpointsRequest, endpoint_pb2.ListGatewayEndpointsResponse)
ATTACH_MODEL_TO_GATEWAY_ENDPOINT = Method(
    endpoint_pb2.AttachModelToGatewayEndpointRequest, endpoint_pb2.AttachModelToGatewayEndpointResponse
)
DETACH_MODEL_FROM_GATEWAY_ENDPOINT = Method(
    endpoint_pb2.DetachModelFromGatewayEndpointRequest, endpoint_pb2.DetachModelFromGatewayEndpointResponse
)
SET_GATEWAY_ENDPOINT_TAG = Method(endpoint_pb2.SetGatewayEndpointTagRequest, endpoint_pb2.SetGatewayEndpointTagResponse)
DELETE_GATEWAY_ENDPOINT_TAG = Method(
    endpoint_pb2.DeleteGatewayEndpointTagRequest, endpoint_pb2.DeleteGatewayEndpointTagResponse
)

CREATE_GATEWAY_ENDPOINT_BINDING = Method(
    binding_pb2.CreateGatewayEndpointBindingRequest, binding_pb2.CreateGatewayEndpointBindingResponse
)
DELETE_GATEWAY_ENDPOINT_BINDING = Method(
    binding_pb2.DeleteGatewayEndpointBindingRequest, binding_pb2.DeleteGatewayEndpointBindingResponse
)
LIST_GATEWAY_ENDPOINT_BINDINGS = Method(
    binding_pb2.ListGatewayEndpointBindingsRequest, binding_pb2.ListGatewayEndpointBindingsResponse
)

CREATE_GATEWAY_BUDGET_POLICY = Method(
    budget_pb2.CreateGatewayBudgetPolicyRequest, budget_pb2.CreateGatewayBudgetPolicyResponse
)
GET_GATEWAY_BUDGET_POLICY = Method(budget_pb2.GetGatewayBudgetPolicyRequest, budget_pb2.GetGatewayBudgetPolicyResponse)
UPDATE_GATEWAY_BUDGET_POLICY = Method(
    budget_pb2.UpdateGatewayBudgetPolicyRequest, budget_pb2.UpdateGatewayBudgetPolicyResponse
)
DELETE_GATEWAY_BUDGET_POLICY = Method(
    budget_pb2.DeleteGatewayBudgetPolicyRequest, budget_pb2.DeleteGatewayBudgetPolicyResponse
)
LIST_GATEWAY_BUDGET_POLICIES = Method(
    budget_pb2.ListGatewayBudgetPoliciesRequest, budget_pb2.ListGatewayBudgetPoliciesResponse
)
LIST_GATEWAY_BUDGET_WINDOWS = Method(budget_pb2.ListGatewayBudgetWindowsRequest, budget_pb2.ListGatewayBudgetWindowsResponse)
RECORD_GATEWAY_SPEND = Method(budget_pb2.RecordGatewaySpendRequest, budget_pb2.RecordGatewaySpendResponse)
CHECK_GATEWAY_BUDGET = Method(budget_pb2.CheckGatewayBudgetRequest, budget_pb2.CheckGatewayBudgetResponse)

LIST_GATEWAY_CHANGES = Method(change_pb2.ListGatewayChangesRequest, change_pb2.ListGatewayChangesResponse)


def _is_method(value: object) -> TypeGuard[Method[Any, Any]]:
    return isinstance(value, Method)


METHODS: Final = tuple(filter(_is_method, list(globals().values())))
"""Every RPC, in the order of the constants above."""
