"""Invalid vectors: messages that break one rule each. ``python -m tests.wire.messages.bad_vectors`` rewrites them."""

from __future__ import annotations

import json
from pathlib import Path

from gateway_entities.wire import check
from tests.wire.messages.samples import BAD

FOLDER = Path(__file__).resolve().parents[1] / "vectors" / "bad"


def expected() -> dict[str, tuple[bytes, dict[str, object]]]:
    """Return the vectors by name, without the samples of other contracts."""
    found: dict[str, tuple[bytes, dict[str, object]]] = {}
    for bad in BAD:
        if isinstance(bad.message_type, str):
            stem = f"{bad.message_type}.{bad.rule.replace('/', '-')}"
            number = sum(name.rpartition("-")[0] == stem for name in found)
            findings = [[each.rule, each.path, each.offset] for each in check(bad.data, bad.message_type).findings]
            found[f"{stem}-{number}"] = bad.data, {"type": bad.message_type, "findings": findings}
    return found


def write() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in FOLDER.iterdir():
        path.unlink()
    vectors = expected()
    for name, (data, _) in vectors.items():
        (FOLDER / f"{name}.binpb").write_bytes(data)
    manifest = {name: entry for name, (_, entry) in vectors.items()}
    (FOLDER / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
