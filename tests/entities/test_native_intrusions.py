"""The native codec beside code of the program: handlers of encoding errors, replaced converters, users of the collector."""

from __future__ import annotations

import gc
from abc import ABCMeta
from typing import Any

import pytest

from gateway_entities import (
    NATIVE,
    GatewayEndpoint,
    GatewayEndpointModelMapping,
    GatewayEndpointTag,
    GatewaySecretInfo,
    WireError,
)
from gateway_entities.entities import _native, base, parts, weights
from gatewayentities.v1 import endpoint_pb2
from tests.entities import native
from tests.entities.entity_types import filled
from tests.messages import varint

pytestmark = pytest.mark.skipif(
    not NATIVE,
    reason="the native codec is not built: python -m gateway_entities.entities._native.compile, with a C compiler",
)

TAG = b"\n\1k\x12\1v"
ENDPOINT = b"\n\3e-1\x18\1\x20\1\x42\6" + TAG
NOT_UTF8 = [
    *(
        b"\xff",
        b"\x80",
        b"\xc3",
        b"\xc0\x80",
        b"\xc1\xbf",
        b"\xe0\x9f\xbf",
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xf0\x8f\xbf\xbf",
    ),
    *(
        b"\xf4\x90\x80\x80",
        b"\xf5\x80\x80\x80",
        b"\xe2\x82",
        b"\xe2\x28\xa1",
        b"\xf0\x9f\x98",
        b"12345678\xff",
        b"1234567\xc3",
    ),
]
UTF8 = ["", "a", "é", "ab", "12345678", "123456789", "\x7f\x80\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff", "x" * 200]


def test_text_is_read_as_python_reads_it():
    for text in UTF8:
        data = text.encode()
        assert _native.decode
        assert _native.decode(GatewayEndpointTag, b"\n" + varint(len(data)) + data) == GatewayEndpointTag(text, None)


@pytest.mark.parametrize("data", NOT_UTF8, ids=bytes.hex)
def test_a_handler_of_the_program_does_not_let_in_what_is_no_utf_8(data: bytes):
    called: list[UnicodeError] = []

    def handler(error: UnicodeError) -> Any:
        called.append(error)
        return "?", error.end  # type: ignore[attr-defined]

    with native.strict_handler(handler), pytest.raises(WireError, match="the bytes are not a message of this type"):
        GatewayEndpointTag.from_bytes(b"\n" + varint(len(data)) + data)
    assert not called


def test_the_codec_calls_no_handler_for_text_without_utf_8():
    called: list[UnicodeError] = []

    def handler(error: UnicodeError) -> Any:
        called.append(error)
        raise error

    assert _native.encode
    with native.strict_handler(handler):
        for text in ("\ud800", "\U0010ffff\udfff", "ab\udc80"):
            assert _native.encode(GatewayEndpointTag(text, None)) is None
            assert _native.encode(GatewaySecretInfo("s-1", "n", {text: "v"}, 1, 1)) is None
    assert not called


def test_what_a_handler_frees_while_entities_are_encoded_is_not_used():
    native.compare_emptied()


def test_an_entity_is_not_found_before_it_is_complete(monkeypatch: pytest.MonkeyPatch):
    found: list[list[Any]] = []
    real = weights.shortest_decimal

    def entities() -> list[Any]:
        return [each for each in gc.get_objects() if type(each) in (GatewayEndpoint, GatewayEndpointModelMapping)]

    def shortest_decimal(weight: float) -> Any:
        found.append(entities())
        return real(weight)

    endpoint = filled(GatewayEndpoint)
    endpoint.model_mappings[0].weight = 0.876543
    data = endpoint.to_bytes()
    expected = native.exactly(endpoint)
    del endpoint
    gc.collect()
    monkeypatch.setattr(weights, "shortest_decimal", shortest_decimal)
    before = set(map(id, entities()))
    read = GatewayEndpoint.from_bytes(data)
    monkeypatch.undo()
    # Of the weights of the other mappings the decimals may be known.
    assert len(found) in (1, 2, 3)
    assert [each for each in found[0] if id(each) not in before] == []
    assert native.exactly(read) == expected
    assert gc.is_tracked(read)
    assert all(map(gc.is_tracked, [*read.model_mappings, *read.tags]))


