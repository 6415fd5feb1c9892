"""The service: what each RPC does, as functions from request to response.

A handler checks the request by the rules, then reads or changes the store in one transaction. Nothing here knows of gRPC or
HTTP.
"""

from __future__ import annotations

from gateway_entities.server.service.binding import BindingHandlers
from gateway_entities.server.service.budget import BudgetHandlers
from gateway_entities.server.service.change import ChangeLogHandlers
from gateway_entities.server.service.endpoint import EndpointHandlers
from gateway_entities.server.service.mapping import MappingHandlers
from gateway_entities.server.service.model_definition import ModelDefinitionHandlers
from gateway_entities.server.service.secret import SecretHandlers
from gateway_entities.server.service.spend import SpendHandlers
from gateway_entities.server.service.tag import TagHandlers

__all__ = ["GatewayService"]


class GatewayService(
    SecretHandlers,
    ModelDefinitionHandlers,
    EndpointHandlers,
    MappingHandlers,
    TagHandlers,
    BindingHandlers,
    BudgetHandlers,
    SpendHandlers,
    ChangeLogHandlers,
):
    """Every RPC of the contract as a method, named as Method.handler says: a request message in, a response message out.

    The methods are synchronous and may be called from any thread. They raise GatewayError with the code that the contract's
    comments list for the RPC; an invalid request with all its violations at once.
    """
