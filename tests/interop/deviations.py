"""Known deviations of the languages' runtimes from the contract, with their causes.

An unlisted deviation fails the suite. A listed one fails it too if no case shows it. The deviating result is predicted where
possible, so that a fault in a deviating message is still found. See tests/interop/deviation.py for the kinds.
"""

from __future__ import annotations

import math
import struct

from google.protobuf.descriptor import FieldDescriptor

from gateway_entities.wire import MESSAGE_TYPES
from tests.interop.cases import Case
from tests.interop.deviation import (
    Deviation,
    breaks,
    by_utf16,
    grouped,
    has_fields_in_mask,
    longer_first,
    numbers,
    rejected,
    replace_numbers,
    texts,
    without_more_in_entries,
)
from tests.interop.encoding import minimal, with_short_tags, written
from tests.interop.reference import LARGEST_FLOAT, Result, json_text

BINARY = frozenset({"decode", "to_json", "digest"})
ENCODING = frozenset({"decode", "digest"})
FROM_JSON = frozenset({"from_json"})
TO_JSON = frozenset({"to_json"})

_BOTH_FLOATS = (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT)
_OTHER_NAN = struct.unpack("<d", bytes.fromhex("010000000000f87f"))[0]

_TAGS = {
    "bad/GatewayEndpoint.wire-field-number-1",
    "bad/DeleteGatewayEndpointRequest.wire-overlong-varint-0",
    "sample/DeleteGatewayEndpointRequest 8a0003652d31",
}


def is_negative_zero(number: float) -> bool:
    return number == 0 and math.copysign(1, number) < 0


def with_other_nan(case: Case, wanted: Result) -> Result:
    message = MESSAGE_TYPES[case.message_type].FromString(wanted.value)
    replace_numbers(message, math.isnan, _OTHER_NAN, [FieldDescriptor.CPPTYPE_DOUBLE])
    return Result("proto", written(message))


def sample(message_type: str, data: str) -> Case:
    return Case(f"sample/{message_type} {data}", message_type, bytes.fromhex(data))


def json_sample(message_type: str, text: str) -> Case:
    return Case(f"sample/{message_type} {text}", message_type, text=text)


