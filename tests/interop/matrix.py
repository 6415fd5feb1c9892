"""One cell of the matrix: a language, an operation, every case. A result is expected, a listed deviation, or a fault."""

from __future__ import annotations

import functools
from collections.abc import Callable

from tests.interop.cases import Case, generated, vectors
from tests.interop.deviation import ANYTHING, Deviation, predict
from tests.interop.deviations import DEVIATIONS
from tests.interop.faults import Cell, Fault
from tests.interop.proto.testee_pb2 import TesteeRequest
from tests.interop.reference import Result, expected, operations_of, received, request, same
from tests.interop.testee import Testee, TesteeError

MESSAGE_OPERATIONS = ("decode", "to_json", "from_json", "digest")

Report = Callable[[str, int, int], None]
"""Progress callback: the activity, the amount done, and the total."""


class Cases:
    """All cases of a run with their expected results, computed once for all languages."""

    def __init__(self, messages: int, seed: int, report: Report = lambda what, done, of: None) -> None:
        samples = {each.sample.name: each.sample for each in DEVIATIONS if each.sample is not None}
        drawn = generated(messages, seed, lambda done: report("generating messages", done, messages))
        self._all = [*vectors(), *samples.values(), *drawn]

    @functools.cache  # noqa: B019  # There is one for a run.
    def of(self, operation: str) -> list[tuple[Case, Result]]:
        """Return the cases of an operation, each with its expected result."""
        return [(case, expected(case, operation)) for case in self._all if operation in operations_of(case)]

    @functools.cache  # noqa: B019
    def requests(self, operation: str) -> list[TesteeRequest]:
        return [request(case, operation) for case, _ in self.of(operation)]


def check(testee: Testee, operation: str, cases: Cases, report: Report = lambda what, done, of: None) -> Cell:
    """Check an operation of a testee on every case. A protocol error is a fault that ends the operation."""
    cell = Cell(testee.name, operation)
    responses = testee.send(cases.requests(operation))
    every = cases.of(operation)
    for position, (case, wanted) in enumerate(every):
        try:
            came = received(next(responses))
        except TesteeError as error:
            cell.faults.append(_fault(cell, case, wanted, str(error)))
            break
        cell.count += 1
        if position % 500 == 0:
            report(operation, position, len(every))
        if not same(case, wanted, came):
            shown = _shown(cell, case, wanted, came)
            cell.deviations.update(shown)
            if not shown:
                cell.faults.append(_fault(cell, case, wanted, str(came)))
    report(operation, len(every), len(every))
    cell.faults += unseen(cell)
    return cell


def listed(language: str, operation: str) -> list[Deviation]:
    """Return the deviations of a language in an operation."""
    return [each for each in DEVIATIONS if language in each.languages and operation in each.operations]


def unseen(cell: Cell) -> list[Fault]:
    """Return a fault for each listed deviation that did not show, unless there are other faults."""
    row = cell.language, cell.operation
    due = [each.name for each in listed(*row) if not each.sometimes and not cell.deviations[each.name] and not cell.faults]
    return [Fault(*row, name, "", "", "this listed deviation", "no deviation at all: take it off the list") for name in due]


def _shown(cell: Cell, case: Case, wanted: Result, came: Result) -> list[str]:
    """Return the names of the deviations that explain an unexpected result; none if it is a fault."""
    every = listed(cell.language, cell.operation)
    always = [each for each in every if not each.sometimes]
    for deviations in [every, always] if len(always) < len(every) else [every]:
        names, instead = predict(deviations, case, cell.operation)
        if instead is ANYTHING and came.kind == "unsupported":
            return []
        if instead is ANYTHING or (instead != wanted and same(case, instead, came)):
            return names
    return []


def _fault(cell: Cell, case: Case, wanted: Result, came: str) -> Fault:
    sent = getattr(request(case, cell.operation), cell.operation)
    given = sent.hex() if isinstance(sent, bytes) else sent
    return Fault(cell.language, cell.operation, case.name, case.message_type, given, str(wanted), came)
