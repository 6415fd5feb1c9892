"""Recall and precision of compare over generated evolutions with known breaks."""

from __future__ import annotations

from tests import profiles
from tests.wire.schemas.evolutions import measure


def test_recall_and_precision() -> None:
    score = measure(profiles.count(10_000, 60), profiles.SEED)
    assert len(score.changes) >= 18, score.changes
    assert score.recall >= 0.995, score.wrong
    assert score.precision >= 0.995, score.wrong
