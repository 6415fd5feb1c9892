"""The same raw requests to a real MLflow server and to ours: every difference is listed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from gateway_entities.testing import gateway
from tests import profiles
from tests.client.differential.cases import Case, cases
from tests.client.differential.differences import ROWS, Seen, compare, compare_json
from tests.client.differential.world import Response, World
from tests.client.mlflow_server import register_scorer

CASES = cases()
REQUESTS = len(CASES) if profiles.NAME == "full" else profiles.count(500, 30)
PAGE = Path(__file__).resolve().parents[3] / "docs" / "guides" / "mlflow.md"


@pytest.fixture(scope="module")
def worlds(mlflow_target: str) -> Iterator[tuple[World, World]]:
    """MLflow's server and ours."""
    scorer_id = register_scorer(mlflow_target, "differential")["scorer_id"]
    with (
        gateway() as running,
        closing(World(mlflow_target.removeprefix("mlflow+"), scorer_id)) as theirs,
        closing(World(running.http_target, scorer_id)) as ours,
    ):
        yield theirs, ours


def test_every_difference_is_listed(worlds: tuple[World, World]) -> None:
    chosen = Random(profiles.SEED).sample(CASES, REQUESTS)
    unlisted, needed = list[Seen](), set[str]()
    for case in chosen:
        for seen in differences(worlds, case):
            rows = {row.id for row in ROWS if row.covers(seen)}
            needed |= rows
            if not rows:
                unlisted.append(seen)
    assert unlisted == []
    if profiles.NAME == "full":
        assert {row.id for row in ROWS if not row.is_by_chance} <= needed


def differences(worlds: tuple[World, World], case: Case) -> list[Seen]:
    """Return the differences of a request's responses, and of what it changed."""
    theirs, ours = responses = [world.send(case) for world in worlds]
    found = list(compare(case, theirs, ours))
    if case.verb not in {"GET", "HEAD", "OPTIONS"}:
        if theirs.status == ours.status == 200:
            found += compare_json(case, "state", *(world.state(case.noun) for world in worlds))
        for world, response in zip(worlds, responses, strict=True):
            if response.status == 200:
                world.reset(case.noun)
        if ours.status != 200:
            assert worlds[1].is_unchanged(case.noun), case.name
    return found


def test_other_differences_are_in_no_row() -> None:
    case = next(case for case in CASES if case.name == "GET /endpoints/get valid")
    right = Response(200, "json", "", "", {"endpoint": {"name": "a", "tags": [{"key": "b"}]}})
    wrong = [
        right._replace(status=204),
        right._replace(body={}),
        right._replace(body={"endpoint": {"name": "b", "tags": [{"key": "b"}]}}),
        right._replace(body={"endpoint": {"name": "a", "tags": [{"key": "b", "value": ""}]}}),
        right._replace(status=404, error_code="RESOURCE_DOES_NOT_EXIST", body=None),
    ]
    assert list(compare(case, right, right)) == []
    for response in wrong:
        (seen,) = compare(case, right, response)
        assert not [row for row in ROWS if row.covers(seen)]


def test_every_row_is_explained() -> None:
    listed = PAGE.read_text(encoding="utf-8").partition("\n## Differences\n")[2]
    explained = re.findall(r"^\| `([a-z-]+)` \|", listed, re.MULTILINE)
    assert len(explained) == len(set(explained))
    assert {row.id for row in ROWS} <= set(explained)
