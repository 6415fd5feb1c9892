"""Environment variables in configuration files: ``${NAME}`` in values, never in keys; ``$${`` is a literal ``${``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from gateway_entities.cli.config.nodes import ListNode, MappingNode, Node, Problem, ScalarNode

OWN: Final = "GATEWAY_ENTITIES_"
"""Prefix of this program's own variables. Some hold credentials, so files cannot read them."""
MAX_TEXT: Final = 64 * 1024
"""Maximum number of characters of a value after replacement."""

_REFERENCE: Final = re.compile(r"\$\$\{|\$\{([^{}\n]{0,255})(\})?")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def escape(text: str) -> str:
    """Return text that is read as it is: with ``$${`` for each ``${``."""
    return text.replace("${", "$${")


def replace(node: Node, environment: Mapping[str, str]) -> tuple[Node, list[Problem]]:
    """Return a tree with its variables replaced, and what is wrong with them. Shared nodes stay shared."""
    problems: list[Problem] = []
    done: dict[int, Node] = {}

    def scalar(found: ScalarNode) -> ScalarNode:
        if "${" not in found.text:
            return found
        names: list[str] = []

        def one(match: re.Match[str]) -> str:
            if match[0] == "$${":
                return "${"
            names.append(match[1])
            text, fault = _resolve(match, environment)
            if fault is not None:
                problems.append(Problem(found.mark, fault))
            return text

        text = _REFERENCE.sub(one, found.text)
        if len(text) > MAX_TEXT:
            problems.append(Problem(found.mark, f"has more than {MAX_TEXT} characters with its variables"))
            text = ""
        return ScalarNode(text, found.plain and bool(names), found.mark, replaced=bool(names))

    def visit(found: Node) -> Node:
        if id(found) not in done:
            if isinstance(found, ScalarNode):
                done[id(found)] = scalar(found)
            elif isinstance(found, ListNode):
                done[id(found)] = ListNode(found.mark, [visit(item) for item in found.items], found.size)
            else:
                entries = {key: visit(item) for key, item in found.entries.items()}
                done[id(found)] = MappingNode(found.mark, entries, found.keys, found.size)
        return done[id(found)]

    return visit(node), problems


def _resolve(match: re.Match[str], environment: Mapping[str, str]) -> tuple[str, str | None]:
    name = match[1]
    if not match[2] or not _NAME.fullmatch(name):
        return "", "has a ${ that is no variable such as ${NAME}; write $${ for a literal ${"
    if name.startswith(OWN):
        return "", f"reads ${{{name}}}; variables of this program are not for configurations"
    found = environment.get(name)
    if found is None:
        return "", f"reads ${{{name}}}, which is not set in the environment"
    return found, None
