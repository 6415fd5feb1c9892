"""Print what ``compare`` finds between generated schemas, for a process with another implementation of protobuf.

python -m tests.wire.schemas.runtime_findings
"""

from __future__ import annotations

from gateway_entities.wire.schemas.compare import compare
from tests.wire.schemas.evolutions import evolution
from tests.wire.schemas.model import model


def main() -> None:
    for seed in range(4):
        evolved = evolution(seed)
        result = compare(evolved.old.schema("old"), evolved.new.schema("new"))
        for found in (*result.breaks, *result.notes):
            print(seed, found.direction.name, found.level.name, found.rule, found.subject)
    # What a runtime cannot show it must report.
    texts = (model("M: repeated string a 1", syntax=syntax).schema() for syntax in ("proto2", "proto3"))
    result = compare(*texts)
    print("text that is not UTF-8", bool(result.breaks) or "not UTF-8 was not compared" in str(result.left_out))


if __name__ == "__main__":
    main()
