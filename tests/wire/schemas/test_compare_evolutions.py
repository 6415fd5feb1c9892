"""Recall and precision of compare over generated evolutions with known breaks."""

from __future__ import annotations

from tests import profiles
from tests.wire.schemas.evolutions import measure


def test_recall_and_precision() -> None:
    score = measure(profiles.count(1000, 200), profiles.SEED)
    assert len(score.changes) >= 18, score.changes
    assert score.recall >= 0.99, score.wrong
    assert score.precision >= 0.99, score.wrong
