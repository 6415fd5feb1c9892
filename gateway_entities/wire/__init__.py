"""Messages that nobody vouches for: check any bytes and explain them, and compare the schemas they follow.

Nothing here raises for what the bytes are; only for a name that no type has, and a schema that cannot be read.
"""

from __future__ import annotations

from gateway_entities.wire.messages.check import check, check_message
from gateway_entities.wire.messages.guess import Guess, guess, guess_json
from gateway_entities.wire.messages.inputs import Form, Part, UnreadableError, check_json, from_base64, from_hex, from_stream
from gateway_entities.wire.messages.inspect import Piece, inspect, render
from gateway_entities.wire.messages.layout import MESSAGE_TYPES, message_type_named
from gateway_entities.wire.messages.report import RULES, Finding, Report, Rule, Severity
from gateway_entities.wire.schemas.compare import compare
from gateway_entities.wire.schemas.limits import Limit
from gateway_entities.wire.schemas.report import Advice, Comparison, Difference, Direction, Kind, Level, Reading, Witness
from gateway_entities.wire.schemas.schema import Schema, load

__all__ = [
    "MESSAGE_TYPES",
    "RULES",
    "Advice",
    "Comparison",
    "Difference",
    "Direction",
    "Finding",
    "Form",
    "Guess",
    "Kind",
    "Level",
    "Limit",
    "Part",
    "Piece",
    "Reading",
    "Report",
    "Rule",
    "Schema",
    "Severity",
    "UnreadableError",
    "Witness",
    "check",
    "check_json",
    "check_message",
    "compare",
    "from_base64",
    "from_hex",
    "from_stream",
    "guess",
    "guess_json",
    "inspect",
    "load",
    "message_type_named",
    "render",
]
