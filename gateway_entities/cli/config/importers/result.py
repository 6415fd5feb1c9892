"""The configuration that an importer builds: as in a file, with sources of values and escaped texts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from gateway_entities.cli.config.importers.names import Names


@dataclass(slots=True)
class Result:
    """Resources by name, in the order in which they were found.

    Secrets and model definitions that are equal but for their names are one.
    """

    secrets: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    definitions: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    endpoints: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    policies: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    guardrails: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    secret_names: Names = field(default_factory=Names)
    definition_names: Names = field(default_factory=Names)
    endpoint_names: Names = field(default_factory=Names)

    def secret(self, wish: str, content: dict[str, Any]) -> str:
        """Return the name of the secret with this content."""
        name = self.secret_names.name(wish, _key(content))
        self.secrets.setdefault(name, {"name": name, **content})
        return name

    def definition(self, wish: str, content: dict[str, Any]) -> str:
        """Return the name of the model definition with this content."""
        name = self.definition_names.name(wish, _key(content))
        self.definitions.setdefault(name, {"name": name, **content})
        return name

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as in a file. Empty fields are left out."""
        document = {
            "secrets": list(self.secrets.values()),
            "model_definitions": list(self.definitions.values()),
            "endpoints": list(self.endpoints.values()),
            "budget_policies": self.policies,
            "guardrails": self.guardrails,
        }
        return {name: items for name, items in document.items() if items}


def _key(content: dict[str, Any]) -> str:
    return json.dumps(content, sort_keys=True)


def models(primary: list[tuple[str, float]], fallback: list[str]) -> dict[str, Any]:
    """Return the fields of an endpoint for its models: weights, strategy and order of the fallback models.

    A model that is there twice is there once, with the sum of the weights; as FALLBACK it is not repeated.
    """
    weights: dict[str, float] = {}
    for name, weight in primary:
        weights[name] = weights.get(name, 0.0) + weight
    items: list[dict[str, Any]] = [
        {"model_definition": name} if weight == 1 else {"model_definition": name, "weight": weight}
        for name, weight in weights.items()
    ]
    rest = [name for name in dict.fromkeys(fallback) if name not in weights]
    items += [{"model_definition": name, "linkage_type": "FALLBACK", "fallback_order": i} for i, name in enumerate(rest)]
    split = {"routing_strategy": "REQUEST_BASED_TRAFFIC_SPLIT"} if len(weights) > 1 else {}
    return {"models": items, **split, **({"fallback_config": {"strategy": "SEQUENTIAL"}} if rest else {})}
