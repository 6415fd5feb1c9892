"""Configurations as YAML."""

from __future__ import annotations

from typing import Any, cast

from gateway_entities.cli.config.variables import escape
from gateway_entities.cli.yaml_text import dump
from gateway_entities.entities import GatewayConfiguration


def to_yaml(configuration: GatewayConfiguration, *, schema: str | None = None) -> str:
    """Return a configuration as YAML that reads as it: ``${`` in values is escaped.

    Args:
        configuration: the configuration.
        schema: the address of the JSON Schema for editors, in a comment at the top; None for none.
    """
    return dump(escaped(configuration.to_dict()), schema=schema)


def escaped(value: object) -> Any:
    """Return dicts, lists and texts with the texts escaped."""
    if isinstance(value, dict):
        return {key: escaped(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        items = cast("list[object]", value)
        return [escaped(item) for item in items]
    return escape(value) if isinstance(value, str) else value
