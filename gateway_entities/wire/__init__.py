"""Validate and inspect untrusted messages, and check the compatibility of schemas.

No function raises because of the content of a message; an unknown type name or an unreadable schema is an error.
"""

from __future__ import annotations

from gateway_entities.wire.messages.check import check, check_message
from gateway_entities.wire.messages.guess import Guess, guess, guess_json
from gateway_entities.wire.messages.inputs import (
    InputFormat,
    InputMessage,
    UnreadableError,
    check_json,
    from_base64,
    from_hex,
    from_stream,
)
from gateway_entities.wire.messages.inspect import WirePiece, inspect, render
from gateway_entities.wire.messages.report import RULES, Finding, Report, Rule, Severity
from gateway_entities.wire.messages.types import MESSAGE_TYPES, MessageTypes, message_type_named
from gateway_entities.wire.schemas.compare import compare
from gateway_entities.wire.schemas.limits import Limit
from gateway_entities.wire.schemas.model.load import load
from gateway_entities.wire.schemas.model.schema import Schema
from gateway_entities.wire.schemas.report import (
    Comparison,
    Compatibility,
    Difference,
    DifferenceKind,
    DifferenceLevel,
    Direction,
    Element,
    Place,
    Witness,
    WitnessReading,
)
from gateway_entities.wire.schemas.rules import COMPARISON_RULES

__all__ = [
    "COMPARISON_RULES",
    "MESSAGE_TYPES",
    "RULES",
    "Comparison",
    "Compatibility",
    "Difference",
    "DifferenceKind",
    "DifferenceLevel",
    "Direction",
    "Element",
    "Finding",
    "Guess",
    "InputFormat",
    "InputMessage",
    "Limit",
    "MessageTypes",
    "Place",
    "Report",
    "Rule",
    "Schema",
    "Severity",
    "UnreadableError",
    "WirePiece",
    "Witness",
    "WitnessReading",
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
