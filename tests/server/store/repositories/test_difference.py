"""A difference restores the earlier state exactly, and is as small as what was changed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_entities.entities import GatewayEndpoint, GatewayEndpointTag
from gateway_entities.server.store.repositories import difference

TEXTS = st.text(max_size=6)
ENDPOINTS = st.builds(
    GatewayEndpoint,
    endpoint_id=st.just("e-1"),
    name=TEXTS,
    created_at=st.integers(0, 2**40),
    last_updated_at=st.integers(0, 2**40),
    tags=st.lists(st.builds(GatewayEndpointTag, TEXTS, TEXTS | st.none()), max_size=9),
    experiment_id=TEXTS,
)


def restored(earlier: bytes, later: bytes) -> bytes:
    return b"".join(difference.apply(difference.fields(later), difference.encode(earlier, later)))


@given(st.lists(ENDPOINTS, min_size=2, max_size=6))
def test_a_chain_of_differences_restores_every_state(endpoints: Sequence[GatewayEndpoint]) -> None:
    states = [endpoint.to_bytes() for endpoint in endpoints]
    current = difference.fields(states[-1])
    for earlier, later in zip(reversed(states[:-1]), reversed(states[1:]), strict=True):
        current = difference.apply(current, difference.encode(earlier, later))
        assert b"".join(current) == earlier


def of_tags(values: Sequence[str], changed: int = 1) -> bytes:
    tags = [GatewayEndpointTag(f"k{number}", value) for number, value in enumerate(values)]
    return GatewayEndpoint("e-1", "one", 1, changed, [], tags).to_bytes()


@pytest.mark.parametrize(
    ("earlier", "later", "changed_bytes"),
    [
        (["x" * 5000] * 600, ["x" * 5000] * 601, 0),
        (["x" * 5000] * 601, ["x" * 5000] * 600, 5000),
        (["x" * 5000] * 300 + ["y" * 5000] + ["x" * 5000] * 300, ["x" * 5000] * 601, 5000),
        (["x"], ["x" * 10**6], 1),
        ([], ["x" * 10**6], 0),
    ],
    ids=["added", "removed", "replaced", "grown", "first"],
)
def test_a_difference_is_as_large_as_the_changed_fields(earlier: list[str], later: list[str], changed_bytes: int) -> None:
    before, after = of_tags(earlier), of_tags(later, changed=2)
    assert restored(before, after) == before
    assert len(difference.encode(before, after)) <= changed_bytes + 50


def test_repeated_equal_fields_are_restored() -> None:
    tag = GatewayEndpointTag("k", "v")
    many = GatewayEndpoint("e-1", "one", 1, 1, [], [tag] * 500).to_bytes()
    assert restored(many, of_tags(["v"])) == many
    assert restored(of_tags(["v"]), many) == of_tags(["v"])


@pytest.mark.parametrize("data", [b"\x0a", b"\x0a\x05abc", b"\x0b\x0c", b"\x09\x01", b"\x80"])
def test_other_bytes_have_no_fields(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the caller stores the whole state then.
        difference.fields(data)


def test_a_difference_from_another_state_is_an_error() -> None:
    with pytest.raises(ValueError, match="another state"):
        difference.apply([], difference.encode(of_tags(["v"]), of_tags(["v"], changed=2)))
