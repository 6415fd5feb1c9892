"""Saved runs as JSON, and regressions between two of them."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tests.benchmarks.rounds import Figure, Result
from tests.benchmarks.targets import target_text

FORMAT = 1
_LEAST_CHANGE = 0.1
"""Minimum relative change of a regression, however small the spread."""
_VERSIONS = ("protobuf", "grpcio", "uvicorn", "sqlalchemy", "mlflow")


def document(results: Iterable[Result], *, quick: bool) -> dict[str, Any]:
    """Return a run as a JSON object: figures in seconds, MiB or counts."""
    return {
        "format": FORMAT,
        "taken": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "machine": {
            "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}",
            "processors": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
            "versions": {name: found for name in _VERSIONS if (found := _version(name))},
        },
        "rows": [{**asdict(result), "targets": target_text(result)} for result in results],
    }


def to_text(run: dict[str, Any]) -> str:
    """Return the JSON of a run with one row per line, for readable diffs."""
    head = json.dumps({name: value for name, value in run.items() if name != "rows"}, indent=1).removesuffix("\n}")
    rows = ",\n".join(f"  {json.dumps(row)}" for row in run["rows"])
    return f'{head},\n "rows": [\n{rows}\n ]\n}}\n'


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def load(path: Path) -> list[Result]:
    """Return the results of a saved run.

    Raises:
        ValueError: the file is not a saved run of this format.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"{path} is not a saved run of this version")
    return [_result(row) for row in content["rows"]]


def _result(row: dict[str, Any]) -> Result:
    fields = {name: value for name, value in row.items() if name != "targets"}
    for name in ("to_peer", "to_limit"):
        fields[name] = None if row[name] is None else Figure(**row[name])
    fields["figures"] = {name: Figure(**figure) for name, figure in row["figures"].items()}
    fields["notes"] = tuple(row["notes"])
    return Result(**fields)


@dataclass(frozen=True)
class Regression:
    """A row that got worse.

    Attributes:
        row: its name.
        what: the figure: ours to the limit, peer to ours, or ours alone.
        before: that figure in the saved run.
        now: that figure in this run.
    """

    row: str
    what: str
    before: Figure
    now: Figure

    def __str__(self) -> str:
        worse = f"{self.now.median:.4g} after {self.before.median:.4g}"
        spread = f"between {self.now.low:.4g} and {self.now.high:.4g} after {self.before.low:.4g} and {self.before.high:.4g}"
        return f"{self.row}: {self.what} is {worse}; half of the rounds {spread}"


def regressions(before: Sequence[Result], now: Sequence[Result]) -> list[Regression]:
    """Return the rows of both runs that got worse by more than the spread of either.

    Ratios within the same rounds are preferred to times, which depend on the machine's load.
    """
    known = {result.row: result for result in before}
    found = (_compare(known[result.row], result) for result in now if result.row in known)
    return [each for each in found if each is not None]


def _compare(before: Result, now: Result) -> Regression | None:
    for what, old, new, more_is_better in (
        ("ours to limit", before.to_limit, now.to_limit, False),
        ("peer to ours", before.to_peer, now.to_peer, True),
        ("ours", before.figures.get("ours"), now.figures.get("ours"), False),
    ):
        if old is None or new is None:
            continue
        if more_is_better:
            worse = new.high < old.low and new.median < old.median * (1 - _LEAST_CHANGE)
        else:
            worse = new.low > old.high and new.median > old.median * (1 + _LEAST_CHANGE)
        return Regression(now.row, what, old, new) if worse else None
    return None
