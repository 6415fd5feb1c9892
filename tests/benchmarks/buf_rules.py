"""``wire compare`` beside ``buf breaking``, rule by rule, on buf's own test data.

    python -m tests.benchmarks.buf_rules [CLONE]

CLONE is a clone of buf's repository; without it the data is fetched. Each folder of the data is for one rule of buf. A row
has how many breaks buf finds with WIRE and WIRE_JSON, how many of them are in a type or service in which ``wire compare``
finds a break too, and what only one of the two finds, with the message that proves it or the reason why there is none.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Final, NamedTuple

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from gateway_entities.errors import GatewayError
from gateway_entities.wire import Comparison, Difference, DifferenceLevel, Schema, compare

REPOSITORY: Final = "https://github.com/bufbuild/buf"
DATA: Final = "private/bufpkg/bufcheck/testdata/breaking"
CATEGORIES: Final = {
    "WIRE": (DifferenceLevel.BINARY, DifferenceLevel.CALLS, DifferenceLevel.MEANING),
    "WIRE_JSON": tuple(DifferenceLevel),
}
REASONS: Final = {
    "ENUM_SAME_JSON_FORMAT": "a declaration alone: the JSON of every message stays the same",
    "MESSAGE_SAME_JSON_FORMAT": "a declaration alone: the JSON of every message stays the same",
    "FIELD_SAME_DEFAULT": "compared as the meaning of an absent field",
    "FILE_SAME_PACKAGE": "types of another package are other types unless --rename pairs them",
    "MESSAGE_SAME_MESSAGE_SET_WIRE_FORMAT": "a MessageSet without an extension in the schema; reported as not compared",
    "PACKAGE_NO_DELETE": "types that are gone are listed, and nothing reads them",
    "RESERVED_ENUM_NO_DELETE": "reported as a note: no message reads differently yet",
    "RESERVED_MESSAGE_NO_DELETE": "reported as a note: no message reads differently yet",
    "RPC_SAME_REQUEST_TYPE": "the name of a type is not sent; reported as a note where the encodings are the same",
    "RPC_SAME_RESPONSE_TYPE": "the name of a type is not sent; reported as a note where the encodings are the same",
    "RPC_SAME_IDEMPOTENCY_LEVEL": "reported as a note unless GET requests are refused",
    "FIELD_WIRE_COMPATIBLE_CARDINALITY": "presence that readers do not see: every message reads the same",
    "FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY": "presence that readers do not see: every message reads the same",
    "FIELD_WIRE_COMPATIBLE_TYPE": "every value reads the same",
    "FIELD_WIRE_JSON_COMPATIBLE_TYPE": "every value reads the same",
    "FIELD_SAME_ONEOF": "the fields of a oneof that others join or leave are read one at a time as before",
    "FIELD_SAME_NAME": "JSON carries the JSON name, which stays",
    "FIELD_SAME_JSON_NAME": "JSON readers take the field's own name too",
    "ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED": "reported as a note: an open enum keeps the number without a name",
    "ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED": "the reserved name is reported as a note",
    "MESSAGE_SAME_REQUIRED_FIELDS": "LEGACY_REQUIRED of an edition is required, as it was before",
    "ENUM_VALUE_SAME_NAME": "an alias keeps the name",
}


class Row(NamedTuple):
    """One folder of test data.

    Attributes:
        name: the rule that the folder is for.
        found: by category, the number of breaks that buf finds.
        shared: by category, how many of them are in a type or service in which ``wire compare`` finds a break too.
        buf_only: by rule of buf, how often only buf finds something in a type.
        ours_only: the breaks in types in which buf finds nothing.
    """

    name: str
    found: dict[str, int]
    shared: dict[str, int]
    buf_only: Counter[str]
    ours_only: Sequence[Difference]


def fetched(source: str | None, folder: Path) -> Path:
    """Return a folder with buf's test data, of a clone or of a fresh one."""
    clone = Path(source) if source is not None else folder / "clone"
    if source is None:
        command = ["git", "clone", "--quiet", "--depth=1", "--filter=blob:none", "--no-checkout", REPOSITORY, str(clone)]
        subprocess.run(command, check=True)
    archive = subprocess.run(["git", "-C", str(clone), "archive", "HEAD", DATA], check=True, capture_output=True).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    return folder / DATA


