"""The kinds of changes. Each is a slip that a person makes, and compiles."""

from __future__ import annotations

import ast
import builtins
import copy
from collections import Counter
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import NamedTuple

from gateway_entities.errors import Code
from tests.mutants.change import Change, Source


class Edit(NamedTuple):
    """New code in place of a node.

    Attributes:
        node: what is replaced.
        code: the new code.
        what: the difference in words, where both codes are long.
    """

    node: ast.expr | ast.stmt
    code: str
    what: str = ""


_FLIPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_NEIGHBOUR: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
_RELEASES = frozenset(
    {
        *("abort", "aclose", "callback", "cancel", "close", "dispose", "disconnect", "flush", "fsync", "kill", "notify"),
        *("notify_all", "release", "rollback", "set", "shutdown", "stop", "terminate", "unlink", "wake"),
    }
)
_REDACTIONS = frozenset(["masked", "printable", "quote", "quote_ident", "truncate_error", "strip", "rstrip"])
# Calls for type checkers; and those whose arguments are texts for people.
_IGNORED_CALLS = frozenset(["cast", "TypeVar", "ParamSpec", "NewType", "NamedTuple"])
_STATUSES = frozenset(status.value for status in HTTPStatus if status >= 400)
_CODES = [code.name for code in Code]


def comparison(node: ast.AST) -> Iterator[Edit]:
    """A flipped comparison, ``and`` for ``or``, a ``not`` too much or too few."""
    if isinstance(node, ast.Compare):
        yield from _compared(node, _FLIPPED)
    elif isinstance(node, ast.BoolOp):
        yield _expression(node, ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield _expression(node, node.operand)
    elif isinstance(node, ast.If | ast.IfExp) and isinstance(node.test, ast.Name | ast.Attribute | ast.Call):
        yield _expression(node.test, ast.UnaryOp(ast.Not(), node.test))


def boundary(node: ast.AST) -> Iterator[Edit]:
    """A boundary off by one: ``<`` for ``<=``; a number one higher in a comparison, slice, sum, range or constant."""
    numbers: list[ast.expr | None] = []
    if isinstance(node, ast.Compare):
        yield from _compared(node, _NEIGHBOUR)
        numbers = [node.left, *node.comparators]
    elif isinstance(node, ast.Slice):
        numbers = [node.lower, node.upper]
    elif isinstance(node, ast.Call) and _name(node.func) == "range":
        numbers = [*node.args]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.LShift):
        numbers = [node.left, node.right]
    elif isinstance(node, ast.Assign | ast.AnnAssign) and node.col_offset == 0:
        numbers = [node.value]
    for number in numbers:
        if isinstance(number, ast.Constant) and type(number.value) in {int, float}:
            yield _expression(number, ast.Constant(number.value + 1))


def statement(node: ast.AST) -> Iterator[Edit]:
    """A dropped statement: a call, an assignment to an attribute or an item, an early exit."""
    if isinstance(node, ast.Expr):
        dropped = _call(node) is not None and not _releases(node)
    elif isinstance(node, ast.Assign):
        targets = [each for target in node.targets for each in (target.elts if isinstance(target, ast.Tuple) else [target])]
        dropped = all(isinstance(target, ast.Attribute | ast.Subscript) for target in targets)
    elif isinstance(node, ast.If):
        dropped = not node.orelse and isinstance(node.body[-1], ast.Return | ast.Continue | ast.Break)
    else:
        dropped = isinstance(node, ast.AugAssign | ast.Raise)
    if dropped and isinstance(node, ast.stmt):
        yield Edit(node, "pass")


def argument(node: ast.AST) -> Iterator[Edit]:
    """A forgotten named argument of a function, or two arguments that are swapped."""
    if not isinstance(node, ast.Call) or _is_class(node.func) or _name(node.func) in dir(builtins):
        return
    for index in range(len(node.args) - 1):
        first, second = node.args[index : index + 2]
        plain = not isinstance(first, ast.Starred) and not isinstance(second, ast.Starred)
        if plain and ast.dump(first) != ast.dump(second):
            swapped = ast.Call(node.func, [*node.args[:index], second, first, *node.args[index + 2 :]], node.keywords)
            what = f"{ast.unparse(node.func)}(): {ast.unparse(first)} and {ast.unparse(second)} swapped"
            yield _expression(node, swapped)._replace(what=what)
    for keyword in node.keywords:
        yield _without_keyword(node, keyword)


def release(node: ast.AST) -> Iterator[Edit]:
    """A missed close, notify, cancel, fsync or the like."""
    if isinstance(node, ast.Expr) and _releases(node):
        yield Edit(node, "pass")


