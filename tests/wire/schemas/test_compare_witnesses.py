"""Other runtimes read the witnesses of breaks differently too, under the old and the new schema."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from gateway_entities.wire import Difference, DifferenceLevel, Direction, Element, compare
from tests import profiles
from tests.wire.schemas.evolutions import evolution
from tests.wire.schemas.model import Model

_ROOT = Path(__file__).resolve().parents[3]
_PROGRAM = Path(__file__).parent / "es" / "read.mjs"


def described(model: Model) -> str:
    """Return a model's descriptor set with its JSON names, as compilers write them."""
    file, schema = model.file(), model.schema()
    for message in file.message_type:
        for field in message.field:
            field.json_name = schema.messages[f"x.{message.name}"].fields_by_name[field.name].json_name
    return base64.b64encode(FileDescriptorSet(file=[file]).SerializeToString()).decode()


def shows_everywhere(found: Difference) -> bool:
    """Return whether every runtime shows a break as it reads.

    protobuf-es keeps extensions apart from messages, checks required fields when it writes, reads the quoted number of a
    64-bit integer as text, and shows an enum's numbers, not the names that they have in a schema.
    """
    witness = found.witness
    if witness is None or found.level not in (DifferenceLevel.BINARY, DifferenceLevel.JSON):
        return False
    numbers = found.level is DifferenceLevel.JSON and "for the reader, which sees another value" in found.message
    if found.element is Element.ENUM_VALUE and found.level is DifferenceLevel.BINARY:
        return False
    return found.element not in (Element.EXTENSION, Element.RPC) and "is required" not in found.message and not numbers


def witnesses(count: int) -> Iterator[tuple[Difference, str]]:
    for seed in range(profiles.SEED, profiles.SEED + count):
        evolved = evolution(seed)
        schemas = [described(model) for model in (evolved.old, evolved.new)]
        for found in compare(evolved.old.schema("old"), evolved.new.schema("new")).breaks:
            if shows_everywhere(found) and found.witness is not None:
                witness = found.witness
                text = witness.json if found.level is DifferenceLevel.JSON else None
                data = base64.b64encode(witness.data).decode()
                yield found, json.dumps({"schemas": schemas, "type": witness.message_type, "data": data, "json": text})


def protobuf_es(folder: Path) -> tuple[list[str], dict[str, str]]:
    installed = sorted(_ROOT.glob(".cache/codegen-ts-*/node_modules/@bufbuild/protobuf"))
    if shutil.which("node") is None or not installed:
        pytest.skip("needs Node.js, and protobuf-es as tests/interop installs it")
    shutil.copy(_PROGRAM, folder)
    (folder / "node_modules").symlink_to(installed[0].resolve().parents[1])
    return ["node", str(folder / "read.mjs")], {}


def pure_python(_folder: Path) -> tuple[list[str], dict[str, str]]:
    """The runtime without upb, which shares no code with it."""
    return [sys.executable, "-m", "tests.wire.schemas.python_reader"], {"PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"}


@pytest.mark.parametrize("runtime", [pytest.param(protobuf_es, marks=pytest.mark.programs), pure_python])
def test_other_runtimes_read_every_witness_differently(
    tmp_path: Path, runtime: Callable[[Path], tuple[list[str], dict[str, str]]]
) -> None:
    command, environment = runtime(tmp_path)
    cases = list(witnesses(profiles.count(10_000, 20)))
    done = subprocess.run(
        command,
        cwd=_ROOT,
        env={**os.environ, **environment},
        input="\n".join(text for _, text in cases),
        capture_output=True,
        text=True,
        check=True,
    )
    readings = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(readings) == len(cases) > 20
    for (found, _), (old, new) in zip(cases, readings, strict=True):
        writer = old if found.direction is Direction.NEW_READS_OLD else new
        assert "error" not in writer, found
        assert old != new, found
