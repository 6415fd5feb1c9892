"""Text form and sources of keys, neither of which is ever shown."""

from __future__ import annotations

import base64
import os
import shlex
import stat
import sys
import time
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.crypto.key_sources import KeyCommand, KeyFile, KeyVariable, read_keys
from gateway_entities.server.store.crypto.keyring import Key, KeyRing, generate_key, parse_keys
from tests.server.store.conftest import open_files

ONE, TWO, THREE = (bytes([number]) * 32 for number in (1, 2, 3))
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)


def encoded(key):
    return base64.b64encode(key).decode()


def refused(call, *arguments, hidden=()):
    with pytest.raises(GatewayError) as caught:
        call(*arguments)
    shown = "".join(traceback.format_exception(caught.value))
    for text in hidden:
        assert text not in shown
    return caught.value


@pytest.fixture
def key_file(tmp_path):
    def write(content, name="some.key"):
        path = tmp_path / name
        path.write_text(content)
        path.chmod(0o600)
        return path

    return write


@given(st.lists(st.tuples(st.none() | NAMES, st.binary(min_size=32, max_size=32)), min_size=1), st.data())
def test_parsing(keys, data):
    ends = st.sampled_from(["\n", "\r\n", "\n\n", " ", ",", ", ", "\n# a comment: with, words\n", " # old\n"])
    text = "".join(f"{'' if name is None else f'{name}:'}{encoded(key)}{data.draw(ends)}" for name, key in keys)
    found = parse_keys(text.encode(), "a text")
    assert [(key.name, key.id) for key in found] == [(name, Key(key).id) for name, key in keys]


@pytest.mark.parametrize("mark", ["\ufeff", "\ufeff\ufeff"])
def test_a_byte_order_mark_is_no_part_of_a_key(mark):
    line = f"first:{encoded(ONE)}\r\n"
    assert parse_keys((mark + line).encode(), "the file")[0].name == "first"
    for encoding in ("utf-16", "utf-16-be", "utf-32"):
        with pytest.raises(GatewayError, match="it is UTF-16 or binary, not UTF-8 text; save it as UTF-8"):
            parse_keys(line.encode(encoding), "the file")


@given(st.binary(max_size=200))
def test_malformed_text_is_rejected_without_showing_it(content):
    error = refused(parse_keys, content, "the place")
    assert error.code is Code.FAILED_PRECONDITION
    assert error.message.startswith("The place does not hold a key: ")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "it is empty"),
        ("# nothing\n", "it is empty"),
        ("\n\nhunter2secret!\n", "line 3 is not base64"),
        (encoded(ONE[:31]), "line 1 has 31 bytes"),
        (f"{encoded(ONE)}\n-x:{encoded(TWO)}", "a name on line 2 is not 1 to 64 letters"),
        (f"a b:{encoded(ONE)}", "line 1 is not base64"),
        (f":{encoded(ONE)}", "a name on line 1"),
        (f"{'n' * 65}:{encoded(ONE)}", "a name on line 1"),
        ("ключ", "it is not plain text"),
    ],
)
def test_errors_contain_the_line_number(text, wrong):
    error = refused(parse_keys, text.encode(), "the place", hidden=["hunter2", encoded(ONE), encoded(ONE[:31])])
    assert wrong in error.message


def test_repr_contains_id_and_name_only():
    key = Key(ONE, name="main", origin="the key file /k")
    ring = KeyRing([key])
    assert str(key) == f"{key.id} (main)"
    assert len(key.id) == 16
    assert key.id != Key(TWO).id
    for secret in (ONE.hex(), encoded(ONE), repr(ONE)):
        assert secret not in repr(key) + repr(ring) + str(ring) + ring.describe()


def test_a_key_ring_is_ordered_and_without_duplicates():
    ring = KeyRing([Key(TWO, name="new"), Key(ONE), Key(TWO, name="again"), Key(ONE, name="old")])
    assert [(key.id, key.name) for key in ring.keys] == [(Key(TWO).id, "new"), (Key(ONE).id, None)]
    assert ring.first is ring.keys[0]
    assert Key(ONE).id in ring
    assert Key(THREE).id not in ring


def test_names_are_unique():
    error = refused(KeyRing, [Key(ONE, name="main", origin="here"), Key(TWO, name="main", origin="there")])
    assert error.reason == "KEY_NAME"
    assert "of here" in error.message
    assert "of there" in error.message


