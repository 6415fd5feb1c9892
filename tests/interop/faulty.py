"""A relay that plants a fault in a testee's responses, which the suite must report.

python -m tests.interop.faulty FAULT COMMAND...
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from google.protobuf import proto
from google.protobuf.message import DecodeError, Message

from gateway_entities.methods import METHODS
from gateway_entities.wire import MESSAGE_TYPES
from gatewayentities.v1.change_pb2 import WatchGatewayResponse
from tests.interop.cases import PACKAGE
from tests.interop.proto.testee_pb2 import TesteeRequest, TesteeResponse

RESPONSES = {method.path: method.response_type for method in METHODS}


def below(message: Message, kind: str) -> Iterator[Message]:
    """Yield every message of a type in a message, including itself."""
    if message.DESCRIPTOR.name == kind:
        yield message
    for field, value in message.ListFields():
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for item in value if field.is_repeated else [value]:
                yield from below(item, kind)


def decoded(request: TesteeRequest, response: TesteeResponse) -> Message | None:
    """Return the message of a response; None if it has none."""
    kind = RESPONSES.get(request.call.path) or MESSAGE_TYPES.get(request.message_type.removeprefix(f"{PACKAGE}."))
    if kind is None or not response.HasField("proto"):
        return None
    try:
        return kind.FromString(response.proto)
    except DecodeError:
        return None


def dropped_field(request: TesteeRequest, response: TesteeResponse) -> None:
    message = decoded(request, response)
    for each in below(message, "GatewayEndpointModelMapping") if message is not None else ():
        each.ClearField("fallback_order")
        each.ClearField("linkage_type")
    if message is not None:
        response.proto = message.SerializeToString()


def changed_enum(request: TesteeRequest, response: TesteeResponse) -> None:
    message = decoded(request, response)
    for each in below(message, "FallbackConfig") if message is not None else ():
        if each.HasField("strategy"):
            each.strategy ^= 1
    if message is not None:
        response.proto = message.SerializeToString()


def swapped_byte(request: TesteeRequest, response: TesteeResponse) -> None:
    data = response.proto
    if len(data) > 2 and data[-1] != data[-2]:
        response.proto = data[:-2] + data[:-3:-1]


def number_for_int64(request: TesteeRequest, response: TesteeResponse) -> None:
    value = json.loads(response.json) if response.HasField("json") else {}
    if "created_at" in value:
        response.json = json.dumps({**value, "created_at": int(value["created_at"])})


def name_in_camel_case(request: TesteeRequest, response: TesteeResponse) -> None:
    if response.HasField("json"):
        response.json = response.json.replace('"endpoint_id"', '"endpointId"')


def wrong_digest(request: TesteeRequest, response: TesteeResponse) -> None:
    if response.HasField("digest"):
        response.digest = response.digest[::-1]


def swallowed_error(request: TesteeRequest, response: TesteeResponse) -> None:
    if response.HasField("parse_error") or response.HasField("call_error"):
        response.proto = b""


def invented_error(request: TesteeRequest, response: TesteeResponse) -> None:
    if request.message_type.endswith("FallbackConfig") or "BudgetPolicy" in request.call.path:
        response.parse_error = "it does not like it"


def changed_status(request: TesteeRequest, response: TesteeResponse) -> None:
    if response.HasField("call_error"):
        response.call_error.code = 2


def lost_details(request: TesteeRequest, response: TesteeResponse) -> None:
    if response.HasField("call_error"):
        response.call_error.ClearField("details")


def lost_removal(request: TesteeRequest, response: TesteeResponse) -> None:
    if request.WhichOneof("operation") in ("stream", "next") and response.HasField("proto"):
        update = WatchGatewayResponse.FromString(response.proto)
        update.ClearField("removed")
        response.proto = update.SerializeToString()


def not_supported(request: TesteeRequest, response: TesteeResponse) -> None:
    response.unsupported = "it is new to this"


def ends(request: TesteeRequest, response: TesteeResponse) -> None:
    print("out of order", file=sys.stderr)
    sys.exit(3)


def falls_silent(request: TesteeRequest, response: TesteeResponse) -> None:
    time.sleep(3600)


def talks(request: TesteeRequest, response: TesteeResponse) -> None:
    print("INFO: all is well, " * 10, flush=True)


def says_nothing(request: TesteeRequest, response: TesteeResponse) -> None:
    response.Clear()


FAULTS: dict[str, Callable[[TesteeRequest, TesteeResponse], None]] = {
    plant.__name__: plant
    for plant in (
        *(dropped_field, changed_enum, swapped_byte, number_for_int64, name_in_camel_case, wrong_digest),
        *(swallowed_error, invented_error, changed_status, lost_details, lost_removal, not_supported),
        *(ends, falls_silent, talks, says_nothing),
    )
}
"""The faults by name."""


def main() -> None:
    plant, command = FAULTS[sys.argv[1]], sys.argv[2:]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as behind:
        assert behind.stdin is not None
        assert behind.stdout is not None
        try:
            while (request := proto.parse_length_prefixed(TesteeRequest, sys.stdin.buffer)) is not None:
                proto.serialize_length_prefixed(request, behind.stdin)
                behind.stdin.flush()
                response = proto.parse_length_prefixed(TesteeResponse, behind.stdout)
                plant(request, response)
                proto.serialize_length_prefixed(response, sys.stdout.buffer)
                sys.stdout.buffer.flush()
        finally:
            behind.stdin.close()


if __name__ == "__main__":
    main()
