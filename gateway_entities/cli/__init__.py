"""Command-line interface: ``gateway-entities``, or ``python -m gateway_entities.cli``."""

from __future__ import annotations

from gateway_entities.cli.app import main

__all__ = ["main"]
