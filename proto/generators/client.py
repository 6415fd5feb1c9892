"""The blocking client, from the asyncio client in gateway_entities/client/_async."""

from __future__ import annotations

import io
import re
import tokenize
from pathlib import Path

from generators.compilers import ROOT, format_python

SOURCE = ROOT / "gateway_entities" / "client" / "_async"
NAMES = {
    "_async": "_sync",
    "open_async_transport": "open_transport",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "StopAsyncIteration": "StopIteration",
    "aclosing": "closing",
    # For sleep.
    "asyncio": "time",
}
"""Names that change, besides the prefix Async, which is dropped."""
TEXTS = {
    '"""The asyncio client, from which proto/generate.py makes the blocking one."""': '"""The blocking client."""',
    """A client of one gateway for asyncio. Close it, or use it as an async context manager.

    Tasks of one event loop may share it; a call in another event loop than the first one's fails with FAILED_PRECONDITION.
    Cancelling the task cancels the call, on the server too.
""": """A client of one gateway. Threads may share it. Close it, or use it as a context manager.
""",
    "    ) -> AsyncReserving[AsyncSpendReservation]:\n": "    ) -> AsyncSpendReservation:\n",
    "        return AsyncReserving(self._reserve(request, timeout))\n": "        return self._reserve(request, timeout)\n",
    "    AsyncReserving,\n": "",
}
"""Text that differs between the clients: documentation, and a coroutine that is a context manager too."""


def generate(target: Path) -> None:
    """Write the modules below target, an empty folder.

    Raises:
        LookupError: no module has one of the TEXTS.
    """
    remaining = set(TEXTS)
    for path in sorted(SOURCE.glob("*.py")):
        source = path.read_text(encoding="utf-8")
        for text, replacement in TEXTS.items():
            if text in source:
                remaining.discard(text)
                source = source.replace(text, replacement)
        head = f"# Generated from {path.relative_to(ROOT).as_posix()} by proto/generate.py. Do not edit.\n"
        (target / path.name).write_text(head + blocking(source), encoding="utf-8")
    if remaining:
        raise LookupError(f"{SOURCE} has no text {remaining.pop()!r}")
    format_python(target)


def blocking(source: str) -> str:
    """Return the blocking version of a module: without async and await, and with NAMES replaced. Text stays."""
    lines = source.splitlines(keepends=True)
    # From the end, so that the places of earlier tokens stay valid.
    for token in reversed(list(tokenize.generate_tokens(io.StringIO(source).readline))):
        if token.type != tokenize.NAME:
            continue
        row, start = token.start
        line, end = lines[row - 1], token.end[1]
        if token.string in {"async", "await"}:
            lines[row - 1] = line[:start] + line[end:].removeprefix(" ")
        else:
            name = NAMES.get(token.string, re.sub(r"^Async(?=[A-Z])", "", token.string))
            lines[row - 1] = line[:start] + name + line[end:]
    return "".join(lines)
