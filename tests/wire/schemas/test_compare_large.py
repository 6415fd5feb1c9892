"""Comparisons take time and memory in proportion to the schema."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

import pytest

from gateway_entities.wire import Comparison, compare
from tests.wire.schemas.model import model


def fields(count: int, kind: str, prefix: str = "f") -> str:
    return "M: " + "; ".join(f"{kind} {prefix}{i} {i + 1}" for i in range(count))


def values(count: int, prefix: str) -> str:
    return "M: E e 1\nenum E: " + "; ".join(f"{prefix}{i} {i}" for i in range(count))


def chain(count: int, kind: str, label: str = "optional") -> str:
    links = "\n".join(f"M{i}: {label} M{i + 1} n 1; optional {kind} v 2" for i in range(count))
    return f"{links}\nM{count}: optional int32 v 1"


def cycle(count: int, kind: str) -> str:
    return "\n".join(f"M{i}: M{(i + 1) % count} n 1; {kind} v 2" for i in range(count))


def into_oneof(count: int) -> str:
    return "M: " + "; ".join(f"string f{i} {i + 1} oneof=choice" for i in range(count))


def between(old: str, new: str, syntax: str = "proto3") -> Comparison:
    return compare(model(old, syntax=syntax).schema("old"), model(new, syntax=syntax).schema("new"))


GROWING: dict[str, Callable[[int], Comparison]] = {
    "fields retyped": lambda n: between(fields(n, "int32"), fields(n, "int64")),
    "fields renamed": lambda n: between(fields(n, "int32"), fields(n, "int32", "g")),
    "fields of another message": lambda n: between(
        fields(n, "K") + "\nK: string a 1\nL: int32 a 1", fields(n, "L") + "\nK: string a 1\nL: int32 a 1"
    ),
    "values renamed": lambda n: between(values(2 * n, "A"), values(2 * n, "B")),
    "fields into a oneof": lambda n: between(fields(n, "string"), into_oneof(n)),
    "chain of messages": lambda n: between(chain(n, "int32"), chain(n, "int64")),
}


@pytest.mark.parametrize("name", GROWING)
def test_the_time_grows_with_the_schema_and_not_with_its_square(name: str) -> None:
    def seconds(count: int) -> float:
        start = time.process_time()
        assert GROWING[name](count).breaks
        return time.process_time() - start

    seconds(10)
    # A collection would count what other tests have left in memory.
    gc.collect()
    gc.disable()
    try:
        small, large = (min(seconds(count) for _ in range(2)) for count in (80, 400))
    finally:
        gc.enable()
    # Five times the size takes about five times as long; the square would be 25 times.
    assert large < 11 * small + 0.1


def test_every_changed_field_of_a_large_message_is_found() -> None:
    result = between(fields(300, "int32"), fields(300, "int64"))
    assert {b.subject for b in result.breaks} == {f"x.M.f{i}" for i in range(300)}
    assert {(b.message_type, b.witness.message_type) for b in result.breaks if b.witness is not None} == {("x.M", "x.M")}
    assert not [b for b in result.breaks if "part_of" in f"{b}"]


def test_a_large_message_is_compared_as_a_small_one_is() -> None:
    changes = (
        "string a 200; int32 b 201; string c 202 oneof=o; map<string, string> d 203; K e 204; string g 206",
        "string a 200 json=z; string c 202; string b 205 oneof=o; map<string, bytes> d 203; L e 204; string g 207",
    )
    rest = "\nK: string a 1\nL: int32 a 1"
    found = []
    for size in (1, 100):
        old, new = (f"{fields(size, 'int32')}; {each}{rest}" for each in changes)
        result = between(old, new)
        found.append({(b.direction, b.level, b.kind, b.subject, b.message) for b in result.breaks})
    assert found[0] == found[1]


def test_messages_that_lead_to_each_other_in_a_long_cycle_are_compared() -> None:
    assert len(between(cycle(600, "int32"), cycle(600, "int64")).breaks) == 1200


def test_a_message_that_requires_too_many_others_is_left_out_by_name() -> None:
    result = between(chain(150, "int32", "required"), chain(150, "int64", "required"), "proto2")
    assert "x.M0 was not compared: it requires itself, or messages more than 100 deep" in result.left_out[0]
    assert {b.subject for b in result.breaks} >= {"x.M149.v", "x.M100.v"}
