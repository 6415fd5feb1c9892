"""No code formats a generated request or response: Python's protobuf shows what ``debug_redact`` marks."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent / "gateway_entities"
MESSAGES = {"request", "response", "proto", "resolved", "secret_value"}
"""Names of variables, attributes and arguments that hold a message, or the value of a secret."""
FORMATTERS = {"str", "repr", "format", "ascii", "print"}
METHODS = {"format", "debug", "info", "warning", "error", "exception", "critical", "echo"}
FOREIGN = {"wire/schemas/proof/witness.py"}
"""Shows messages of the schemas that a user compares, which are made up."""
TEXTS = {"MessageToString", "MessageToBytes", "PrintMessage", "text_format"}


def holds_message(node: ast.expr) -> bool:
    """Whether an expression is a message by its name, or by the call that makes it."""
    if isinstance(node, ast.Name):
        return node.id in MESSAGES
    if isinstance(node, ast.Attribute):
        return node.attr in MESSAGES
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"to_proto", "reveal"}


def formatted(tree: ast.AST) -> Iterator[ast.expr | ast.alias]:
    """Yield the expressions that are converted to text, and imports of protobuf's text format."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FormattedValue):
            yield node.value
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and isinstance(node.left, ast.Constant):
            yield from node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in (METHODS if isinstance(node.func, ast.Attribute) else FORMATTERS):
                yield from node.args
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias for alias in node.names if alias.name.rpartition(".")[2] in TEXTS)


def faults(source: str) -> list[int]:
    """Return the lines that format a message."""
    found = formatted(ast.parse(source))
    return [node.lineno for node in found if isinstance(node, ast.alias) or holds_message(node)]


def test_no_message_is_formatted() -> None:
    files = [path for path in sorted(ROOT.rglob("*.py")) if path.relative_to(ROOT).as_posix() not in FOREIGN]
    assert len(files) > 150
    found = [f"{path.relative_to(ROOT)}:{line}" for path in files for line in faults(path.read_text(encoding="utf-8"))]
    assert not found, "\n".join(["", *found])


@pytest.mark.parametrize(
    "line",
    [
        'f"{request}"',
        'f"bad: {response!r}"',
        "str(request)",
        "repr(call.request)",
        'print("x", proto)',
        '"%s" % request',
        '"%s %s" % (1, response)',
        '"{}".format(response)',
        '_log.debug("got %s", request)',
        "click.echo(entity.to_proto())",
        'f"{model.secret_value.reveal()}"',
        'f"{info.secret_value}"',
        "from google.protobuf import text_format",
        "from google.protobuf.text_format import MessageToString",
    ],
)
def test_each_way_of_formatting_is_found(line: str) -> None:
    assert faults(line) == [1]


@pytest.mark.parametrize(
    "line",
    ['f"{request.endpoint_id}"', "str(request.name)", "len(request)", "encode(request)", '_log.info("%s", name)'],
)
def test_a_field_that_is_no_secret_may_be_shown(line: str) -> None:
    assert faults(line) == []
