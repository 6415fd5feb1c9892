"""Checks a recorded history for linearizability against the model of the store.

Each change has a revision, and each read the revision that it shows, so the order of both is given; the change log has what
every revision did. It remains to check that the model gives these responses in this order, and that the order agrees with
real time: a request that had its result before another was sent comes before it. An error has no revision: it belongs to the
earliest state that gives it and that real time permits, which leaves most room to all later requests. One sweep over the
requests, by the time of their sending, decides, so the cost is that of sorting them, and of the states tried for each error.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from gateway_entities.entities import GatewayChange
from gateway_entities.errors import Code
from gatewayentities.v1 import change_pb2
from tests.mutations import METHOD_OF
from tests.server.consistency.history import LOST, UNAUTHENTICATED, Attempt, History, Violation, shown
from tests.server.consistency.model import (
    Key,
    Outcome,
    RejectedError,
    State,
    apply,
    etag_of,
    is_change,
    is_read,
    read,
    rejection,
    resource_of,
)

_REJECTIONS = frozenset({Code.NOT_FOUND, Code.ALREADY_EXISTS, Code.ABORTED, Code.FAILED_PRECONDITION})


def check(history: History) -> list[Violation]:
    """Return the contradictions between a history and the model of the configuration; none for a linearizable history."""
    return list(_Check(history).run())


@dataclass(slots=True)
class _Change:
    """The attempts of one request_id.

    Attributes:
        attempts: all of them.
        response: the response of the first that succeeded; None without one.
        invoked: when the first was sent.
        returned: when the first response came, before the end of the history; infinite without one.
    """

    attempts: list[Attempt]
    response: Any
    invoked: float
    returned: float

    @property
    def request(self) -> Any:
        return self.attempts[0].request

    @property
    def revision(self) -> int:
        """The revision in its response; 0 without one."""
        return int(self.response.revision) if self.response is not None else 0


class _Step(NamedTuple):
    """A request in the sweep.

    Attributes:
        invoked: when it was sent.
        returned: when its result came.
        position: its place in the order: 2r for the change of revision r, 2r + 1 for a read of it; None for an error.
        last: the last revision of which it can be an error.
        attempt: the attempt.
    """

    invoked: float
    returned: float
    position: int | None
    last: int
    attempt: Attempt


class _Check:
    def __init__(self, history: History) -> None:
        self._log = list(history.changes)
        self._attempts = [each for each in history.attempts if _is_checked(each.request)]
        self._changes = _changes(self._attempts)
        # One for each revision, that of the empty store included.
        self._states: list[State] = [{}]
        self._etags: set[str] = set()

    def run(self) -> Iterator[Violation]:
        yield from self._errors()
        gaps = list(self._gaps())
        yield from gaps
        yield from self._repeats()
        if gaps:
            return
        complete = True
        for violation in self._replay():
            complete = False
            yield violation
        yield from self._reads()
        if complete:
            yield from self._sweep()

    def _errors(self) -> Iterator[Violation]:
        expected = _REJECTIONS | LOST | UNAUTHENTICATED
        for attempt in self._attempts:
            if attempt.code is not None and attempt.code not in expected:
                yield Violation("error", f"no request may get it: {shown(attempt)}")

    def _gaps(self) -> Iterator[Violation]:
        for expected, change in enumerate(self._log, start=1):
            if change.revision != expected:
                yield Violation("gap", f"the change log has {change.revision} in place of revision {expected}")
                return

    def _repeats(self) -> Iterator[Violation]:
        """Check each change by itself: one effect, the same in every response, and none after an error alone."""
        for change in self._changes.values():
            responses = [attempt for attempt in change.attempts if attempt.response is not None]
            if len({attempt.response.SerializeToString(deterministic=True) for attempt in responses}) > 1:
                yield Violation("repeat", "; ".join(shown(attempt) for attempt in responses))
            if change.revision > len(self._log) and change.returned < math.inf:
                yield Violation("lost", f"the change log ends at {len(self._log)}, without {shown(responses[0])}")
            open_ended = any(each.is_lost or each.doubled for each in change.attempts)
            if 0 < change.revision <= len(self._log) and change.returned == math.inf and not open_ended:
                yield Violation("error", f"took effect as {change.revision} in spite of {shown(change.attempts[0])}")

    def _replay(self) -> Iterator[Violation]:
        """Apply the changes to the model in the order of their revisions."""
        by_revision: defaultdict[int, list[_Change]] = defaultdict(list)
        for change in self._changes.values():
            by_revision[change.revision].append(change)
        for entry in self._log:
            made = by_revision[entry.revision]
            if not made:
                yield Violation("doubled", f"no request has revision {entry.revision} in its response: {entry}")
                return
            if len(made) > 1:
                yield Violation("shared", f"{len(made)} requests have revision {entry.revision}: {entry}")
                return
            fault = self._advance(made[0], entry)
            if fault is not None:
                yield Violation("change", f"revision {entry.revision}: {fault}: {shown(made[0].attempts[0])}")
                return

    def _advance(self, change: _Change, entry: GatewayChange) -> str | None:
        """Add the state after a change; return a contradiction."""
        request, response, before = change.request, change.response, self._states[-1]
        if (entry.rpc, entry.actor) != (METHOD_OF[type(request)].name, change.attempts[0].token):
            return f"is logged as {entry.rpc} of {entry.actor}"
        try:
            own, after = apply(before, request, Outcome(entry.actor or "", entry.changed_at, response))
        except RejectedError as rejected:
            return f"must be rejected with {rejected.code.name}, but was acknowledged"
        resource = after.get(own)
        sent = resource_of(response)
        if sent is not None and sent != resource:
            return f"has the response {sent} in place of {resource}"
        if (response.etag if "etag" in response.DESCRIPTOR.fields_by_name else "") != _etag(resource):
            return f"has the etag of another state in its response, not {_etag(resource)}"
        effects = {(each.noun, each.id): (each.etag_before or "", each.etag_after or "") for each in entry.effects}
        effects[entry.change.noun, entry.change.id] = entry.change.etag_before or "", entry.change.etag_after or ""
        expected = _effects(before, after, own)
        if effects != expected:
            return f"is logged with the effects {effects} in place of {expected}"
        self._states.append(after)
        self._etags |= {etag for _, etag in expected.values()}
        return None

    def _reads(self) -> Iterator[Violation]:
        """Check that each read shows the state of its revision."""
        for attempt in self._attempts:
            if attempt.response is None or is_change(attempt.request):
                continue
            revision = attempt.response.revision
            if revision > len(self._log):
                yield Violation("uncommitted", f"revision {revision} is not in the change log: {shown(attempt)}")
            elif isinstance(attempt.request, change_pb2.ListGatewayChangesRequest):
                since = attempt.request.since_revision
                if [GatewayChange.from_proto(each) for each in attempt.response.changes] != self._log[since:revision]:
                    yield Violation("content", f"is not the change log: {shown(attempt)}")
            elif revision < len(self._states):
                yield from self._read(attempt, self._states[revision])

    def _read(self, attempt: Attempt, state: State) -> Iterator[Violation]:
        try:
            expected = read(state, attempt.request)
        except RejectedError:
            expected = []
        found = _resources(attempt.response)
        if getattr(attempt.response, "next_page_token", ""):
            expected = expected[: len(found)]
        if found == expected:
            return
        unknown = [etag for etag in map(etag_of, found) if etag not in self._etags]
        kind = "uncommitted" if unknown else "content"
        yield Violation(kind, f"revision {attempt.response.revision} is {expected}, not {found}: {shown(attempt)}")

    def _sweep(self) -> Iterator[Violation]:
        """Check the order against real time."""
        floor = 0
        returned: list[tuple[float, int]] = []
        for step in sorted(self._steps(), key=lambda step: step.invoked):
            while returned and returned[0][0] < step.invoked:
                floor = max(floor, heapq.heappop(returned)[1])
            position = step.position
            if position is None:
                position = self._place(step, floor)
                if position is None:
                    yield Violation("error", f"no state after {floor // 2} gives it: {shown(step.attempt)}")
                    continue
            elif position < floor:
                kind = "order" if is_change(step.attempt.request) else "stale"
                yield Violation(kind, f"revision {floor // 2} was seen before it was sent: {shown(step.attempt)}")
            heapq.heappush(returned, (step.returned, position))

    def _steps(self) -> Iterator[_Step]:
        end = len(self._log)
        for change in self._changes.values():
            took_effect = 0 < change.revision <= end
            if took_effect:
                yield _Step(change.invoked, change.returned, 2 * change.revision, end, change.attempts[0])
            for attempt in change.attempts:
                # Once it has taken effect, its response is stored.
                if attempt.code in _REJECTIONS and not attempt.final:
                    last = change.revision - 1 if took_effect else end
                    yield _Step(attempt.invoked, attempt.returned, None, last, attempt)
        for attempt in self._attempts:
            if is_change(attempt.request):
                continue
            if attempt.response is not None:
                yield _Step(attempt.invoked, attempt.returned, 2 * attempt.response.revision + 1, end, attempt)
            elif attempt.code in _REJECTIONS:
                yield _Step(attempt.invoked, attempt.returned, None, end, attempt)

    def _place(self, step: _Step, floor: int) -> int | None:
        """Return the first place after others for an error."""
        request, code = step.attempt.request, step.attempt.code
        response_type = METHOD_OF[type(request)].response_type
        for revision in range(floor // 2, step.last + 1):
            if rejection(self._states[revision], request, response_type) == code:
                return 2 * revision + 1
        return None


def _is_checked(request: Any) -> bool:
    return is_change(request) or is_read(request) or isinstance(request, change_pb2.ListGatewayChangesRequest)


def _changes(attempts: Iterable[Attempt]) -> dict[str, _Change]:
    """Return the changes by request_id."""
    changes: dict[str, _Change] = {}
    for attempt in attempts:
        if not is_change(attempt.request):
            continue
        change = changes.setdefault(attempt.request_id, _Change([], None, attempt.invoked, math.inf))
        change.attempts.append(attempt)
        change.invoked = min(change.invoked, attempt.invoked)
        if attempt.response is not None:
            change.response = change.response or attempt.response
            if not attempt.final:
                change.returned = min(change.returned, attempt.returned)
    return changes


def _effects(before: State, after: State, own: Key) -> dict[Key, tuple[str, str]]:
    """Return the etags before and after of the named resource and of all that changed."""
    effects = {own: (_etag(before.get(own)), _etag(after.get(own)))}
    for key in {*before, *after}:
        old, new = before.get(key), after.get(key)
        if old is not new and _etag(old) != _etag(new):
            effects[key] = _etag(old), _etag(new)
    return effects


def _etag(resource: Any) -> str:
    return "" if resource is None else etag_of(resource)


def _resources(response: Any) -> Sequence[Any]:
    """Return the resources that a read shows."""
    single = resource_of(response)
    return [single] if single is not None else list(getattr(response, response.DESCRIPTOR.fields[0].name))
