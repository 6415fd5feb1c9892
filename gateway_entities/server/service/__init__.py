"""Business logic: one method for each RPC, from request message to response message.

A method validates its request, then reads or writes the store in one transaction. It is independent of gRPC and HTTP.
"""

from __future__ import annotations

from gateway_entities.rules import AllowedAddresses
from gateway_entities.server.service.binding import BindingService
from gateway_entities.server.service.budget import BudgetService
from gateway_entities.server.service.change import ChangeService
from gateway_entities.server.service.configuration import ConfigurationService
from gateway_entities.server.service.convergence import ConvergenceService
from gateway_entities.server.service.endpoint import EndpointService
from gateway_entities.server.service.guardrail import GuardrailService
from gateway_entities.server.service.mapping import MappingService
from gateway_entities.server.service.model_definition import ModelDefinitionService
from gateway_entities.server.service.resolution import ResolutionService
from gateway_entities.server.service.secret import SecretService
from gateway_entities.server.service.spending.report import ReportService
from gateway_entities.server.service.spending.reservation import ReservationService
from gateway_entities.server.service.tag import TagService

__all__ = ["AllowedAddresses", "GatewayService"]


class GatewayService(
    SecretService,
    ModelDefinitionService,
    EndpointService,
    MappingService,
    TagService,
    BindingService,
    BudgetService,
    ReservationService,
    ReportService,
    GuardrailService,
    ChangeService,
    ResolutionService,
    ConfigurationService,
    ConvergenceService,
):
    """Every RPC as a method named by ``Method.handler``. Synchronous and thread-safe.

    The methods raise GatewayError with the codes that the contract lists for the RPC. INVALID_ARGUMENT contains all
    violations of the request.
    """
