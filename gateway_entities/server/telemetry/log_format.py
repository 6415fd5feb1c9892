"""Log formats: text for people, JSON lines for programs."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Final, Literal

from gateway_entities.server.telemetry.log_queue import LogQueue
from gateway_entities.server.telemetry.request_context import CURRENT

LogFormat = Literal["text", "json"]

_STDERR: Final = 2


class TextFormatter(logging.Formatter):
    """A line of text: time (UTC), level, logger and message."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")


class JsonFormatter(logging.Formatter):
    """A JSON object on one line: time (UTC), level, logger, and the fields of the record.

    Those are ``message`` and, if there is one, ``exception``; in the access log the request's fields replace the message.
    A record that is logged while a request is served has its ``request_id``, and its ``trace_id`` and ``span_id`` if there
    are any.
    """

    def __init__(self) -> None:
        super().__init__()
        self._last_second = (-1, "")

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
            context = CURRENT.get()
            if context is not None:
                line.update(context.ids())
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)

    def _time(self, record: logging.LogRecord) -> str:
        second, milliseconds = divmod(int(1000 * record.created), 1000)
        # Many records have the same second.
        last_second, text = self._last_second
        if second != last_second:
            text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._last_second = second, text
        return f"{text}.{milliseconds:03d}Z"


def _is_of_interest(record: logging.LogRecord) -> bool:
    # grpcio logs an error with its stack if a response cannot be sent: the caller has gone, or its deadline has passed.
    # That is the caller's affair, and the access log has the call.
    return not (record.name.startswith("grpc.") and "ExecuteBatchError" in record.getMessage())


def log_to_stderr(form: LogFormat | None, level: str) -> None:
    """Send the log of this process to standard error. For programs only: a library leaves logging to its program.

    A reader of standard error that does not read never stops the process: see LogQueue.

    Args:
        form: the format; None for text on a terminal and JSON elsewhere.
        level: the lowest level: ``debug``, ``info``, ``warning`` or ``error``. For other libraries it is at least
            ``warning``.
    """
    as_text = sys.stderr.isatty() if form is None else form == "text"
    handler = LogQueue(_STDERR)
    handler.setFormatter(TextFormatter() if as_text else JsonFormatter())
    handler.addFilter(_is_of_interest)
    # No format shows them, and collecting them takes a quarter of a record's time.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    lowest = getattr(logging, level.upper())
    logging.basicConfig(level=max(lowest, logging.WARNING), handlers=[handler])
    logging.getLogger("gateway_entities").setLevel(lowest)
