"""Benchmarks: ``python -m tests.benchmarks``.

The peers come with ``pip install -e '.[bench]'``, except PostgreSQL.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tests.benchmarks import (
    attack,
    calls,
    configuration,
    entities,
    import_cost,
    lists,
    load,
    native,
    overhead,
    postgresql_store,
    process,
    saved,
    spending,
    table,
    watch_rows,
    wire_check,
)
from tests.benchmarks import uncached as anew
from tests.benchmarks.rounds import FULL, QUICK, Result, measure, unmeasured
from tests.benchmarks.row import MissingError, Row
from tests.benchmarks.stage import stage
from tests.benchmarks.targets import TARGETS

ROWS: tuple[Row, ...] = tuple(
    row
    for module in (
        entities,
        native,
        import_cost,
        wire_check,
        process,
        overhead,
        calls,
        lists,
        anew,
        postgresql_store,
        spending,
        watch_rows,
        configuration,
    )
    for row in module.ROWS
)
COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {"attack": attack.main, "load": load.main}
"""Measurements of another kind, each with options and a table of its own."""
PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "benchmarks.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the rows of the command line, or run another command; return the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    if words and words[0] in COMMANDS:
        return COMMANDS[words[0]](words[1:])
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measure, and print a table.")
    parser.add_argument("rows", metavar="ROW", nargs="*", help="rows to measure; by default all of the run")
    parser.add_argument("--quick", action="store_true", help="fewer rows and rounds: two minutes, not fifteen")
    parser.add_argument("--json", metavar="FILE", type=Path, help="save the run")
    parser.add_argument(
        "--against", metavar="FILE", type=Path, help="list regressions against a saved run; exit with 1 if there are any"
    )
    parser.add_argument("--docs", action="store_true", help="write the rows that have targets into docs/benchmarks.md")
    parser.add_argument("--list", action="store_true", help="list the rows without measuring")
    given = parser.parse_args(arguments)
    if given.list:
        for row in ROWS:
            print(f"{row.name:28} {row.what}{' (not in a quick run)' if not row.quick else ''}")
        return 0
    known = {row.name: row for row in ROWS}
    if unknown := [name for name in given.rows if name not in known]:
        parser.error(f"no such row: {', '.join(unknown)}; --list has them all")
    try:
        before = saved.load(given.against) if given.against else []
        if given.docs:
            # Fail before the run, not after its 15 minutes.
            table.around_table(PAGE)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if given.rows:
        rows = [row for row in ROWS if row.name in given.rows]
    else:
        rows = [row for row in ROWS if row.quick or not given.quick or (given.docs and row.name in TARGETS)]
    results = _measure(rows, quick=given.quick)
    table.show(results)
    if given.json:
        given.json.write_text(saved.to_text(saved.document(results, quick=given.quick)), encoding="utf-8")
    if given.docs:
        table.write_page(PAGE, results, ROWS)
    regressions = saved.regressions(before, results)
    for regression in regressions:
        print(f"worse: {regression}")
    failed = any(note.startswith("FAILED") for result in results for note in result.notes)
    return 1 if regressions or failed else 0


def _measure(rows: Sequence[Row], *, quick: bool) -> list[Result]:
    # With it every child process would compile all its imports.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # Turns off MLflow's telemetry.
    os.environ["DO_NOT_TRACK"] = "true"
    results: list[Result] = []
    with stage(QUICK if quick else FULL) as opened, _progress(len(rows)) as tell:
        for row in rows:
            tell(row.name)
            try:
                results.append(measure(row, opened, opened.effort))
            except MissingError as missing:
                results.append(unmeasured(row, f"skipped: {missing}"))
            except Exception as error:
                # Keep the other rows, which take up to 15 minutes.
                traceback.print_exc()
                results.append(unmeasured(row, f"FAILED: {type(error).__name__}"))
    return results


@contextmanager
def _progress(count: int) -> Iterator[Callable[[str], None]]:
    """Yield a function that shows the current row: on a terminal only."""
    with contextlib.ExitStack() as stack:
        if not sys.stderr.isatty() or find_spec("rich") is None:
            yield lambda _name: None
            return
        from rich.console import Console
        from rich.progress import Progress

        bar = stack.enter_context(Progress(console=Console(stderr=True), transient=True))
        task = bar.add_task("", total=count)
        done = -1

        def show_row(name: str) -> None:
            nonlocal done
            done += 1
            bar.update(task, description=name, completed=done)

        yield show_row


if __name__ == "__main__":
    sys.exit(main())
