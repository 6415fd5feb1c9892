"""Bounds of the contract: how many and how much a request may hold, and an endpoint may have.

Nothing that a gateway needs comes near them. They bound the cost of a request, a resource and a change. What is stored
beyond a bound can be read, made smaller and deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sized
from typing import Final

from gateway_entities.rules.values import LIMITS, Limits, Rule
from gateway_entities.rules.violation import Violation

MAX_MODELS: Final = 100
"""Maximum models of an endpoint."""

MAX_TAGS: Final = 100
"""Maximum tags of an endpoint. Clouds allow 50 (AWS, Azure) or 64 (Google) for a resource."""

MAX_BINDINGS: Final = 1000
"""Maximum bindings of an endpoint. Its deletion is one change, which lists each of them."""

MAX_GUARDRAILS: Final = 100
"""Maximum guardrails of an endpoint. They are executed one after another."""

MAX_ENTRIES: Final = 100
"""Maximum entries of a map: of secret_value, of auth_config."""

MAX_MAP_BYTES: Final = 64 * 1024
"""Maximum bytes of a map, keys and values together, in UTF-8. A secret of AWS Secrets Manager has the same limit."""

MAX_PATHS: Final = 100
"""Maximum paths of an update_mask."""

MAX_CHARGE_NANOS: Final = 10**15
"""Maximum of one charge in nano-units: a million units. Thousands of such charges fit into a window before it saturates."""

MAX_RESOURCE_BYTES: Final = 1024 * 1024
"""Maximum size of a stored resource, encoded."""


def at_most(most: int, noun: str, rule: Rule) -> Rule:
    """A list, or a map, of at most so many elements, each of them valid. The number is checked before any element.

    Args:
        most: the maximum number.
        noun: what they are, in the plural.
        rule: checks the elements.
    """

    def rule_of_all(elements: Sized, path: str) -> Iterable[Violation]:
        if len(elements) > most:
            return (too_many(path, most, noun, len(elements)),)
        return rule(elements, path)

    LIMITS[rule_of_all] = Limits(0, most)
    return rule_of_all


def small_map(rule: Rule) -> Rule:
    """A map of at most MAX_ENTRIES entries and MAX_MAP_BYTES bytes, whose entries follow a rule."""

    def rule_of_bytes(entries: Mapping[str, str], path: str) -> Iterable[Violation]:
        size = sum(len(key.encode()) + len(entries[key].encode()) for key in entries)
        if size > MAX_MAP_BYTES:
            description = f"must have at most {MAX_MAP_BYTES} bytes of keys and values, has {size}"
            return (Violation("rules/count", path, description),)
        return rule(entries, path)

    return at_most(MAX_ENTRIES, "entries", rule_of_bytes)


def too_many(path: str, most: int, noun: str, number: int) -> Violation:
    """Return the violation of a list or map that has too many elements."""
    return Violation("rules/count", path, f"must have at most {most} {noun}, has {number}")
