"""Interop matrix: every language checked against the contract.

python -m tests.interop [LANGUAGE ...] [--messages N] [--seed S] [--json FILE]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.interop.columns import Column, column, server
from tests.interop.language import Language, all_languages
from tests.interop.matrix import Cases, Report

MESSAGES = 20_000
SEED = 1
NamedReport = Callable[[str, str, int, int], None]
SHOWN = 20
"""Maximum number of faults printed per operation. The JSON has all."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the matrix. Return 0 if every available language gave expected or listed results, otherwise 1."""
    known = all_languages()
    parser = argparse.ArgumentParser(prog="python -m tests.interop", description="Check all languages, print the matrix.")
    parser.add_argument("languages", nargs="*", metavar="LANGUAGE", help=f"some of: {', '.join(known)}; all by default")
    parser.add_argument("--messages", type=int, default=MESSAGES, help="number of messages to generate (%(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="seed of the generated messages (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the result as JSON")
    options = parser.parse_args(arguments)
    if unknown := set(options.languages) - known.keys():
        parser.error(f"no language {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    begun = time.monotonic()
    columns = run([known[name] for name in options.languages or known], options.messages, options.seed)
    for line in lines(columns):
        print(line)
    missing = sum(bool(each.missing) for each in columns)
    summary = "all as expected" if all(each.passed or each.missing for each in columns) else "FAILED"
    print(f"{summary}; {len(columns) - missing} of {len(columns)} languages checked", end="")
    print(f"; {options.messages} messages of seed {options.seed}; {time.monotonic() - begun:.0f} s")
    if options.json:
        result = {
            "messages": options.messages,
            "seed": options.seed,
            "columns": columns,
        }
        options.json.write_text(json.dumps(result, indent=1, default=vars) + "\n", encoding="utf-8")
    return int(summary == "FAILED")


def run(languages: Sequence[Language], messages: int, seed: int) -> list[Column]:
    """Check languages one after the other."""
    with progress() as report:
        report("", "generating messages", 0, messages)
        cases = Cases(messages, seed, lambda what, done, of: report("", what, done, of))
        with server(languages) as running:
            return [column(each, cases, running, _named(report, each.name)) for each in languages]


def lines(columns: Sequence[Column]) -> Iterator[str]:
    """Yield the matrix as text: the faults, then the table."""
    for each in columns:
        for cell in each.cells:
            yield from (f"{fault}\n" for fault in cell.faults[:SHOWN])
            if len(cell.faults) > SHOWN:
                yield f"{each.language} {cell.operation}: and {len(cell.faults) - SHOWN} faults more\n"
        if each.problem is not None:
            yield f"{each.language}: {each.problem}\n"
    yield f"{'language':12} {'operation':16} {'inputs':>8} {'deviations':>11} {'faults':>7}"
    for each in columns:
        for position, cell in enumerate(each.cells):
            name = each.language if position == 0 else ""
            yield f"{name:12} {cell.operation:16} {cell.count:8} {cell.deviations.total():11} {len(cell.faults):7}"
        if each.cells:
            yield f"{'':12} built in {each.build_s:.1f} s, checked in {each.seconds:.1f} s"
        if each.problem is not None:
            yield f"{each.language:12} FAILED: {each.problem.splitlines()[0]}"
        for text in each.missing:
            yield f"{each.language:12} missing: {text}"
    shown = sorted({name for each in columns for cell in each.cells for name in cell.deviations})
    if shown:
        yield "\nListed deviations that showed (tests/interop/deviations.py has the reasons):"
        for name in shown:
            seen = {each.language: sum(cell.deviations[name] for cell in each.cells) for each in columns}
            yield f"  {name}: {', '.join(f'{language} {count}' for language, count in seen.items() if count)}"
    yield ""


@contextlib.contextmanager
def progress() -> Iterator[NamedReport]:
    """Yield a progress callback: a bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda language, what, done, of: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("")
        yield lambda language, what, done, of: bar.update(
            task, description=f"{language} {what}".strip(), completed=done, total=of or None
        )


def _named(report: NamedReport, language: str) -> Report:
    return lambda what, done, of: report(language, what, done, of)


if __name__ == "__main__":
    sys.exit(main())
