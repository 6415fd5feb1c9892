"""MLflow's releases: the breaks of 3.9.0 are found, and later releases are compatible."""

from __future__ import annotations

from itertools import pairwise

import pytest

from gateway_entities.wire.schemas.compare import compare
from gateway_entities.wire.schemas.report import (
    Comparison,
    Compatibility,
    Difference,
    DifferenceKind,
    DifferenceLevel,
    Direction,
)
from tests.wire.schemas.mlflow import RELEASES, release

REUSED = {
    ("GatewaySecretInfo", 9),
    ("CreateGatewaySecret", 5),
    ("UpdateGatewaySecret", 4),
    ("CreateGatewayEndpoint", 2),
    ("AttachModelToGatewayEndpoint", 2),
    ("AttachModelToGatewayEndpoint", 3),
}
OURS_TO_MLFLOW = [
    (r"mlflow\.(\w+)", r"gatewayentities.v1.\1Request"),
    (r"mlflow\.(\w+)\.Response", r"gatewayentities.v1.\1Response"),
    (r"mlflow\.(.*)", r"gatewayentities.v1.\1"),
]


def breaks_of_defined_values(result: Comparison) -> list[Difference]:
    """Return the breaks of what both sides define: MLflow's proto2 takes any bytes as text, and no undefined enum values.

    MLflow has no RPCs of the gateway.
    """
    undefined = ("unless it is UTF-8", "ignores numbers without a name")
    return [
        b for b in result.breaks if b.level is not DifferenceLevel.CALLS and not any(text in b.message for text in undefined)
    ]


def test_every_number_that_3_9_reused_breaks_both_ways_with_a_witness() -> None:
    result = compare(release("3.8.0"), release("3.9.0"))
    for direction in Direction:
        found = {(b.message_type.removeprefix("mlflow."), b.number): b for b in result.of(direction, DifferenceLevel.BINARY)}
        assert set(found) - {("AttachModelToGatewayEndpoint", 4)} == REUSED
        for found_break in found.values():
            assert found_break.witness is not None
            assert found_break.witness.old != found_break.witness.new
            assert found_break.witness.data
    # The removed number is lost to new readers only.
    gone = [b for b in result.breaks if b.level is DifferenceLevel.BINARY and b.number == 4 and "Attach" in b.message_type]
    assert [(b.direction, b.kind) for b in gone] == [(Direction.NEW_READS_OLD, DifferenceKind.LOST)]
    assert result.compatibility is Compatibility.NONE


@pytest.mark.parametrize(("old", "new"), list(pairwise(list(RELEASES)[1:])))
def test_later_releases_are_compatible(old: str, new: str) -> None:
    result = compare(release(old), release(new))
    assert result.breaks == []
    assert result.compatibility is Compatibility.FULL
    assert result.compared >= 10


def test_additions_of_a_release_are_notes() -> None:
    notes = compare(release("3.15.0"), release("3.16.0")).notes
    assert [(n.kind, n.subject, n.number) for n in notes] == [(DifferenceKind.NEW, "mlflow.BudgetTargetScope.USER", 4)]


def test_our_messages_are_compatible_with_the_installed_mlflow() -> None:
    result = compare("mlflow", "gatewayentities.v1", renames=[(r"mlflow\.(.*)", r"gatewayentities.v1.\1")])
    assert breaks_of_defined_values(result) == []
    assert result.compared == 13
    back = compare("gatewayentities.v1", "mlflow", renames=[(r"gatewayentities\.v1\.(.*)", r"mlflow.\1")])
    assert breaks_of_defined_values(back) == []


def test_our_requests_and_responses_are_compatible_with_mlflow() -> None:
    result = compare("mlflow", "gatewayentities.v1", only="Gateway|Budget", renames=OURS_TO_MLFLOW)
    assert breaks_of_defined_values(result) == []
    assert result.compared > 60
