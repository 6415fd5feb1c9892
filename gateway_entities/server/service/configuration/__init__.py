"""ConfigurationService: configurations exported, planned and applied as a whole."""

from __future__ import annotations

from gateway_entities.server.service.configuration.handlers import ConfigurationService

__all__ = ["ConfigurationService"]
