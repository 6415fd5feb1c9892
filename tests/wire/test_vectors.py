"""The committed golden vectors are up to date, and every decoder in this package reads them.

After a change of the contract: ``gateway-entities wire vectors tests/wire/vectors/HEAD``.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from google.protobuf import json_format

from gateway_entities import entities
from gateway_entities.cli.app import cli
from gateway_entities.errors import WireError
from gateway_entities.wire import MESSAGE_TYPES, check, message_type_named
from gateway_entities.wire.vectors import vectors, write
from tests.messages import missing

HEAD = Path(__file__).resolve().parent / "vectors" / "HEAD"
MANIFEST = json.loads((HEAD / "manifest.json").read_text(encoding="utf-8"))["vectors"]
TYPES = sorted({vector["type"] for vector in MANIFEST})
# A test for each type, not for each of its vectors: to collect and report a test takes longer than to check a vector.
every_type = pytest.mark.parametrize("message_type", TYPES)


def vectors_of(message_type: str) -> list[tuple[str, bytes, Any]]:
    """Return the name, the bytes and the entry of each vector of a type."""
    found = [vector for vector in MANIFEST if vector["type"] == message_type]
    return [(vector["name"], (HEAD / f"{vector['name']}.binpb").read_bytes(), vector) for vector in found]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_committed_vectors_are_up_to_date(tmp_path):
    write(tmp_path)
    fresh, committed = contents(tmp_path), contents(HEAD)
    assert fresh.keys() == committed.keys()
    assert {name for name in fresh if fresh[name] != committed[name]} == set()


def test_every_message_has_vectors():
    assert {vector["type"].rpartition(".")[2] for vector in MANIFEST} == set(MESSAGE_TYPES)
    assert len(MANIFEST) == len(list(vectors()))


@every_type
def test_bytes_and_json_agree(message_type):
    kind = message_type_named(message_type)
    for name, data, vector in vectors_of(message_type):
        assert hashlib.sha256(data).hexdigest() == vector["sha256"], name
        from_json = json_format.Parse((HEAD / f"{name}.json").read_text(encoding="utf-8"), kind())
        message = kind.FromString(data)
        if not vector["whole_in_json"]:
            message.DiscardUnknownFields()
        assert from_json == message, name
        known = data if vector["whole_in_json"] else data[: message.ByteSize()]
        assert message.SerializeToString(deterministic=True) == known, name


@every_type
def test_vectors_are_canonical(message_type):
    assert [name for name, data, _ in vectors_of(message_type) if not check(data, message_type).canonical] == []


@every_type
def test_entities_preserve_them(message_type):
    kind = getattr(entities, message_type.rpartition(".")[2], None)
    for name, data, vector in vectors_of(message_type):
        if kind is None or vector["case"] not in {"full", "maximum", "unicode", "unknown_enum"}:
            continue
        if list(missing(MESSAGE_TYPES[kind.__name__].FromString(data), kind.__name__)):
            # Lists have an empty element, which lacks required fields.
            with pytest.raises(WireError, match=r"\[1\].*is required"):
                kind.from_bytes(data)
        else:
            assert kind.from_bytes(data).to_bytes() == data, name


def test_writing_is_idempotent_and_preserves_other_files(tmp_path):
    (tmp_path / "mine.json").write_text("{}")
    (tmp_path / "Gone.full.binpb").write_bytes(b"")
    for _ in range(2):
        result = CliRunner().invoke(cli, ["wire", "vectors", str(tmp_path)])
        assert result.exit_code == 0, result.output
        assert result.output.startswith(f"{len(MANIFEST)} vectors")
    assert contents(tmp_path).keys() == contents(HEAD).keys() | {"mine.json"}
