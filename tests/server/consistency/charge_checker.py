"""Checks the charges in a recorded history: each of them, of 1, is in the counter once."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator

from gatewayentities.v1 import budget_pb2
from tests.server.consistency.history import Attempt, History, Violation, shown


def check_charges(history: History) -> list[Violation]:
    """Return the charges that were lost, counted twice, or shown too late or too early.

    The counter after a charge includes every charge that returned before it was sent, and no more than had been sent when it
    returned.
    """
    charges: defaultdict[str, list[Attempt]] = defaultdict(list)
    for attempt in history.attempts:
        if isinstance(attempt.request, budget_pb2.RecordGatewaySpendRequest):
            charges[attempt.request_id].append(attempt)
    return list(_check(list(charges.values()), history.charged))


def _check(charges: list[list[Attempt]], charged: int) -> Iterator[Violation]:
    recorded = [attempts for attempts in charges if any(attempt.response is not None for attempt in attempts)]
    if len(recorded) != charged:
        yield Violation("charge", f"{len(recorded)} charges are counted as {charged}")
    sent = sorted(min(attempt.invoked for attempt in attempts) for attempts in charges)
    answered = sorted(
        min((attempt.returned for attempt in attempts if attempt.response is not None), default=math.inf)
        for attempts in charges
    )
    for attempts in recorded:
        for attempt in attempts:
            if attempt.response is None:
                continue
            counter = attempt.response.windows[0].current_spend
            least, most = bisect_left(answered, attempt.invoked), bisect_right(sent, attempt.returned)
            if not max(least, 1) <= counter <= most:
                yield Violation("charge", f"the counter is {counter:g}, not {least} to {most}: {shown(attempt)}")
