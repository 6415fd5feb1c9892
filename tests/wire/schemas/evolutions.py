"""Random schema evolutions with known breaks, to measure recall and precision of ``compare``.

    python -m tests.wire.schemas.evolutions [COUNT] [SEED]

Each evolution changes fields or enum values of a random schema, each at most once. The expected breaks follow from the kind
of change and from tables of value ranges, not from decoding.
"""

from __future__ import annotations

import copy
import itertools
import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway_entities.wire.schemas.compare import compare
from gateway_entities.wire.schemas.limits import Limit
from gateway_entities.wire.schemas.report import DifferenceLevel, Direction
from tests.wire.schemas.model import SCALARS, Enum, Field, Message, Model, Rpc

NEW, OLD = Direction.NEW_READS_OLD, Direction.OLD_READS_NEW
BOTH = (NEW, OLD)
READ_ONLY = 1
Break = tuple[Direction, DifferenceLevel, str]

RANGES = {
    **dict.fromkeys(("int32", "sint32", "sfixed32"), (-(2**31), 2**31 - 1)),
    **dict.fromkeys(("uint32", "fixed32"), (0, 2**32 - 1)),
    **dict.fromkeys(("int64", "sint64", "sfixed64"), (-(2**63), 2**63 - 1)),
    **dict.fromkeys(("uint64", "fixed64"), (0, 2**64 - 1)),
}
CODINGS = {
    **dict.fromkeys(("int32", "int64", "uint32", "uint64", "bool"), "varint"),
    **dict.fromkeys(("sint32", "sint64"), "zigzag"),
    **dict.fromkeys(("fixed32", "sfixed32"), "4 bytes"),
    **dict.fromkeys(("fixed64", "sfixed64"), "8 bytes"),
}


def holds(wide: str, narrow: str) -> bool:
    return RANGES[wide][0] <= RANGES[narrow][0] and RANGES[narrow][1] <= RANGES[wide][1]


def readable_binary(written: str, read: str) -> bool:
    """Return whether every value of one type reads as the same value of the other in bytes."""
    if written == "bool":
        return read in ("int32", "int64", "uint32", "uint64")
    if written in RANGES and read in RANGES:
        return CODINGS[written] == CODINGS[read] and holds(read, written)
    return (written, read) == ("string", "bytes")


def readable_json(written: str, read: str) -> bool:
    if written in RANGES and read in RANGES:
        return holds(read, written)
    # A double represents integers exactly up to 53 bits.
    exact = written in RANGES and RANGES[written][1] < 2**53
    return (exact and read == "double") or (written, read) == ("float", "double")


@dataclass
class Evolution:
    """One schema made into another, with what that breaks. Subjects are named as the writer names them."""

    random: random.Random
    old: Model
    new: Model
    old_limits: dict[str, Limit] = field(default_factory=dict)
    new_limits: dict[str, Limit] = field(default_factory=dict)
    truth: set[Break] = field(default_factory=set)
    changes: list[str] = field(default_factory=list)

    def breaks(self, directions: tuple[Direction, ...], level: DifferenceLevel, old: str, new: str | None = None) -> None:
        self.truth |= {(d, level, f"x.{old if d is NEW else new or old}") for d in directions}

    def found(self) -> set[Break]:
        old = self.old.schema("old").with_limits(self.old_limits)
        new = self.new.schema("new").with_limits(self.new_limits)
        return {(b.direction, b.level, b.subject) for b in compare(old, new).breaks}


Change = Callable[[Evolution, str, Field], bool]
"""Makes a change to a field of a message of the new model; False if that kind of change does not fit the field."""


def is_scalar(f: Field) -> bool:
    return f.type in SCALARS and f.label in ("optional", "implicit") and f.oneof is None


def removed(e: Evolution, message: str, f: Field) -> bool:
    target = e.new.messages[message]
    if f.label == "required" or f.oneof is not None:
        return False
    target.fields.remove(f)
    reserved = e.random.choice(((), (f.number,), (f.name,), (f.number, f.name)))
    target.reserved += reserved
    if f.number not in reserved:
        e.breaks((NEW,), DifferenceLevel.BINARY, f"{message}.{f.name}")
    if f.name not in reserved:
        e.breaks((NEW,), DifferenceLevel.JSON, f"{message}.{f.name}")
    return True


def added(e: Evolution, message: str, f: Field) -> bool:
    number = 500 + f.number
    label = e.random.choice(("optional", "repeated"))
    e.new.messages[message].fields.append(Field(f"added_{f.number}", number, e.random.choice(list(SCALARS)), label))
    return True


