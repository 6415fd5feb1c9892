"""Figures of a run: a table by room and kind, and the changes that no test noticed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec

from tests.mutants.journal import Result
from tests.mutants.kinds import KINDS


def lines(results: Sequence[Result]) -> list[list[str]]:
    """Return the cells of the table: noticed of all, by room and kind."""
    rooms = list(dict.fromkeys(result.room for result in results))
    table = [["room", *KINDS, "all"]]
    for room in [*rooms, "all"]:
        of_room = [result for result in results if room in {result.room, "all"}]
        by_kind = [_share([result for result in of_room if result.kind == kind]) for kind in KINDS]
        table.append([room, *by_kind, _share(of_room)])
    return table


def _share(results: Sequence[Result]) -> str:
    return f"{sum(result.outcome == 'noticed' for result in results)}/{len(results)}" if results else "-"


def text(results: Sequence[Result], *, seed: int, left_out: int) -> str:
    """Return the summary as text."""
    table = lines(results)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table]
    for outcome in ("survived", "hung", "broken"):
        shown += [
            f"{outcome}: {result.key} {result.function}: {result.what}" for result in results if result.outcome == outcome
        ]
    noticed = sum(result.outcome == "noticed" for result in results)
    share = f" ({100 * noticed / len(results):.1f} %)" if results else ""
    shown.append(
        f"seed {seed}: {noticed} of {len(results)} noticed{share}; {left_out} named as making no difference, left out"
    )
    return "\n".join(shown)


class Progress:
    """What is under way: a bar on a terminal, nothing in a pipe."""

    def __init__(self, total: int) -> None:
        self._bar = None
        if sys.stderr.isatty() and find_spec("rich") is not None:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task("", total=total)
            self._bar.start()

    def show(self, what: str, *, done: int = 0) -> None:
        """Show what is under way, and count what is done."""
        if self._bar is not None:
            self._bar.update(self._task, description=what, advance=done)

    def stop(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.stop()
