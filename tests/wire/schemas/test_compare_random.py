"""Random schemas: no comparison raises, and each result has the form that every output format needs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from gateway_entities.cli.wire.compare import as_data
from gateway_entities.wire import COMPARISON_RULES, Schema, compare, load
from gateway_entities.wire.reviews.junit import to_junit
from gateway_entities.wire.reviews.markdown import to_markdown
from gateway_entities.wire.reviews.review import Policy, review
from gateway_entities.wire.reviews.sarif import to_sarif
from tests import profiles
from tests.wire.schemas.random_schemas import RandomSchema

SETS = profiles.count(300, 3)
IN_A_SET = 5


@pytest.mark.parametrize("number", range(SETS))
def test_every_pair_of_schemas_is_compared(tmp_path: Path, number: int) -> None:
    pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed: pip install grpcio-tools")
    random = Random(f"{profiles.SEED} {number}")
    texts = [RandomSchema(random).text() for _ in range(IN_A_SET)]
    schemas: list[Schema] = []
    for i, text in enumerate(texts):
        (tmp_path / f"{i}.proto").write_text(text, encoding="utf-8")
        schemas.append(load(tmp_path / f"{i}.proto"))
    for old, old_text in zip(schemas, texts, strict=True):
        for new, new_text in zip(schemas, texts, strict=True):
            result = compare(old, new)
            differences = [*result.breaks, *result.notes]
            where = f"{old_text}\n->\n{new_text}"
            assert old is not new or not differences, where
            assert {each.rule for each in differences} <= COMPARISON_RULES.keys(), where
            reviewed = review(result, Policy(), today=datetime.now(UTC).date())
            assert json.dumps([as_data(reviewed), to_sarif(reviewed, "1")])
            assert to_junit(reviewed)
            assert list(to_markdown(reviewed))
