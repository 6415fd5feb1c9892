"""Docstrings, comments, names, CLI help and documentation use the field's terms: a list of dialect words is rejected.

Each check takes the texts to look at: those of the repository for the real test, planted ones to show that it can fail.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from gateway_entities.cli.app import cli

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("gateway_entities", "proto", "tests")

# The preferred term by pattern. White space is collapsed before the search, so "^" is the start of a text.
DIALECT = {
    r"^(?:Take|Say|Tell|Ask)s?\b": "the operation: create, return, report, read",
    r"\bwho(?:m|se)?(?:so)?ever\b": "the role: caller, client, operator",
    r"\b(?:no|any|every)(?:body|one)\b": "the role: no caller, any client, every user",
    r"\bthat which\b|\bwhat is (?:known|kept|held|told|asked)\b|\bhas to say\b": "the noun: the cached response, the result",
    r"\banew\b": "again, or new",
    r"\bat once\b": "immediately, together, or in one call",
    r"\b(?:is|are|was|were|be|been|being) (?:fore)?told\b|\bforetold\b": "reported, announced, returned",
    r"\bvouch": "untrusted, or verified",
    r"\bcolou?rs?\b": "sync and async",
    r"\bwithout a word\b": "silently, or by default",
    r"\bpasses over\b|\breaders? pass over\b": "ignores",
    r"\b(?:is|are) dear\b": "expensive",
    r"\brefusals?\b|\bverdicts?\b|\bculprits?\b": "error or rejection; result; cause",
}


class Text(NamedTuple):
    """A text and its place, as ``path:line`` or a command."""

    place: str
    content: str


def python_texts(root: Path) -> Iterator[Text]:
    for path in sorted(path for folder in FOLDERS for path in (root / folder).rglob("*.py")):
        where, source = path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
                yield Text(f"{where}:{node.lineno}", node.value.value)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield Text(f"{where}:{node.lineno}", f"def {node.name.replace('_', ' ')}")
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                yield Text(f"{where}:{token.start[0]}", token.string)


def proto_texts(root: Path) -> Iterator[Text]:
    for path in sorted((root / "proto").rglob("*.proto")):
        where = path.relative_to(root).as_posix()
        for comment in re.finditer(r"(?m)(?:^ *//.*\n)+", source := path.read_text(encoding="utf-8")):
            yield Text(f"{where}:{source.count(chr(10), 0, comment.start()) + 1}", re.sub(r"(?m)^ *//", "", comment[0]))


def page_texts(root: Path) -> Iterator[Text]:
    """Yield the prose of the pages, without their code."""
    for path in sorted([*root.glob("*.md"), *(root / "docs").rglob("*.md")]):
        prose = re.sub(r"(?ms)^( *)```.*?^\1```$", "", path.read_text(encoding="utf-8"))
        for paragraph in re.split(r"\n\s*\n|\n(?=\||[-*] |\d+\. )", prose):
            yield Text(path.relative_to(root).as_posix(), re.sub(r"`[^`]+`", "``", paragraph))


def help_texts(command: click.Command, name: str) -> Iterator[Text]:
    yield Text(name, command.help or "")
    for parameter in command.params:
        yield Text(f"{name} {parameter.opts[0]}", getattr(parameter, "help", None) or "")
    for part, child in command.commands.items() if isinstance(command, click.Group) else ():
        yield from help_texts(child, f"{name} {part}")


def dialect_faults(texts: Iterable[Text]) -> list[str]:
    faults: list[str] = []
    for place, content in texts:
        plain = " ".join(content.split())
        for pattern, instead in DIALECT.items():
            faults += [f"{place}: {found[0]!r}; write {instead}" for found in re.finditer(pattern, plain)]
    return faults


def test_texts_use_the_terms_of_the_field() -> None:
    texts = [*python_texts(ROOT), *proto_texts(ROOT)]
    own = Path(__file__).relative_to(ROOT).as_posix()
    checked = [text for text in texts if not text.place.startswith(own)]
    faults = dialect_faults([*checked, *page_texts(ROOT), *help_texts(cli, "gateway-entities")])
    assert not faults, "\n".join(["", *faults])


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("gateway_entities/module.py", '"""Tell which keys are in use."""\n'),
        ("gateway_entities/module.py", 'LIMIT = 1\n"""All that is\n   read at\n   once."""\n'),
        ("gateway_entities/module.py", "def read_anew():\n    pass\n"),
        ("tests/test_module.py", "# Bytes that\nlimit = 1  # nobody vouches for.\n"),
        ("proto/a.proto", "message M {\n  // The texts are told\n  // to whoever asks.\n}\n"),
    ],
)
def test_planted_dialect_is_found(tmp_path: Path, name: str, source: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text(source)
    faults = dialect_faults([*python_texts(tmp_path), *proto_texts(tmp_path)])
    assert faults
    assert all(fault.startswith(f"{name}:") for fault in faults)


def test_planted_help_is_found() -> None:
    option = click.Option(["--all"], help="Everything at once.")
    group = click.Group("group", commands=[click.Command("say", help="Say it.", params=[option])])
    assert [fault.partition(":")[0] for fault in dialect_faults(help_texts(group, "x"))] == ["x say", "x say --all"]