DEVIATIONS: tuple[Deviation, ...] = (
    # Unknown fields.
    Deviation(
        "unknown fields: dropped",
        frozenset({"rust"}),
        ENCODING,
        "The structs that prost generates have the fields of their message only.",
        sample("GatewaySecretInfo", "0a01619a3f0178"),
        writing={"unknown": lambda unknown: b""},
    ),
    Deviation(
        "unknown fields: by number",
        frozenset({"java"}),
        ENCODING,
        "protobuf-java keeps unknown fields in an UnknownFieldSet, a sorted map from number to values; it loses their "
        "order and the redundant bytes of varints, but no value.",
        sample("GatewaySecretInfo", "a83f01a03f8100a53f01000000a03f02"),
        writing={"unknown": grouped},
    ),
    Deviation(
        "unknown fields: with the fewest bytes",
        frozenset({"cpp"}),
        ENCODING,
        "protobuf's UnknownFieldSet has the numbers and values of unknown fields, not the redundant bytes of their varints.",
        sample("GatewaySecretInfo", "a0bf008100"),
        writing={"unknown": minimal},
    ),
    Deviation(
        "unknown fields: with the shortest tags",
        frozenset({"go", "ts", "browser"}),
        ENCODING,
        "protobuf-go and protobuf-es preserve the bytes of an unknown field after its tag, and encode the tag again.",
        sample("GatewaySecretInfo", "a0bf008100"),
        writing={"unknown": with_short_tags},
    ),
    # Binary decoding.
    Deviation(
        "a known field of another wire type is an error",
        frozenset({"rust"}),
        BINARY,
        "prost rejects it where protobuf's own runtimes treat it as an unknown field.",
        sample("GatewaySecretInfo", "0801"),
        applies=breaks("schema/wire-type"),
        instead=rejected,
    ),
    Deviation(
        "a known field of another wire type is read as its own",
        frozenset({"ts", "browser"}),
        BINARY,
        "protobuf-es uses the number alone. The bytes decide between an error and another value.",
        sample("GatewaySecretInfo", "0801"),
        applies=breaks("schema/wire-type"),
    ),
    Deviation(
        "a varint of more than 64 bits is an error",
        frozenset({"go", "rust"}),
        BINARY,
        "prost and protobuf-go reject it where other runtimes drop the bits beyond the 64th.",
        sample("GatewayEndpoint", "6081808080808080808002"),
        applies=breaks("wire/varint-overflow"),
        instead=rejected,
    ),
    Deviation(
        "a NaN may become another",
        frozenset({"ts", "browser"}),
        ENCODING,
        "ECMAScript has one NaN and lets engines change its bits: V8 does in compiled code.",
        sample("GatewayBudgetWindow", "21010000000000f87f"),
        reads=numbers(math.isnan, math.nan, _BOTH_FLOATS),
        sometimes=True,
    ),
    # Maps.
    Deviation(
        "map keys: the longer first",
        frozenset({"python"}),
        frozenset({"digest"}),
        "upb sorts the keys of a map by their bytes; of two keys of which one begins with the other the longer comes first.",
        sample("GatewaySecretInfo", "1a060a01611201311a070a026162120132"),
        writing={"keys": longer_first},
    ),
    Deviation(
        "map keys: in UTF-16",
        frozenset({"java"}),
        frozenset({"digest"}),
        "CodedOutputStream sorts the keys of a map as Java compares strings, by UTF-16 code units: those beyond U+FFFF come "
        "before U+E000 to U+FFFF.",
        sample("GatewaySecretInfo", "1a080a03efbd9e1201311a090a04f09f9880120132"),
        writing={"keys": by_utf16},
    ),
    Deviation(
        "map entries: unknown fields are dropped",
        frozenset({"browser", "cpp", "go", "java", "python-pure", "rust", "ts"}),
        BINARY,
        "Maps have no place for unknown fields. Only upb treats such an entry as an unknown field.",
        sample("GatewaySecretInfo", "1a080a01611201311801"),
        reads=without_more_in_entries,
    ),
    Deviation(
        "map entries: empty keys and values are not written",
        frozenset({"rust"}),
        frozenset({"decode", "from_json", "digest"}),
        "prost writes a map entry like a message without presence. Decoders restore the empty key and value.",
        sample("GatewaySecretInfo", "1a040a001200"),
        writing={"whole_entries": False},
    ),
    # JSON encoding.
    Deviation(
        "JSON: no FieldMask with unknown fields",
        frozenset({"cpp"}),
        TO_JSON,
        "json_util of protobuf 3.21 does not encode a FieldMask with unknown fields.",
        sample("UpdateGatewaySecretRequest", "d23e03a83f01"),
        applies=has_fields_in_mask,
        instead=rejected,
    ),
    Deviation(
        "JSON: negative zero is written as 0",
        frozenset({"ts", "browser"}),
        TO_JSON,
        "JSON.stringify writes 0 for -0, as ECMAScript requires.",
        sample("GatewayBudgetWindow", "210000000000000080"),
        reads=numbers(is_negative_zero, 0.0, _BOTH_FLOATS),
    ),
    # JSON decoding.
    Deviation(
        "JSON: no negative zero",
        frozenset({"java"}),
        FROM_JSON,
        "JsonFormat parses a double as BigDecimal, which has no negative zero.",
        sample("GatewayBudgetWindow", "210000000000000080"),
        reads=numbers(is_negative_zero, 0.0),
    ),
    Deviation(
        "JSON: NaN has its lowest bit set",
        frozenset({"go"}),
        FROM_JSON,
        "protojson uses math.NaN(), which is 0x7FF8000000000001.",
        sample("GatewayBudgetWindow", "21000000000000f87f"),
        applies=lambda case: numbers(math.isnan, 0.0)(case) != case,
        instead=with_other_nan,
    ),
    Deviation(
        "JSON: a list or a string is a message",
        frozenset({"python", "python-pure"}),
        FROM_JSON,
        "json_format.Parse looks for field names in values of any type, and ignores unknown ones.",
        json_sample("GatewaySecretInfo", '["secret_id"]'),
        applies=lambda case: case.text is not None and case.text.startswith(("[", '"')),
        instead=lambda case, wanted: Result("proto", b""),
    ),
    Deviation(
        "JSON: any scalar is a string",
        frozenset({"java"}),
        FROM_JSON,
        "JsonFormat accepts the text of any scalar for a string.",
        json_sample("GatewaySecretInfo", '{"secret_id": 5}'),
        reads=texts(
            {
                '{"secret_id": 5}': '{"secret_id": "5"}',
                '{"masked_values": {"api_key": 1}}': '{"masked_values": {"api_key": "1"}}',
            }
        ),
    ),
    Deviation(
        "JSON: a lone surrogate is a question mark",
        frozenset({"java"}),
        FROM_JSON,
        "A Java string may contain a lone surrogate, which is encoded as a question mark.",
        json_sample("GatewaySecretInfo", '{"secret_id": "\\ud800"}'),
        reads=texts({'{"secret_id": "\\ud800"}': '{"secret_id": "?"}'}),
    ),
    Deviation(
        "JSON: an enum number beyond 32 bits is an unknown name",
        frozenset({"java"}),
        FROM_JSON,
        "JsonFormat parses it as a name if it is no 32-bit number, and ignoringUnknownFields ignores unknown names.",
        json_sample("FallbackConfig", '{"strategy": 2147483648}'),
        reads=texts({'{"strategy": 2147483648}': "{}"}),
    ),
    Deviation(
        "JSON: trailing data is ignored",
        frozenset({"java"}),
        FROM_JSON,
        "JsonFormat stops at the end of the first value.",
        json_sample("GatewayEndpoint", '{"endpoint_id": "a"} {"endpoint_id": "b"}'),
        reads=texts({'{"endpoint_id": "a"} {"endpoint_id": "b"}': '{"endpoint_id": "a"}'}),
    ),
    Deviation(
        "JSON: some values of other types are accepted",
        frozenset({"cpp"}),
        FROM_JSON,
        "json_util of protobuf 3.21 ignores null everywhere, and accepts an object for a list of one element and words for "
        "booleans. Later releases have another parser.",
        json_sample("GatewayEndpoint", '{"model_mappings": [null, null]}'),
        reads=texts(
            {
                '{"model_mappings": [null, null]}': '{"model_mappings": []}',
                '{"model_mappings": [null]}': '{"model_mappings": []}',
                '{"model_mappings": {}}': '{"model_mappings": [{}]}',
                '{"masked_values": {"api_key": null}}': '{"masked_values": {"api_key": ""}}',
                '{"usage_tracking": "yes"}': '{"usage_tracking": true}',
            }
        ),
    ),
    Deviation(
        "JSON: the largest float is too large",
        frozenset({"python", "python-pure", "rust"}),
        FROM_JSON,
        "json_format and prost-reflect compare the decimal with the largest float before they round it. json_format itself "
        "writes that float as such a decimal.",
        sample("GatewayEndpointModelConfig", "1dffff7f7f"),
        applies=lambda case: LARGEST_FLOAT[0] in json_text(case),
        instead=rejected,
    ),
    # The pure-Python decoder.
    Deviation(
        "tags of any size are accepted",
        frozenset({"python-pure"}),
        BINARY,
        "The pure-Python decoder accepts a tag of any size, and treats an overlong one as that of an unknown field.",
        sample("DeleteGatewayEndpointRequest", "8a0003652d31"),
        applies=lambda case: case.name in _TAGS,
    ),
    Deviation(
        "every NaN is the same",
        frozenset({"python-pure"}),
        ENCODING,
        "The pure-Python decoder returns math.nan for all NaNs.",
        sample("GatewayBudgetWindow", "21010000000000f87f"),
        reads=numbers(math.isnan, math.nan, _BOTH_FLOATS),
    ),
    # Calls.
    Deviation(
        "a deadline that passes is a cancellation",
        frozenset({"rust"}),
        frozenset({"call grpc"}),
        "tonic's client reports its own timeout as CANCELLED, and DEADLINE_EXCEEDED only from the server.",
        None,
        applies=lambda case: case.name == "call/no response",
        instead=lambda case, wanted: Result("call_error", 1),
    ),
    Deviation(
        "an unreachable server is an unknown error",
        frozenset({"browser"}),
        frozenset({"call http", "call http+json"}),
        "A browser reports to a page only that fetch failed.",
        None,
        applies=lambda case: case.name == "call/no listener",
        instead=lambda case, wanted: Result("call_error", 2),
    ),
)
