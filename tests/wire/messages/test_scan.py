"""The scanner: its records cover any input."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_entities.wire.messages.layout import layout_of
from gateway_entities.wire.messages.scan import END_ENTRY, UNREADABLE, scan
from gateway_entities.wire.messages.types import MESSAGE_TYPES
from tests.messages import varint
from tests.wire.messages.samples import ENDPOINT, SECRET, number, tag, text

LAYOUTS = [None, *(layout_of(kind.DESCRIPTOR) for kind in MESSAGE_TYPES.values())]


@given(st.sampled_from(LAYOUTS), st.binary(max_size=100) | st.sampled_from([ENDPOINT, SECRET, ENDPOINT[:-3], b"\x7b" * 300]))
def test_records_cover_the_input_without_gaps(layout: object, data: bytes) -> None:
    at = 0
    for record in scan(data, layout):  # type: ignore[arg-type]
        assert record.start == at or record.wire == END_ENTRY
        assert record.start <= record.body <= record.end
        at = record.end
    assert at == len(data)


def test_a_nested_message_is_a_head_and_its_fields() -> None:
    data = text(5, text(1, "m-1") + number(6, 300)) + number(12, 1)
    records = [(r.start, r.body, r.end, r.number, r.value, r.frame.depth) for r in scan(data, LAYOUTS[0])]
    assert records == [(0, 2, 10, 5, 8, 0), (10, 11, 12, 12, 1, 0)]
    layout = layout_of(MESSAGE_TYPES["GatewayEndpoint"].DESCRIPTOR)
    nested = [(r.start, r.end, r.number, r.value, r.frame.depth) for r in scan(data, layout)]
    assert nested == [(0, 2, 5, 8, 0), (2, 7, 1, 3, 1), (7, 10, 6, 300, 1), (10, 12, 12, 1, 0)]


@pytest.mark.parametrize("rest", [b"\x0e", b"\x7c", b"\x0a\x09", tag(7, 3) + b"\x0e"])
def test_unreadable_bytes_end_with_their_message(rest: bytes) -> None:
    data = text(5, number(6, 1) + rest) + number(12, 1)
    records = list(scan(data, layout_of(MESSAGE_TYPES["GatewayEndpoint"].DESCRIPTOR)))
    broken = [record for record in records if record.wire == UNREADABLE]
    assert len(broken) == 1
    assert broken[0].frame.depth == 1
    assert broken[0].end == len(data) - 2
    assert (records[-1].number, records[-1].value) == (12, 1)


@pytest.mark.parametrize("padding", [0, 1, 3])
def test_overlong_varints_are_marked(padding: int) -> None:
    for data in (varint(12 << 3, padding) + b"\1", tag(12, 0) + varint(1, padding), tag(11, 2) + varint(1, padding) + b"1"):
        (record,) = scan(data)
        assert record.slack == (padding > 0)
