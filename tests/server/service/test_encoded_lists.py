"""Lists whose entities are encoded without messages have the bytes of those with messages."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.message import Message

from gateway_entities import NATIVE
from gateway_entities.server.rpc.codec import PROTO
from gateway_entities.server.service.context import collected_entities, encoded_entities
from gateway_entities.server.service.lists import paging
from tests.entities.native import without_codec
from tests.server.service.test_paging import FILL, LISTS


def encoded(gateway: Any, request: Message) -> tuple[bytes, bytes]:
    """Return the encoded entities and the rest of a response, as the dispatcher gets them."""
    with encoded_entities() as entities:
        response = gateway.do(request)
    assert collected_entities() is None
    return b"".join(entities), PROTO.encode(response)


@LISTS
def test_the_bytes_are_equal_with_and_without_messages(gateway: Any, request_type: type[Message]) -> None:
    empty = PROTO.encode(gateway.do(request_type()))
    assert encoded(gateway, request_type()) == (b"", empty)
    for _ in range(3):
        FILL[request_type](gateway)
    size = "max_results" if "max_results" in request_type.DESCRIPTOR.fields_by_name else "page_size"
    for request in (request_type(), request_type(**{size: 2})):
        expected = PROTO.encode(gateway.do(request))
        entities, rest = encoded(gateway, request)
        assert entities + rest == expected
        assert bool(entities) is NATIVE
        with without_codec():
            assert encoded(gateway, request) == (b"", expected)
            assert PROTO.encode(gateway.do(request)) == expected


@LISTS
def test_a_page_that_is_too_large_is_cut_at_the_same_place(
    gateway: Any, request_type: type[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        FILL[request_type](gateway)
    expected = gateway.do(request_type())
    whole = expected.ByteSize()
    for limit in (whole, whole - 1, whole // 2, 1):
        monkeypatch.setattr(paging, "PAGE_BYTES", limit)
        expected = PROTO.encode(gateway.do(request_type()))
        assert b"".join(encoded(gateway, request_type())) == expected
        with without_codec():
            assert PROTO.encode(gateway.do(request_type())) == expected