def code(node: ast.AST) -> Iterator[Edit]:
    """A wrong code of an error, reason, or HTTP status."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Code":
        if node.attr in _CODES:
            other = _CODES[(_CODES.index(node.attr) + 1) % len(_CODES)]
            yield _expression(node, ast.Attribute(node.value, other, node.ctx))
        return
    for child in ast.iter_child_nodes(node):
        # Not what a constant is: a limit of 500 is no status.
        if isinstance(child, ast.Constant) and type(child.value) is int and not isinstance(node, ast.Assign | ast.AnnAssign):
            if child.value in _STATUSES:
                yield _expression(child, ast.Constant(500 if child.value < 500 else 400))
        elif isinstance(child, ast.keyword) and child.arg == "reason" and isinstance(child.value, ast.Constant):
            yield _expression(child.value, ast.Constant("WRONG"))


def redaction(node: ast.AST) -> Iterator[Edit]:
    """A text that is not masked, not made printable, not stripped, or shown in a ``repr``."""
    if not isinstance(node, ast.Call):
        return
    name = _name(node.func)
    if name in _REDACTIONS and len(node.args) == 1 and not isinstance(node.func, ast.Attribute):
        yield _expression(node, node.args[0])
    elif name in {"strip", "rstrip"} and isinstance(node.func, ast.Attribute):
        yield _expression(node, node.func.value)
    for keyword in node.keywords:
        if keyword.arg == "repr":
            yield _without_keyword(node, keyword)


def field(node: ast.AST) -> Iterator[Edit]:
    """A lost field: of an object that is made, of a mapping, of a constant list."""
    if isinstance(node, ast.Call) and _is_class(node.func):
        for keyword in node.keywords:
            yield _without_keyword(node, keyword)
    elif isinstance(node, ast.Dict):
        for index, key in enumerate(node.keys):
            fewer = ast.Dict(
                [*node.keys[:index], *node.keys[index + 1 :]], [*node.values[:index], *node.values[index + 1 :]]
            )
            what = f"mapping without {ast.unparse(key or node.values[index])}"
            yield _expression(node, fewer)._replace(what=what)
    elif isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Tuple | ast.List | ast.Set):
        shown = node.value
        for dropped in shown.elts if len(shown.elts) > 1 and node.col_offset == 0 else ():
            left = copy.copy(shown)
            left.elts = [each for each in shown.elts if each is not dropped]
            yield _expression(shown, left)._replace(what=f"list without {ast.unparse(dropped)}")


KINDS: dict[str, Callable[[ast.AST], Iterator[Edit]]] = {
    each.__name__: each for each in (comparison, boundary, statement, argument, release, code, redaction, field)
}


def changes(source: Source) -> list[Change]:
    """Return every change of a file, by line."""
    found: list[Change] = []
    numbers: Counter[tuple[int, str]] = Counter()
    for node, function in _walk(source.tree, ""):
        for kind, edits in KINDS.items():
            for edit in edits(node):
                start, end = source.span(edit.node)
                line = edit.node.lineno
                numbers[line, kind] += 1
                what = _short(edit.what or f"{source.data[start:end].decode()} -> {edit.code}")
                found.append(
                    Change(source.file, line, kind, numbers[line, kind], function, what, start, end, edit.code.encode())
                )
    return sorted(found, key=lambda change: change.line)


def _walk(node: ast.AST, function: str) -> Iterator[tuple[ast.AST, str]]:
    """Yield the nodes that run, each with the function around it: no annotations, docstrings or code for type checkers."""
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "bases", "type_comment"}:
            continue
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or _is_ignored(child):
                continue
            inner = function
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                inner = f"{function}.{child.name}".lstrip(".")
            yield child, inner
            yield from _walk(child, inner)


def _is_ignored(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr):
        # Before Python 3.12 the places of what is in it are wrong.
        return True
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    if isinstance(node, ast.Assign):
        return any(ast.unparse(target) in {"__all__", "__slots__"} for target in node.targets)
    return isinstance(node, ast.Call) and _name(node.func) in _IGNORED_CALLS


def _compared(node: ast.Compare, others: dict[type[ast.cmpop], type[ast.cmpop]]) -> Iterator[Edit]:
    for index, op in enumerate(node.ops):
        if type(op) in others:
            ops = [*node.ops[:index], others[type(op)](), *node.ops[index + 1 :]]
            yield _expression(node, ast.Compare(node.left, ops, node.comparators))


def _expression(node: ast.expr, new: ast.expr) -> Edit:
    return Edit(node, f"({ast.unparse(new)})")


def _without_keyword(node: ast.Call, keyword: ast.keyword) -> Edit:
    fewer = ast.Call(node.func, node.args, [each for each in node.keywords if each is not keyword])
    return _expression(node, fewer)._replace(what=f"{ast.unparse(node.func)}() without {ast.unparse(keyword)}")


def _call(node: ast.Expr) -> ast.Call | None:
    value = node.value.value if isinstance(node.value, ast.Await) else node.value
    return value if isinstance(value, ast.Call) else None


def _releases(node: ast.Expr) -> bool:
    call = _call(node)
    return call is not None and isinstance(call.func, ast.Attribute) and call.func.attr in _RELEASES


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""


def _is_class(function: ast.expr) -> bool:
    return _name(function).lstrip("_")[:1].isupper()


def _short(code: str) -> str:
    return " ".join(code.split())