def test_a_created_file_has_mode_0600_and_replaces_no_file(tmp_path):
    path = tmp_path / "new.key"
    before = os.umask(0)
    try:
        made = KeyFile(path).create("2026-11")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [str(key) for key in KeyFile(path).read()] == [str(made)] == [f"{made.id} (2026-11)"]
    content = path.read_bytes()
    assert refused(KeyFile(path).create).reason == "KEY_FILE"
    assert path.read_bytes() == content


def test_a_created_file_is_durable(tmp_path, durable):
    before = open_files()
    path = tmp_path / "gateway.key"
    KeyFile(path).create()
    assert durable.below(tmp_path) == [("sync", path.name, path.stat().st_size), ("sync", tmp_path.name, 0)]
    assert open_files() == before


def test_generated_keys_are_random_and_names_validated():
    (first, line), (second, _) = generate_key(), generate_key()
    assert first.id != second.id
    assert parse_keys(line, "a line")[0].id == first.id
    assert refused(generate_key, "no spaces").code is Code.INVALID_ARGUMENT


def test_several_keys_from_several_files(key_file):
    first = key_file(f"new:{encoded(THREE)}\n{encoded(ONE)}\n")
    ring = read_keys([KeyFile(first), KeyFile(key_file(encoded(TWO), "other.key"))])
    assert [key.id for key in ring.keys] == [Key(key).id for key in (THREE, ONE, TWO)]
    assert ring.first.origin == f"the key file {first}"
    assert read_keys([]) is None


def test_keys_from_a_variable(monkeypatch):
    monkeypatch.setenv("SOME_KEY", f"new:{encoded(TWO)},{encoded(ONE)}")
    assert [key.id for key in KeyVariable("SOME_KEY").read()] == [Key(TWO).id, Key(ONE).id]
    monkeypatch.setenv("SOME_KEY", "")
    assert "environment variable SOME_KEY does not hold a key: it is empty" in refused(KeyVariable("SOME_KEY").read).message
    monkeypatch.setenv("SOME_KEY", "hunter2secret!")
    refused(KeyVariable("SOME_KEY").read, hidden=["hunter2"])
    monkeypatch.delenv("SOME_KEY")
    assert "it is not set" in refused(KeyVariable("SOME_KEY").read).message


def python(*words):
    return shlex.join([sys.executable, "-c", *words])


def test_keys_from_a_command(key_file):
    path = key_file(f"new:{encoded(TWO)}\n{encoded(ONE)}", "with a space.key")
    keys = KeyCommand(f"cat '{path}'").read()
    assert [key.id for key in keys] == [Key(TWO).id, Key(ONE).id]
    assert keys[0].origin == "the key command cat"


def test_a_command_runs_without_a_shell(tmp_path):
    mark = tmp_path / "mark"
    refused(KeyCommand(f"echo x; touch {mark}").read)
    refused(KeyCommand(f"echo $(touch {mark})").read)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        (
            python("import sys; print('hunter2'); print('hunter2', file=sys.stderr); sys.exit(3)", "--token=hunter2"),
            "exit code 3",
        ),
        (python("import sys; print('hunter2', file=sys.stderr)", "--token=hunter2"), "it is empty"),
        (python("print('hunter2!')"), "is not base64"),
        ("/no/such/program --token=hunter2", "cannot be run: No such file"),
    ],
)
def test_errors_of_a_command_show_neither_output_nor_arguments(command, wrong, capfd):
    error = refused(KeyCommand(command).read, hidden=["hunter2"])
    assert error.code is Code.FAILED_PRECONDITION
    assert wrong in error.message
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


@pytest.mark.parametrize("command", ["", "   ", "cat 'open"])
def test_an_empty_command_is_invalid(command):
    assert refused(KeyCommand(command).read).code is Code.INVALID_ARGUMENT


def test_a_timeout_kills_the_process_group(tmp_path):
    note = tmp_path / "pid"
    child = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    parent = python(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])")
    error = refused(KeyCommand(parent, timeout=3).read)
    assert "has not ended within 3 seconds" in error.message
    pid = int(note.read_text())
    for _ in range(100):
        if not alive(pid):
            break
        time.sleep(0.05)
    assert not alive(pid)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
