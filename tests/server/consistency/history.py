"""A recorded history: what each client sent, when, and what came back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gateway_entities.entities import GatewayChange
from gateway_entities.errors import Code

LOST = frozenset({Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.CANCELLED, Code.RESOURCE_EXHAUSTED})
"""Codes that leave open whether the request took effect."""
UNAUTHENTICATED = frozenset({Code.UNAUTHENTICATED, Code.PERMISSION_DENIED})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request and its result. A repeated request is another attempt with the same request_id.

    Attributes:
        client: the name of the client, which is the actor of its changes.
        server: the number of the server.
        token: the name of the token.
        invoked: the time before the request was sent, in seconds of a clock that all clients share.
        returned: the time after the result came.
        request: the request message.
        response: the response message; None for an error. Of a list, all its pages as one response.
        code: the code of the error; None for a response.
        detail: the reason and text of the error.
        doubled: whether something on the way may send the request a second time, later.
        final: whether it was sent at the end, after the change log was read.
    """

    client: str
    server: int
    token: str
    invoked: float
    returned: float
    request: Any
    response: Any = None
    code: Code | None = None
    detail: str = ""
    doubled: bool = False
    final: bool = False

    @property
    def is_lost(self) -> bool:
        return self.code in LOST

    @property
    def request_id(self) -> str:
        return str(getattr(self.request, "request_id", ""))


@dataclass(frozen=True, slots=True)
class TokenUse:
    """The life of a token.

    Attributes:
        name: its name.
        created: the times before and after its creation.
        revoked: the times before and after its revocation; infinite without one.
    """

    name: str
    created: tuple[float, float]
    revoked: tuple[float, float] = (math.inf, math.inf)


@dataclass(slots=True)
class History:
    """A recorded history.

    Attributes:
        attempts: all attempts of all clients.
        changes: the change log at the end, when no request was in flight.
        tokens: the tokens.
        charged: the sum of all charges, of 1 each, after the final attempts.
        faults: what was done to the servers, for reports.
    """

    attempts: list[Attempt] = field(default_factory=list)
    changes: Sequence[GatewayChange] = ()
    tokens: list[TokenUse] = field(default_factory=list)
    charged: int = 0
    faults: list[str] = field(default_factory=list)


class Violation(NamedTuple):
    """A contradiction between a history and the model.

    Attributes:
        kind: its kind, a word.
        text: the contradiction.
    """

    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


def shown(attempt: Attempt) -> str:
    """Return an attempt as text for reports, on one line."""
    request = " ".join(str(attempt.request).split())
    response = " ".join(str(attempt.response).split())[:200]
    result = response if attempt.code is None else f"{attempt.code.name} {attempt.detail}"
    times = f"[{attempt.invoked:.4f} {attempt.returned:.4f}]"
    name = type(attempt.request).__name__.removesuffix("Request")
    return f"{attempt.client}@{attempt.server} {times} {name} {request[:300]} -> {result}"
