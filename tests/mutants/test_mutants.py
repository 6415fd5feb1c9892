"""The tool that changes the package: which changes it finds, what it reports, and that runs end."""

from __future__ import annotations

import json
import os
import textwrap
import time
from pathlib import Path

import pytest

from tests.mutants.__main__ import main
from tests.mutants.change import Source
from tests.mutants.draw import candidates, draw, equivalents
from tests.mutants.kinds import KINDS, changes
from tests.mutants.rooms import ROOMS, ROOT, room_of, selection, source_files

FILE = "gateway_entities/rules/limit.py"
CODE = """
def fits(text, limit):
    return len(text) <= limit


def count(values):
    number = 0
    while number < len(values):
        number += 1
    return number
"""
STRONG = """
from gateway_entities.rules.limit import count, fits


def test_the_limit_fits():
    assert fits("12", 2)
    assert fits("1", 2)
    assert not fits("123", 2)
    assert count([1, 2]) == 2
"""
WEAK = STRONG.replace('    assert fits("12", 2)\n', "")


@pytest.fixture
def root(tmp_path):
    """A repository with one module and a test that misses a boundary."""
    for file, text in {FILE: CODE, "tests/rules/test_limit.py": WEAK, "gateway_entities/__init__.py": ""}.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    return tmp_path


@pytest.fixture(scope="module")
def every():
    """Every change of the package, by room."""
    return candidates()


def found(code):
    return [(change.kind, change.what) for change in changes(Source(FILE, textwrap.dedent(code).encode()))]


@pytest.mark.parametrize(
    ("kind", "code", "what"),
    [
        ("comparison", "a = b == c", "b == c -> (b != c)"),
        ("comparison", "a = b and c", "b and c -> (b or c)"),
        ("comparison", "a = not b", "not b -> (b)"),
        ("boundary", "a = b < c", "b < c -> (b <= c)"),
        ("boundary", "LIMIT = 80", "80 -> (81)"),
        ("boundary", "a = b[:3]", "3 -> (4)"),
        ("statement", "a.b = c", "a.b = c -> pass"),
        ("statement", "def f():\n  if a:\n    return\n  g()", "if a: return -> pass"),
        ("argument", "a = f(b, c)", "f(): b and c swapped"),
        ("argument", "a = f(b, c=d)", "f() without c=d"),
        ("release", "a.close()", "a.close() -> pass"),
        ("release", "async def f():\n  await a.aclose()", "await a.aclose() -> pass"),
        ("release", "with a:\n  a.notify()", "a.notify() -> pass"),
        ("code", "a = Code.NOT_FOUND", "Code.NOT_FOUND -> (Code.ALREADY_EXISTS)"),
        ("code", "a = f(404)", "404 -> (500)"),
        ("code", "a = F(reason='TAKEN')", "'TAKEN' -> ('WRONG')"),
        ("redaction", "a = printable(b)", "printable(b) -> (b)"),
        ("redaction", "a = field(repr=False)", "field() without repr=False"),
        ("field", "a = Thing(b=c, d=e)", "Thing() without d=e"),
        ("field", "a = {'b': 1, 'c': 2}", "mapping without 'b'"),
        ("field", "A = ('b', 'c')", "list without 'c'"),
    ],
)
def test_each_kind_finds_its_slips(kind, code, what):
    assert (kind, what) in found(code)


@pytest.mark.parametrize(
    "code",
    [
        "def f(a: Literal[1 < 2]) -> x: ...",
        "if TYPE_CHECKING:\n  import a\n  b = c == d",
        "a = cast('b', c)",
        "__all__ = ['a', 'b']",
        "a = f'{b == c}'",
        "'''A docstring: a < b.'''",
    ],
)
def test_what_does_not_run_is_left_alone(code):
    assert found(code) == []


def test_a_change_keeps_the_rest_of_the_file():
    source = Source(FILE, 'é = "日本" if a else b  # a < b\nf(x, "ü" == y)\n'.encode())
    (flipped,) = [change for change in changes(source) if change.kind == "comparison" and "==" in change.what]
    assert flipped.applied(source.data).decode() == "é = \"日本\" if a else b  # a < b\nf(x, ('ü' != y))\n"
    assert flipped.key == f"{FILE}:2:comparison"