def renamed(e: Evolution, message: str, f: Field) -> bool:
    old, f.name = f.name, f"renamed_{f.name}"
    e.breaks(BOTH, DifferenceLevel.JSON, f"{message}.{old}", f"{message}.{f.name}")
    return True


def renumbered(e: Evolution, message: str, f: Field) -> bool:
    if f.label == "required" or f.oneof is not None:
        return False
    f.number += 700
    e.breaks(BOTH, DifferenceLevel.BINARY, f"{message}.{f.name}")
    return True


def retyped(e: Evolution, message: str, f: Field) -> bool:
    if not is_scalar(f):
        return False
    old, f.type = f.type, e.random.choice([t for t in SCALARS if t != f.type])
    for direction, (written, read) in ((NEW, (old, f.type)), (OLD, (f.type, old))):
        if not readable_binary(written, read):
            e.breaks((direction,), DifferenceLevel.BINARY, f"{message}.{f.name}")
        if not readable_json(written, read):
            e.breaks((direction,), DifferenceLevel.JSON, f"{message}.{f.name}")
    return True


def made_message(e: Evolution, message: str, f: Field) -> bool:
    if not is_scalar(f) or f.label == "implicit":
        return False
    old, f.type = f.type, "Leaf"
    # A message's bytes are bytes; nothing else reads the other way round.
    e.breaks(BOTH if old != "bytes" else (NEW,), DifferenceLevel.BINARY, f"{message}.{f.name}")
    e.breaks(BOTH, DifferenceLevel.JSON, f"{message}.{f.name}")
    return True


def made_repeated(e: Evolution, message: str, f: Field) -> bool:
    if f.oneof is not None or f.label not in ("optional", "implicit") or f.type.startswith("map<"):
        return False
    f.label = "repeated"
    e.breaks((OLD,), DifferenceLevel.BINARY, f"{message}.{f.name}")
    e.breaks(BOTH, DifferenceLevel.JSON, f"{message}.{f.name}")
    return True


def made_singular(e: Evolution, message: str, f: Field) -> bool:
    if f.label != "repeated" or f.type.startswith("map<"):
        return False
    f.label = "optional"
    e.breaks((NEW,), DifferenceLevel.BINARY, f"{message}.{f.name}")
    e.breaks(BOTH, DifferenceLevel.JSON, f"{message}.{f.name}")
    return True


def moved_into_oneof(e: Evolution, message: str, f: Field) -> bool:
    oneof = "choice"
    members = [other for other in e.new.messages[message].fields if other.oneof == oneof]
    if not members or f.oneof is not None or f.label not in ("optional", "implicit") or f.default:
        return False
    if f.label == "implicit" and f.type not in e.new.messages:
        # It has presence now, which the old reader cannot see.
        e.breaks((OLD,), DifferenceLevel.MEANING, f"{message}.{f.name}")
    f.oneof, f.label = oneof, "optional"
    e.breaks((NEW,), DifferenceLevel.BINARY, f"{message}.{oneof}")
    e.breaks((NEW,), DifferenceLevel.JSON, f"{message}.{oneof}")
    return True


def made_required(e: Evolution, message: str, f: Field) -> bool:
    if e.new.syntax != "proto2" or f.label != "optional" or f.oneof is not None:
        return False
    f.label = "required"
    e.breaks((NEW,), DifferenceLevel.BINARY, f"{message}.{f.name}")
    e.breaks((NEW,), DifferenceLevel.JSON, f"{message}.{f.name}")
    return True


def default_changed(e: Evolution, message: str, f: Field) -> bool:
    if e.new.syntax != "proto2" or not is_scalar(f) or f.type not in RANGES:
        return False
    f.default = "7"
    e.breaks(BOTH, DifferenceLevel.MEANING, f"{message}.{f.name}")
    return True


def limit_changed(e: Evolution, message: str, f: Field) -> bool:
    if not is_scalar(f) or f.type not in (*RANGES, "double", "string", "bytes"):
        return False
    name = f"{message}.{f.name}"
    old, new = e.random.choice(
        [
            (Limit(1, 100), Limit(1, 50)),
            (Limit(0, 100), Limit(1, 100)),
            (Limit(max=255), Limit(max=64)),
            # Without presence nothing is ever missing.
            *([(Limit(), Limit(required=True))] * (f.label != "implicit")),
            *(
                [(Limit(1, 20, "[a-zA-Z0-9_]+"), Limit(1, 20, "[a-z0-9_]+")), (Limit(), Limit(pattern="[a-z]+"))]
                * (f.type == "string")
            ),
        ]
    )
    direction = NEW
    if e.random.random() < 0.3:
        old, new, direction = new, old, OLD
    e.old_limits[f"x.{name}"], e.new_limits[f"x.{name}"] = old, new
    e.breaks((direction,), DifferenceLevel.RULES, name)
    return True


