"""Tables of results: for terminals, pipes and the documentation."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path

from tests.benchmarks.rounds import Figure, Result
from tests.benchmarks.row import UNITS, Row
from tests.benchmarks.targets import TARGETS, target_text

MARKERS = ("<!-- benchmarks: begin -->", "<!-- benchmarks: end -->")
NOTES = (
    "Medians over rounds in which ours, the peer and the limit alternate. A ratio is computed per round; the range in "
    "brackets holds half of the rounds.",
    "Entities and imports are processor time, everything else is wall time. With concurrency N it is the time "
    "divided by all calls.",
    "Our server is `gateway-entities serve`, one process. MLflow's is `mlflow server` with its default of 4 workers. Each "
    "has its own SQLite file. MLflow's client is sync: compared with asyncio it runs in as many threads.",
    'Our server caches responses of reads and checks only the revision of the store. The rows "right after a change" show '
    "reads that miss the cache.",
    "MLflow's server sends a response in two packets, and the second waits until the first is acknowledged: 40 ms for a "
    "caller that makes one call after the other. The rows called paced show a get without that wait.",
)

_HEAD = ("row", "ours", "peer", "limit", "faster than peer", "over limit", "target")


def cells(result: Result) -> tuple[str, ...]:
    """Return the cells of a row."""
    figures = result.figures
    return (
        result.row,
        *(_shown(figures.get(name), result.unit) for name in ("ours", "peer", "limit")),
        _ratio(result.to_peer),
        _ratio(result.to_limit),
        target_text(result),
    )


def _shown(figure: Figure | None, unit: str) -> str:
    return "-" if figure is None else f"{_digits(figure.median * UNITS[unit])} {unit}"


def _ratio(figure: Figure | None) -> str:
    return "-" if figure is None else f"{_digits(figure.median)}x ({_digits(figure.low)}-{_digits(figure.high)})"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def show(results: Sequence[Result]) -> None:
    """Print the table, at full width in a pipe, and the notes on its figures."""
    lines = [cells(result) for result in results]
    if sys.stdout.isatty() and find_spec("rich"):
        from rich.console import Console
        from rich.table import Table

        shown = Table(*_HEAD)
        for line, result in zip(lines, results, strict=True):
            style = "red" if "missed" in line[-1] else "green" if "met" in line[-1] else "dim" if not result.rounds else None
            shown.add_row(*line, style=style)
        Console().print(shown)
    else:
        widths = [max(map(len, column)) for column in zip(_HEAD, *lines, strict=True)]
        for line in (_HEAD, *lines):
            print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    for text in (*NOTES, *_notes(results)):
        print(text)


def _notes(results: Iterable[Result]) -> list[str]:
    by_text: dict[str, list[str]] = {}
    for result in results:
        for note in result.notes:
            by_text.setdefault(note, []).append(result.row)
    return [f"{', '.join(rows)}: {note}" for note, rows in by_text.items()]


def around_table(path: Path, markers: tuple[str, str] = MARKERS) -> tuple[str, str]:
    """Return the text before and after a file's table, with the markers.

    Raises:
        ValueError: the file has not exactly one pair of markers.
    """
    text = path.read_text(encoding="utf-8")
    begin, end = markers
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ValueError(f"{path.name} needs the lines {begin} and {end}, once each, around the table")
    return text[: text.index(begin) + len(begin)], text[text.index(end) :]


def write_page(path: Path, results: Sequence[Result], rows: Sequence[Row]) -> None:
    """Write the rows that have targets between the markers of a file.

    Raises:
        ValueError: the file has not exactly one pair of markers.
    """
    before, after = around_table(path)
    what = {row.name: row.what for row in rows}
    head = ("figure", "ours", "MLflow", "limit", "MLflow / ours", "ours / limit", "target")
    lines = [head, ("---",) * len(head)]
    lines += [(what[result.row], *cells(result)[1:]) for result in results if result.row in TARGETS and result.rounds]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    notes = "\n".join(f"- {note}" for note in NOTES)
    path.write_text(f"{before}\n{table}\n\n{notes}\n{after}", encoding="utf-8")
