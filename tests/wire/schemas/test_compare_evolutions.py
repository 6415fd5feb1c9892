"""Recall and precision of compare over generated evolutions with known breaks."""

from __future__ import annotations

import os

from tests.wire.schemas.evolutions import measure


def test_recall_and_precision() -> None:
    score = measure(1000 if os.environ.get("GATEWAY_ENTITIES_TEST_PROFILE") == "ci" else 200)
    assert len(score.changes) >= 18, score.changes
    assert score.recall >= 0.99, score.wrong
    assert score.precision >= 0.99, score.wrong