def limit_kept(e: Evolution, message: str, f: Field) -> bool:
    e.old_limits[f"x.{message}.{f.name}"] = e.new_limits[f"x.{message}.{f.name}"] = Limit(1, 9)
    return True


def reordered(e: Evolution, message: str, f: Field) -> bool:
    e.random.shuffle(e.new.messages[message].fields)
    return True


FIELD_CHANGES: list[Change] = [
    *(removed, added, renamed, renumbered, retyped, retyped, retyped, made_message, made_repeated, made_singular),
    *(
        moved_into_oneof,
        moved_into_oneof,
        made_required,
        default_changed,
        limit_changed,
        limit_changed,
        limit_kept,
        reordered,
    ),
]


def change_enum(e: Evolution, name: str) -> str:
    """Change one value of an enum, not its first, which is what absence means."""
    enum = e.new.enums[name]
    index = e.random.randrange(1, len(enum.values))
    value, number = enum.values[index]
    closed = e.new.syntax == "proto2"
    kind = e.random.choice(("value added", "value removed", "value renamed", "value renumbered"))
    if kind == "value added":
        enum.values.append((f"{name}_ADDED", 90))
    elif kind == "value removed":
        del enum.values[index]
        reserved = e.random.random() < 0.3
        enum.reserved += [number, value] if reserved else []
        if not reserved:
            e.breaks((NEW,), DifferenceLevel.JSON, value)
        if closed and not reserved:
            e.breaks((NEW,), DifferenceLevel.BINARY, value)
    elif kind == "value renamed":
        enum.values[index] = (f"{value}_RENAMED", number)
        e.breaks(BOTH, DifferenceLevel.JSON, value, f"{value}_RENAMED")
    else:
        enum.values[index] = (value, number + 40)
        e.breaks(BOTH, DifferenceLevel.BINARY, value)
    e.truth = {(d, level, s.replace("x.", f"x.{name}.", 1) if s.startswith(f"x.{name}_V") else s) for d, level, s in e.truth}
    return kind


def change_extension(e: Evolution, message: str, f: Field) -> str:
    """Change one extension of a message."""
    extensions = e.new.extensions[message]
    kind = e.random.choice(
        ("extension removed", "extension renamed", "extension renumbered", "extension retyped", "extension added")
    )
    old = f.name
    if kind == "extension removed":
        extensions.remove(f)
        e.breaks((NEW,), DifferenceLevel.BINARY, old)
        e.breaks((NEW,), DifferenceLevel.JSON, old)
    elif kind == "extension renamed":
        f.name = f"renamed_{old}"
        e.breaks(BOTH, DifferenceLevel.JSON, old, f.name)
    elif kind == "extension renumbered":
        f.number += 500
        e.breaks(BOTH, DifferenceLevel.BINARY, old)
    elif kind == "extension added":
        extensions.append(Field(f"added_{old}", f.number + 500, "string"))
    else:
        before, f.type = f.type, e.random.choice([t for t in SCALARS if t != f.type])
        for direction, (written, read) in ((NEW, (before, f.type)), (OLD, (f.type, before))):
            if not readable_binary(written, read):
                e.breaks((direction,), DifferenceLevel.BINARY, old)
            if not readable_json(written, read):
                e.breaks((direction,), DifferenceLevel.JSON, old)
    return kind


def change_rpc(e: Evolution, name: str) -> str:
    """Change one RPC of a service."""
    rpcs = e.new.services[name]
    method = e.random.choice(list(rpcs))
    rpc, subject = rpcs[method], f"{name}.{method}"
    kind = e.random.choice(
        (
            "rpc removed",
            "rpc added",
            "rpc streamed",
            "rpc of another request",
            "rpc of a like response",
            "rpc with side effects",
        )
    )
    if kind == "rpc removed":
        del rpcs[method]
        e.breaks((NEW,), DifferenceLevel.CALLS, subject)
    elif kind == "rpc added":
        rpcs["Added"] = Rpc("Leaf", "Leaf")
    elif kind == "rpc streamed":
        side = e.random.choice(("client_streaming", "server_streaming"))
        setattr(rpc, side, not getattr(rpc, side))
        e.breaks(BOTH, DifferenceLevel.CALLS, subject)
    elif kind == "rpc of another request":
        rpc.request = "Unlike"
        e.breaks(BOTH, DifferenceLevel.BINARY, subject)
        e.breaks(BOTH, DifferenceLevel.JSON, subject)
    elif kind == "rpc of a like response":
        rpc.response = "Like"
    else:
        read_only = rpc.idempotency == READ_ONLY
        rpc.idempotency = 0 if read_only else READ_ONLY
        e.breaks((NEW if read_only else OLD,), DifferenceLevel.CALLS, subject)
    return kind


