"""Checks the use of tokens in a recorded history against the times of their creation and revocation."""

from __future__ import annotations

from collections.abc import Iterator

from tests.server.consistency.history import UNAUTHENTICATED, Attempt, History, TokenUse, Violation, shown

REVOKED_WITHIN_S = 2.0
"""A revoked token is rejected within this time on every server."""
CREATED_WITHIN_S = 0.1
"""A new token is accepted within this time on every server."""


def check_tokens(history: History) -> list[Violation]:
    """Return the uses of tokens that were accepted or rejected at a wrong time."""
    attempts = [attempt for attempt in history.attempts if not attempt.is_lost]
    return [
        violation
        for token in history.tokens
        for violation in _check([attempt for attempt in attempts if attempt.token == token.name], token)
    ]


def _check(attempts: list[Attempt], token: TokenUse) -> Iterator[Violation]:
    rejected_since: dict[int, float] = {}
    for attempt in sorted(attempts, key=lambda attempt: attempt.returned):
        settled = attempt.invoked >= token.created[1] + CREATED_WITHIN_S
        if attempt.code in UNAUTHENTICATED:
            if settled:
                rejected_since.setdefault(attempt.server, attempt.returned)
                if attempt.returned < token.revoked[0]:
                    yield Violation("token", f"rejected before its revocation: {shown(attempt)}")
        elif attempt.returned < token.created[0]:
            yield Violation("token", f"accepted before its creation: {shown(attempt)}")
        elif attempt.invoked > token.revoked[1] + REVOKED_WITHIN_S:
            yield Violation("token", f"accepted after its revocation: {shown(attempt)}")
        elif attempt.invoked > rejected_since.get(attempt.server, attempt.invoked):
            yield Violation("token", f"accepted by a server that had rejected it: {shown(attempt)}")
