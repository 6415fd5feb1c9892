"""Conventions of every proto file, checked by descriptor: presence, comments, names and numbers."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto

from gateway_entities.errors import Code
from gateway_entities.methods import METHODS

Contract = Mapping[str, FileDescriptorProto]

# Field numbers in the descriptors, of which the paths of comments consist.
MESSAGES, ENUMS, SERVICES, FIELDS, NESTED, NESTED_ENUMS, MEMBERS = 4, 5, 6, 2, 3, 4, 2
OWN_NUMBERS = 1000
CONTRIBUTING = Path(__file__).resolve().parent.parent.parent / "CONTRIBUTING.md"


class Element(NamedTuple):
    """One commented element of the contract."""

    kind: str
    name: str
    comment: str


def messages_of(file: FileDescriptorProto) -> Iterator[tuple[str, tuple[int, ...], DescriptorProto]]:
    """Yield every message with its name and path, without the compiler's map entries."""
    waiting = [(message.name, (MESSAGES, index), message) for index, message in enumerate(file.message_type)]
    while waiting:
        name, place, message = waiting.pop(0)
        yield name, place, message
        waiting += [
            (f"{name}.{nested.name}", (*place, NESTED, index), nested)
            for index, nested in enumerate(message.nested_type)
            if not nested.options.map_entry
        ]


def elements_of(file: FileDescriptorProto) -> Iterator[Element]:
    """Yield every message, field, enum, enum value, service and RPC with its comment."""
    comments = {tuple(location.path): location.leading_comments for location in file.source_code_info.location}
    enums = [(enum.name, (ENUMS, index), enum) for index, enum in enumerate(file.enum_type)]
    for name, place, message in messages_of(file):
        yield Element("message", name, comments.get(place, ""))
        for index, field in enumerate(message.field):
            yield Element("field", f"{name}.{field.name}", comments.get((*place, FIELDS, index), ""))
        enums += [
            (f"{name}.{enum.name}", (*place, NESTED_ENUMS, index), enum) for index, enum in enumerate(message.enum_type)
        ]
    for name, place, enum in enums:
        yield Element("enum", name, comments.get(place, ""))
        for index, value in enumerate(enum.value):
            yield Element("value", f"{name}.{value.name}", comments.get((*place, MEMBERS, index), ""))
    for number, service in enumerate(file.service):
        yield Element("service", service.name, comments.get((SERVICES, number), ""))
        for index, method in enumerate(service.method):
            yield Element("rpc", f"{service.name}.{method.name}", comments.get((SERVICES, number, MEMBERS, index), ""))


def comment_fault(element: Element) -> str | None:
    """Return the fault of a comment; None if there is none."""
    text = element.comment.strip()
    if not text:
        return "no comment"
    if not re.match(r'[A-Z0-9"]', text) and not text.startswith(element.name.rpartition(".")[2]):
        return "the comment does not begin like a sentence"
    if not text.endswith((".", ")")):
        return "the comment does not end like a sentence"
    if element.kind != "rpc":
        return None
    errors = re.search(r"(?:^|\n)\s*\n\s*Errors: (.+)", text, re.DOTALL)
    if errors is None:
        return "no paragraph that begins with Errors:"
    # Each part starts with a code; its cause may follow in parentheses.
    listed = re.sub(r"\([^()]*\)", "", errors[1]).strip().removesuffix(".").split(";")
    unknown = [name.strip() for name in listed if name.strip() not in Code.__members__]
    return f"not a code: {', '.join(unknown)}" if unknown else None


def number_fault(message: str, field: FieldDescriptorProto) -> str | None:
    """Return the fault of a field number from 1000 up; None if there is none."""
    if field.number >= OWN_NUMBERS and not message.endswith(("Request", "Response")):
        return "a number of our own in a message that is not a request or a response"
    return None


def presence_fault(field: FieldDescriptorProto) -> str | None:
    """Return the fault of a field without presence; None if there is none."""
    singular = field.label != FieldDescriptorProto.LABEL_REPEATED
    scalar = field.type not in {FieldDescriptorProto.TYPE_MESSAGE, FieldDescriptorProto.TYPE_GROUP}
    return "not optional" if singular and scalar and not field.HasField("oneof_index") else None


