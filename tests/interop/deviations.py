"""Where the runtime of a language is known to do otherwise than the contract, and why that is its own doing.

A deviation that is not listed fails the suite. One that is listed fails it too once it no longer shows, on its own sample or
on any other case. What the runtime gives instead is said wherever it can be, so that a fault in a deviating message is still
seen. See tests/interop/deviation.py for the ways to say it.
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
    refused,
    replace_numbers,
    texts,
    without_more_in_entries,
)
from tests.interop.encoding import minimal, with_short_tags, written
from tests.interop.reference import LARGEST_FLOAT, Answer, json_text

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


def with_other_nan(case: Case, wanted: Answer) -> Answer:
    message = MESSAGE_TYPES[case.message_type].FromString(wanted.value)
    replace_numbers(message, math.isnan, _OTHER_NAN, [FieldDescriptor.CPPTYPE_DOUBLE])
    return Answer("proto", written(message))


def sample(message_type: str, data: str) -> Case:
    return Case(f"sample/{message_type} {data}", message_type, bytes.fromhex(data))


def json_sample(message_type: str, text: str) -> Case:
    return Case(f"sample/{message_type} {text}", message_type, text=text)


DEVIATIONS: tuple[Deviation, ...] = (
    # How unknown fields are kept.
    Deviation(
        "unknown fields: dropped",
        frozenset({"rust"}),
        ENCODING,
        "The structs that prost generates hold the fields of their message and nothing else.",
        sample("GatewaySecretInfo", "0a01619a3f0178"),
        writing={"unknown": lambda unknown: b""},
    ),
    Deviation(
        "unknown fields: by number",
        frozenset({"java"}),
        ENCODING,
        "protobuf-java keeps unknown fields in an UnknownFieldSet, a sorted map from number to values; it loses their "
        "order and the needless bytes of varints, no value.",
        sample("GatewaySecretInfo", "a83f01a03f8100a53f01000000a03f02"),
        writing={"unknown": grouped},
    ),
    Deviation(
        "unknown fields: with the fewest bytes",
        frozenset({"cpp"}),
        ENCODING,
        "protobuf's UnknownFieldSet has the numbers and values of unknown fields, not the needless bytes of their varints.",
        sample("GatewaySecretInfo", "a0bf008100"),
        writing={"unknown": minimal},
    ),
    Deviation(
        "unknown fields: with the shortest tags",
        frozenset({"go", "ts", "browser"}),
        ENCODING,
        "protobuf-go and protobuf-es keep the bytes of an unknown field behind its tag, and write the tag anew.",
        sample("GatewaySecretInfo", "a0bf008100"),
        writing={"unknown": with_short_tags},
    ),
    # What is read of bytes.
    Deviation(
        "a known field of another wire type is an error",
        frozenset({"rust"}),
        BINARY,
        "prost refuses it where protobuf's own runtimes take it for an unknown field.",
        sample("GatewaySecretInfo", "0801"),
        applies=breaks("schema/wire-type"),
        instead=refused,
    ),
    Deviation(
        "a known field of another wire type is read as its own",
        frozenset({"ts", "browser"}),
        BINARY,
        "protobuf-es goes by the number alone. Whether that ends in an error or in some other value, the bytes say.",
        sample("GatewaySecretInfo", "0801"),
        applies=breaks("schema/wire-type"),
    ),
    Deviation(
        "a varint of more than 64 bits is an error",
        frozenset({"go", "rust"}),
        BINARY,
        "prost and protobuf-go refuse it where other runtimes drop the bits beyond the 64th.",
        sample("GatewayEndpoint", "6081808080808080808002"),
        applies=breaks("wire/varint-overflow"),
        instead=refused,
    ),
    Deviation(
        "a NaN may become another",
        frozenset({"ts", "browser"}),
        ENCODING,
        "ECMAScript has one NaN, and lets an engine change the bits of any: V8 does in code that it has compiled by then.",
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
        "map entries: what is neither key nor value is dropped",
        frozenset({"browser", "cpp", "go", "java", "python-pure", "rust", "ts"}),
        BINARY,
        "Maps hold keys and values, with no place for more. Only upb takes such an entry as an unknown field.",
        sample("GatewaySecretInfo", "1a080a01611201311801"),
        reads=without_more_in_entries,
    ),
    Deviation(
        "map entries: empty keys and values are not written",
        frozenset({"rust"}),
        frozenset({"decode", "from_json", "digest"}),
        "prost writes a map entry like a message without presence. Every reader gives the key and the value back, empty.",
        sample("GatewaySecretInfo", "1a040a001200"),
        writing={"whole_entries": False},
    ),
    # JSON that is written.
    Deviation(
        "JSON: no FieldMask with unknown fields",
        frozenset({"cpp"}),
        TO_JSON,
        "json_util of protobuf 3.21 refuses to render a FieldMask that has a field besides its paths.",
        sample("UpdateGatewaySecretRequest", "d23e03a83f01"),
        applies=has_fields_in_mask,
        instead=refused,
    ),
    Deviation(
        "JSON: negative zero is written as 0",
        frozenset({"ts", "browser"}),
        TO_JSON,
        "JSON.stringify writes 0 for -0, as the language says it must.",
        sample("GatewayBudgetWindow", "210000000000000080"),
        reads=numbers(is_negative_zero, 0.0, _BOTH_FLOATS),
    ),
    # JSON that is read.
    Deviation(
        "JSON: no negative zero",
        frozenset({"java"}),
        FROM_JSON,
        "JsonFormat reads a double by way of BigDecimal, which has no negative zero.",
        sample("GatewayBudgetWindow", "210000000000000080"),
        reads=numbers(is_negative_zero, 0.0),
    ),
    Deviation(
        "JSON: NaN has its lowest bit set",
        frozenset({"go"}),
        FROM_JSON,
        "protojson takes math.NaN(), which is 0x7FF8000000000001.",
        sample("GatewayBudgetWindow", "21000000000000f87f"),
        applies=lambda case: numbers(math.isnan, 0.0)(case) != case,
        instead=with_other_nan,
    ),
    Deviation(
        "JSON: a list or a string is a message",
        frozenset({"python", "python-pure"}),
        FROM_JSON,
        "json_format.Parse looks for names of fields in whatever it is given, and passes over those it does not know.",
        json_sample("GatewaySecretInfo", '["secret_id"]'),
        applies=lambda case: case.text is not None and case.text.startswith(("[", '"')),
        instead=lambda case, wanted: Answer("proto", b""),
    ),
    Deviation(
        "JSON: any scalar is a string",
        frozenset({"java"}),
        FROM_JSON,
        "JsonFormat takes the text of whatever scalar it finds where a string belongs.",
        json_sample("GatewaySecretInfo", '{"secret_id": 5}'),
        reads=texts(
            {
                '{"secret_id": 5}': '{"secret_id": "5"}',
                '{"masked_values": {"api_key": 1}}': '{"masked_values": {"api_key": "1"}}',
            }
        ),
    ),
    Deviation(
        "JSON: half a character is a question mark",
        frozenset({"java"}),
        FROM_JSON,
        "A Java string may hold a surrogate without its other half; what is encoded for it is a question mark.",
        json_sample("GatewaySecretInfo", '{"secret_id": "\\ud800"}'),
        reads=texts({'{"secret_id": "\\ud800"}': '{"secret_id": "?"}'}),
    ),
    Deviation(
        "JSON: an enum number beyond 32 bits is an unknown name",
        frozenset({"java"}),
        FROM_JSON,
        "JsonFormat tries it as a name when it is no 32-bit number, and ignoringUnknownFields ignores unknown names.",
        json_sample("FallbackConfig", '{"strategy": 2147483648}'),
        reads=texts({'{"strategy": 2147483648}': "{}"}),
    ),
    Deviation(
        "JSON: what follows the message is not read",
        frozenset({"java"}),
        FROM_JSON,
        "JsonFormat stops at the end of the first value.",
        json_sample("GatewayEndpoint", '{"endpoint_id": "a"} {"endpoint_id": "b"}'),
        reads=texts({'{"endpoint_id": "a"} {"endpoint_id": "b"}': '{"endpoint_id": "a"}'}),
    ),
    Deviation(
        "JSON: some values of another type are taken",
        frozenset({"cpp"}),
        FROM_JSON,
        "json_util of protobuf 3.21 passes over null wherever it stands, takes an object for the one element of a list, and "
        "words for booleans. Later releases have another reader.",
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
        instead=refused,
    ),
    # Python's decoder that is written in Python.
    Deviation(
        "tags are varints like others",
        frozenset({"python-pure"}),
        BINARY,
        "Python's own decoder takes a tag of any size, and one with needless bytes for that of an unknown field.",
        sample("DeleteGatewayEndpointRequest", "8a0003652d31"),
        applies=lambda case: case.name in _TAGS,
    ),
    Deviation(
        "every NaN is the same",
        frozenset({"python-pure"}),
        ENCODING,
        "Python's own decoder takes math.nan for whatever NaN the bytes say.",
        sample("GatewayBudgetWindow", "21010000000000f87f"),
        reads=numbers(math.isnan, math.nan, _BOTH_FLOATS),
    ),
    # Calls.
    Deviation(
        "a deadline that passes is a cancellation",
        frozenset({"rust"}),
        frozenset({"call grpc"}),
        "tonic's client gives CANCELLED when its own clock ends a call, and DEADLINE_EXCEEDED only when the server says so.",
        None,
        applies=lambda case: case.name == "call/nobody answers",
        instead=lambda case, wanted: Answer("call_error", 1),
    ),
    Deviation(
        "a server that is not there is an unknown error",
        frozenset({"browser"}),
        frozenset({"call http", "call http+json"}),
        "A browser tells a page no more than that fetch has failed.",
        None,
        applies=lambda case: case.name == "call/nobody listens",
        instead=lambda case, wanted: Answer("call_error", 2),
    ),
)