def base(rng: random.Random) -> Model:
    """Return a random schema in which every message and enum is used."""
    syntax = rng.choice(("proto2", "proto3"))
    made = Model(syntax)
    for name in ("Color", "Shape"):
        made.enums[name] = Enum([(f"{name}_V{i}", i) for i in range(rng.randint(3, 5))])
    labels = ("optional", "optional", "repeated", *(("implicit",) if syntax == "proto3" else ("required",)))
    for name in ("First", "Second", "Third"):
        numbers = rng.sample(range(1, 60), 12)
        fields = [
            Field(f"f{i}_{rng.choice('abc')}", numbers.pop(), rng.choice(list(SCALARS)), rng.choice(labels))
            for i in range(rng.randint(3, 6))
        ]
        fields += [Field(f"e_{enum.lower()}", numbers.pop(), enum) for enum in made.enums]
        fields.append(Field("leaf", numbers.pop(), "Leaf"))
        fields.append(Field("pairs", numbers.pop(), rng.choice(("map<string, string>", "map<int32, Leaf>")), "repeated"))
        fields += [Field(f"member_{c}", numbers.pop(), rng.choice(("string", "int32")), oneof="choice") for c in "ab"]
        made.messages[name] = Message(fields)
    made.messages["Leaf"] = Message([Field("size", 1, "int32"), Field("text", 2, "string")])
    made.messages["Like"] = Message([Field("size", 1, "int32"), Field("text", 2, "string")])
    made.messages["Unlike"] = Message([Field("size", 1, "string"), Field("text", 2, "string")])
    if syntax == "proto2":
        made.extensions["First"] = [Field(f"x{i}", 1000 + i, rng.choice(list(SCALARS))) for i in range(3)]
    idempotency = (0, READ_ONLY)
    made.services["Calls"] = {
        f"R{i}": Rpc("Leaf", "Leaf", rng.random() < 0.3, rng.random() < 0.3, rng.choice(idempotency)) for i in range(3)
    }
    return made


def evolution(seed: int) -> Evolution:
    rng = random.Random(seed)
    old = base(rng)
    e = Evolution(rng, old, copy.deepcopy(old))
    if rng.random() < 0.25:
        name = rng.choice(list(e.new.enums))
        e.changes.append(change_enum(e, name))
    if rng.random() < 0.3:
        e.changes.append(change_rpc(e, "Calls"))
    if e.new.extensions and rng.random() < 0.4:
        e.changes.append(change_extension(e, "First", rng.choice(e.new.extensions["First"])))
    places = [(m, f) for m in ("First", "Second", "Third") for f in e.new.messages[m].fields]
    rng.shuffle(places)
    # An enum change shows in every field of the enum; another change of such a field would mask it.
    places = [(m, f) for m, f in places if f.type not in e.new.enums]
    taken: set[str] = set()
    wanted = rng.randint(1, 6)
    for message, f in places:
        if wanted == 0:
            break
        if f"{message}.{f.name}" in taken:
            continue
        change = rng.choice(FIELD_CHANGES)
        if change(e, message, f):
            taken.add(f"{message}.{f.name}")
            e.changes.append(change.__name__)
            wanted -= 1
    return e


@dataclass
class Score:
    """Agreement of the breaks found with the expected ones."""

    right: int = 0
    missed: int = 0
    false: int = 0
    changes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed)

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.false)


def measure(count: int, seed: int = 0) -> Score:
    score = Score()
    for number in itertools.islice(itertools.count(seed), count):
        e = evolution(number)
        found = e.found()
        score.right += len(found & e.truth)
        score.missed += len(e.truth - found)
        score.false += len(found - e.truth)
        score.changes.update(e.changes)
        score.wrong += [f"seed {number} {e.changes}: missed {d.name} {v.value} {s}" for d, v, s in e.truth - found]
        score.wrong += [f"seed {number} {e.changes}: false alarm {d.name} {v.value} {s}" for d, v, s in found - e.truth]
    return score


def main(count: int = 1000, seed: int = 0) -> None:
    score = measure(count, seed)
    print(f"{count} evolutions with {sum(score.changes.values())} changes, {score.right + score.missed} breaks among them")
    for name, times in sorted(score.changes.items()):
        print(f"  {name.replace('_', ' '):18} {times}")
    print(f"recall    {score.recall:.2%}  ({score.missed} missed)")
    print(f"precision {score.precision:.2%}  ({score.false} false alarms)")
    for line in score.wrong[:20]:
        print(f"  {line}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