def rows(data: Path, scratch: Path) -> Iterator[Row]:
    """Yield a row for each folder that both tools read."""
    for current in sorted((data / "current").iterdir()):
        previous = data / "previous" / current.name
        images = [_image(side, scratch / f"{i}.binpb") for i, side in enumerate((previous, current)) if side.is_dir()]
        if len(images) < 2 or None in images:
            continue
        try:
            result = compare(*(_schema(image) for image in images if image is not None))
        except GatewayError as error:
            # A folder of one empty file, or of types that are all gone.
            if error.reason not in ("NOTHING_COMPARED", "SCHEMA_UNREADABLE"):
                raise
            continue
        yield _row(current.name.removeprefix("breaking_").upper(), images, result)


def _image(folder: Path, target: Path) -> Path | None:
    # The folder's configuration would choose rules.
    for configuration in folder.rglob("buf.yaml"):
        configuration.unlink()
    root = folder / "root" if (folder / "root").is_dir() else folder
    done = subprocess.run(["buf", "build", str(root), "-o", str(target)], check=False, capture_output=True)
    return target if done.returncode == 0 else None


def _schema(image: Path) -> Schema:
    return Schema.from_files(image.name, FileDescriptorSet.FromString(image.read_bytes()))


def _row(name: str, images: Sequence[Path | None], result: Comparison) -> Row:
    found: dict[str, int] = {}
    shared: dict[str, int] = {}
    buf_only: Counter[str] = Counter()
    named: set[str] = set()
    for category, levels in CATEGORIES.items():
        breaks = _buf(images, category)
        ours = {_place(d) for d in result.breaks if d.level in levels}
        known = [b for b in breaks if any(name in ours for name in b.names)]
        found[category], shared[category] = len(breaks), len(known)
        buf_only.update(f"{category} {b.rule}" for b in breaks if b not in known)
        if category == "WIRE_JSON":
            named = {name for b in breaks for name in b.names}
    ours_only = [d for d in result.breaks if _place(d) not in named]
    return Row(name, found, shared, buf_only, ours_only)


class BufBreak(NamedTuple):
    """A break that buf reports.

    Attributes:
        rule: the id of its rule.
        names: the names in its text, without their packages.
        text: its text.
    """

    rule: str
    names: frozenset[str]
    text: str


def _buf(images: Sequence[Path | None], category: str) -> list[BufBreak]:
    configuration = json.dumps({"version": "v1", "breaking": {"use": [category]}})
    old, new = map(str, images)
    command = ["buf", "breaking", new, "--against", old, "--config", configuration, "--error-format", "json"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return [BufBreak(f["type"], frozenset(_words(f["message"])), f["message"]) for f in found]


def _words(text: str) -> Iterator[str]:
    for quoted in re.findall(r'"([^"]+)"', text):
        yield quoted.rpartition(".")[2]


def _place(difference: Difference) -> str:
    return difference.message_type.rpartition(".")[2]


def main(source: str | None = None) -> None:
    """Print the table."""
    if shutil.which("buf") is None or shutil.which("git") is None:
        sys.exit("needs buf and git: https://buf.build/docs/installation, apt-get install git")
    with tempfile.TemporaryDirectory() as folder:
        print("| data of rule | WIRE: buf | ours too | WIRE_JSON: buf | ours too | only buf | only ours |")
        print("|---|---|---|---|---|---|---|")
        proofs: list[str] = []
        for row in rows(fetched(source, Path(folder)), Path(folder)):
            counts = " | ".join(f"{row.found[c]} | {row.shared[c]}" for c in CATEGORIES)
            buf_only = ", ".join(f"{rule} {count}" for rule, count in sorted(row.buf_only.items()))
            print(f"| {row.name} | {counts} | {buf_only} | {len(row.ours_only) or ''} |")
            proofs += _proofs(row)
        print("\nWhat only one of them finds:")
        print("\n".join(dict.fromkeys(proofs)))


def _proofs(row: Row) -> Iterator[str]:
    for rule in sorted(row.buf_only):
        yield f"- buf's {rule}: {REASONS.get(rule.partition(' ')[2], 'no reason is known')}"
    seen: set[tuple[str, DifferenceLevel]] = set()
    for each in row.ours_only:
        if (each.rule, each.level) in seen:
            continue
        seen.add((each.rule, each.level))
        witness = each.witness
        shown = "no message" if witness is None else witness.data.hex() if each.level.value != "json" else witness.json
        where = f"{row.name}, {each.rule} ({each.level.value}, {each.direction.value})"
        yield f"- {where}: {each.subject} {each.message[:120]}: {shown}"


if __name__ == "__main__":
    main(*sys.argv[1:])
