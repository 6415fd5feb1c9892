"""How the server's log looks: lines for people or lines of JSON."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Literal

from gateway_entities.server.telemetry.request_context import CURRENT

LogFormat = Literal["text", "json"]


class TextFormatter(logging.Formatter):
    """A line for people: time (UTC), level, logger and message."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")


class JsonFormatter(logging.Formatter):
    """A JSON object on one line: time (UTC), level, logger, and what the record says.

    That is ``message``, and ``exception`` where there is one; for a request its fields in place of the message. Whatever is
    logged while a request is served has its ``request_id``.
    """

    def __init__(self) -> None:
        super().__init__()
        self._shown = (-1, "")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        line: dict[str, object] = {
            "time": self._time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        request: dict[str, object] | None = getattr(record, "request", None)
        if request is not None:
            line.update(request)
        else:
            line["message"] = record.getMessage()
            exchange = CURRENT.get()
            if exchange is not None:
                line["request_id"] = exchange.request_id
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)

    def _time(self, record: logging.LogRecord) -> str:
        second, milliseconds = divmod(int(1000 * record.created), 1000)
        # Many lines have the same second.
        shown_second, shown = self._shown
        if second != shown_second:
            shown = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._shown = second, shown
        return f"{shown}.{milliseconds:03d}Z"


def log_to_stderr(form: LogFormat | None, level: str) -> None:
    """Send the log of this process to standard error. For programs only; a library leaves logging to its program.

    Args:
        form: the form; None for text on a terminal and JSON elsewhere.
        level: the lowest level that is shown: ``debug``, ``info``, ``warning`` or ``error``. Of other libraries nothing
            below ``warning`` is shown.
    """
    as_text = sys.stderr.isatty() if form is None else form == "text"
    handler = logging.StreamHandler()
    handler.setFormatter(TextFormatter() if as_text else JsonFormatter())
    # No line shows them, and finding them out for each takes a quarter of its time.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    wanted = getattr(logging, level.upper())
    logging.basicConfig(level=max(wanted, logging.WARNING), handlers=[handler])
    logging.getLogger("gateway_entities").setLevel(wanted)