def test_a_converter_that_is_replaced_after_the_first_use_is_called(monkeypatch: pytest.MonkeyPatch):
    assert GatewayEndpointTag.from_bytes(TAG).key == "k"
    assert GatewayEndpoint.from_bytes(ENDPOINT).tags[0].key == "k"
    real_read, real_write = GatewayEndpointTag._read.__func__, GatewayEndpointTag._write  # type: ignore[attr-defined]

    def read(cls: Any, proto: Any) -> Any:
        entity = real_read(cls, proto)
        entity.key = entity.key.upper()
        return entity

    def write(self: Any, proto: Any) -> None:
        real_write(self, proto)
        proto.value = "written"

    with monkeypatch.context() as patches:
        patches.setattr(GatewayEndpointTag, "_read", classmethod(read))
        assert GatewayEndpointTag.from_bytes(TAG).key == "K"
        assert GatewayEndpoint.from_bytes(ENDPOINT).tags[0].key == "K"
        response = endpoint_pb2.ListGatewayEndpointsResponse
        assert parts.split(response, GatewayEndpoint, b"\n" + varint(len(ENDPOINT)) + ENDPOINT) is None
    with monkeypatch.context() as patches:
        patches.setattr(GatewayEndpointTag, "_write", write)
        endpoint = GatewayEndpoint("e-1", None, 1, 1, tags=[GatewayEndpointTag("k", "v")])
        assert GatewayEndpointTag("k", "v").to_bytes().endswith(b"written")
        assert endpoint.to_bytes() == native.reference_encode(endpoint)
    assert GatewayEndpoint.from_bytes(ENDPOINT).to_bytes() == ENDPOINT
    assert _native.encode
    assert _native.encode(GatewayEndpointTag("k", "v")) == TAG, "the codec is used again"


def test_from_proto_and_to_proto_are_called_when_they_are_replaced(monkeypatch: pytest.MonkeyPatch):
    assert GatewayEndpointTag.from_bytes(TAG).to_bytes() == TAG
    other = GatewayEndpointTag("other", None)
    with monkeypatch.context() as patches:
        patches.setattr(GatewayEndpointTag, "from_proto", classmethod(lambda _cls, _proto: other))
        assert GatewayEndpointTag.from_bytes(TAG) is other
    with monkeypatch.context() as patches:
        patches.setattr(base.Entity, "to_proto", lambda _self: endpoint_pb2.GatewayEndpointTag(key="other"))
        assert GatewayEndpointTag("k", None).to_bytes() == b"\n\5other"
    with monkeypatch.context() as patches:
        patches.setattr(GatewayEndpointTag, "key", property(lambda _self: "K"))
        assert GatewayEndpointTag.__new__(GatewayEndpointTag).key == "K"
        assert _native.decode
        assert _native.decode(GatewayEndpointTag, TAG) is None
    assert GatewayEndpointTag.from_bytes(TAG).to_bytes() == TAG


def test_a_class_that_is_equal_to_an_entity_is_another():
    class Meta(ABCMeta):
        def __eq__(cls, other: object) -> bool:
            return other is GatewayEndpointTag or other is cls

        def __hash__(cls) -> int:
            return hash(GatewayEndpointTag)

    class Alike(GatewayEndpointTag, metaclass=Meta):
        __slots__ = ()

    assert GatewayEndpointTag.from_bytes(TAG) == GatewayEndpointTag("k", "v")
    assert type(Alike.from_bytes(TAG)) is Alike
    assert Alike("k", "v").to_bytes() == TAG
    assert _native.decode
    assert type(_native.decode(GatewayEndpointTag, TAG)) is GatewayEndpointTag, "the codec has its table still"
