"""The committed invalid vectors: messages that break one rule each, with the expected findings."""

from __future__ import annotations

import json

import pytest

from gateway_entities.wire import check
from tests.wire.messages.bad_vectors import FOLDER, expected

MANIFEST: dict[str, dict[str, object]] = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))


def test_committed_vectors_are_up_to_date() -> None:
    vectors = expected()
    assert {name: entry for name, (_, entry) in vectors.items()} == MANIFEST
    committed = {path.stem: path.read_bytes() for path in FOLDER.glob("*.binpb")}
    assert committed == {name: data for name, (data, _) in vectors.items()}


@pytest.mark.parametrize("name", MANIFEST)
def test_each_vector_gives_its_findings(name: str) -> None:
    entry = MANIFEST[name]
    report = check((FOLDER / f"{name}.binpb").read_bytes(), str(entry["type"]))
    assert [[each.rule, each.path, each.offset] for each in report.findings] == entry["findings"]
    assert {finding.rule for finding in report.findings} == {name.partition(".")[2].rpartition("-")[0].replace("-", "/", 1)}