def test_every_element_has_a_comment(contract: Contract) -> None:
    elements = [element for file in contract.values() for element in elements_of(file)]
    assert {element.kind for element in elements} == {"message", "field", "enum", "value", "service", "rpc"}
    assert sum(element.kind == "rpc" for element in elements) == len(METHODS)
    faults = [f"{element.name}: {fault}" for element in elements if (fault := comment_fault(element))]
    assert not faults, "\n".join(["", *faults])


def test_every_singular_scalar_and_enum_has_presence(contract: Contract) -> None:
    faults = [
        f"{name}.{field.name}: {fault}"
        for file in contract.values()
        for name, _, message in messages_of(file)
        for field in message.field
        if (fault := presence_fault(field))
    ]
    assert not faults, "\n".join(["", *faults])


def test_our_own_numbers_are_only_in_requests_and_responses(contract: Contract) -> None:
    faults = [
        f"{name}.{field.name}: {fault}"
        for file in contract.values()
        for name, _, message in messages_of(file)
        for field in message.field
        if (fault := number_fault(name, field))
    ]
    assert not faults, "\n".join(["", *faults])


def test_our_own_number_has_one_meaning(contract: Contract) -> None:
    names: dict[int, set[str]] = defaultdict(set)
    for file in contract.values():
        for _, _, message in messages_of(file):
            for field in message.field:
                if field.number >= OWN_NUMBERS:
                    names[field.number].add(field.name)
    listed = re.findall(r"^\| (\d{4}) \| `(\w+)` \|$", CONTRIBUTING.read_text(encoding="utf-8"), re.MULTILINE)
    assert names == {int(number): {name} for number, name in listed}


def test_requests_and_responses_are_named_after_their_rpc(contract: Contract) -> None:
    rpcs = [(file.package, method) for file in contract.values() for service in file.service for method in service.method]
    for package, method in rpcs:
        assert method.input_type == f".{package}.{method.name}Request"
        assert method.output_type == f".{package}.{method.name}Response"
    assert len({method.name for _, method in rpcs}) == len(rpcs)


def test_files_and_packages(contract: Contract) -> None:
    for name, file in contract.items():
        assert file.syntax == "proto3"
        assert file.package == str(PurePosixPath(name).parent).replace("/", ".")
        assert PurePosixPath(name).is_relative_to("gatewayentities")
        # MLflow registers a file of this name in the same pool.
        assert PurePosixPath(name).name != "service.proto"
        assert all(other in contract or other.startswith("google/protobuf/") for other in file.dependency)


@pytest.mark.parametrize(
    ("kind", "comment", "fault"),
    [
        ("field", "", "no comment"),
        ("field", "Name without an end", "end like a sentence"),
        ("field", "name of it.", "begin like a sentence"),
        ("rpc", "Get reads it.", "no paragraph"),
        ("rpc", "Get reads it. Errors: NOT_FOUND.", "no paragraph"),
        ("rpc", "Get reads it.\n\n Errors: NOT_FOUND; MISSING (the name).", "not a code: MISSING"),
    ],
)
def test_a_bad_comment_is_found(kind: str, comment: str, fault: str) -> None:
    assert fault in (comment_fault(Element(kind, "Service.Get", comment)) or "")


def test_a_field_without_presence_is_found() -> None:
    plain = FieldDescriptorProto(
        name="weight", number=1, type=FieldDescriptorProto.TYPE_FLOAT, label=FieldDescriptorProto.LABEL_OPTIONAL
    )
    assert presence_fault(plain)
    # An optional field has a synthetic oneof.
    plain.oneof_index = 0
    assert presence_fault(plain) is None


def test_our_own_number_in_a_resource_is_found() -> None:
    field = FieldDescriptorProto(name="etag", number=OWN_NUMBERS)
    assert number_fault("GatewayEndpoint", field)
    assert number_fault("GetGatewayEndpointResponse", field) is None
