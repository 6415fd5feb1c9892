"""Importers of other gateways' configurations, one module per source."""