def test_every_file_has_a_room_and_every_room_its_tests():
    rooms = dict.fromkeys(ROOMS, 0)
    for room, file in source_files():
        rooms[room] += 1
        assert all((ROOT / path).exists() for path in selection(file))
    assert all(rooms.values())
    outside = {path.relative_to(ROOT).as_posix() for path in (ROOT / "gateway_entities").rglob("*.py")}
    left_out = {file for file in outside - {file for _, file in source_files()} if "/_sync/" not in file}
    assert left_out == {"gateway_entities/methods.py"}
    assert room_of("gateway_entities/server/store/sql/sqlite.py") == "server.store.sql"
    for name, room in ROOMS.items():
        assert all((ROOT / "tests" / test).exists() for test in room.tests), name


def test_one_seed_draws_one_sample_with_every_room_and_kind(every):
    first, again, other = (draw(every, seed=seed, count=72) for seed in (1, 1, 2))
    assert first == again != other
    assert {room for room, _ in first} == set(ROOMS)
    assert {change.kind for _, change in first} == set(KINDS)
    assert len({change.key for _, change in first}) == 72


def test_every_change_that_is_named_as_making_no_difference_is_there_and_has_a_reason(every):
    places = {(change.file, change.function, change.what) for all_of in every.values() for change in all_of}
    for named in equivalents():
        assert named[:3] in places, f"no such change: {named}"
        assert len(named.reason) > 20


def journal_of(path: Path) -> dict[str, str]:
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    return {entry["what"]: entry["outcome"] for entry in entries if "outcome" in entry}


def test_it_notices_a_weak_test_and_continues_where_it_stopped(root, tmp_path, capsys):
    journal = tmp_path / "journal"
    options = ["--count", "9", "--bound", "60", "--jobs", "1", "--journal", str(journal), "--only", f"{FILE}:3:boundary"]
    options += ["--only", f"{FILE}:3:comparison"]
    assert main(options, root) == 1
    assert journal_of(journal) == {
        "len(text) <= limit -> (len(text) < limit)": "survived",
        "len(text) <= limit -> (len(text) > limit)": "noticed",
    }
    shown = capsys.readouterr().out
    assert "seed 1: 1 of 2 noticed (50.0 %)" in shown
    assert f"survived: {FILE}:3:boundary fits: len(text) <= limit -> (len(text) < limit)" in shown
    # The repository is as it was, and nothing runs a second time.
    assert (root / FILE).read_text() == CODE
    lines = journal.read_text()
    assert main(options, root) == 1
    assert journal.read_text() == lines
    # With a better test, what survived runs again.
    (root / "tests/rules/test_limit.py").write_text(STRONG)
    assert main([*options, "--again"], root) == 0


def test_a_change_that_hangs_ends_with_its_processes(root, capsys):
    child = root / "child"
    (root / "tests/rules/test_limit.py").write_text(
        "import subprocess, sys\n"
        "def test_it():\n"
        "    from gateway_entities.rules.limit import count\n"
        "    sleeper = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session=True)\n"
        f"    open({str(child)!r}, 'w').write(str(sleeper.pid))\n"
        "    count([1])\n"
    )
    start = time.monotonic()
    assert main(["--only", f"{FILE}:9:statement", "--bound", "8", "--jobs", "1"], root) == 1
    assert time.monotonic() - start < 30
    assert f"hung: {FILE}:9:statement count: number += 1 -> pass" in capsys.readouterr().out
    deadline = time.monotonic() + 5
    while Path(f"/proc/{child.read_text()}/stat").exists() and time.monotonic() < deadline:
        # Killed, and not yet reaped by the process that adopted it.
        if Path(f"/proc/{child.read_text()}/stat").read_text().split(") ")[1][0] == "Z":
            break
        time.sleep(0.05)
    else:
        assert not Path(f"/proc/{child.read_text()}").exists()


def test_a_room_whose_tests_fail_unchanged_is_not_run(root, capsys):
    (root / "tests/rules/test_limit.py").write_text("def test_it():\n    assert False\n")
    assert main(["--only", f"{FILE}:3:boundary", "--jobs", "1"], root) == 1
    shown = capsys.readouterr()
    assert "rules: its tests fail without a change" in shown.err
    assert f"broken: {FILE}:3:boundary" in shown.out


def test_nothing_is_left_in_the_temporary_folder(root, tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    main(["--only", f"{FILE}:3:comparison", "--bound", "60"], root)
    assert os.listdir(folder) == []
