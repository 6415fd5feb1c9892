"""One RPC of the contract as data: all that transports, clients and servers need of it."""

from __future__ import annotations

import re
from typing import Final, Generic, TypeVar

from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


class Method(Generic[Request, Response]):
    """One RPC.

    Its name is that of its request type without ``Request``; everything else comes from the descriptors.

    Attributes:
        name: the RPC's name, such as ``CreateGatewaySecret``.
        service: the full name of its service, such as ``gatewayentities.v1.SecretService``.
        path: the path that gRPC and Connect both use, such as ``/gatewayentities.v1.SecretService/CreateGatewaySecret``.
        handler: the name of the server's function for it, such as ``create_gateway_secret``.
        request_type: the class of its request message.
        response_type: the class of its response message.
        idempotent: whether a repeat has the same effect as one call, so that a client may retry it.
        reads: whether it has no side effects, so that Connect may call it with GET.
        has_request_id: whether its request can carry a request_id, by which the server recognizes a repeat.
        server_streaming: whether the response is a stream of messages.
    """

    __slots__ = (
        "handler",
        "has_request_id",
        "idempotent",
        "name",
        "path",
        "reads",
        "request_type",
        "response_type",
        "server_streaming",
        "service",
    )

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
        level = descriptor.GetOptions().idempotency_level
        self.idempotent: Final = level != MethodOptions.IDEMPOTENCY_UNKNOWN
        self.reads: Final = level == MethodOptions.NO_SIDE_EFFECTS
        self.has_request_id: Final = "request_id" in request_type.DESCRIPTOR.fields_by_name
        self.server_streaming: Final = bool(descriptor.server_streaming)

    def __repr__(self) -> str:
        return f"<Method {self.path}>"
