"""What metrics show of budgets."""

from __future__ import annotations

from typing import NamedTuple


class BudgetStatus(NamedTuple):
    """The current window of a budget policy, in nano-units.

    Attributes:
        budget_policy_id: the id of the policy.
        recorded: the recorded spending.
        reserved: what open reservations take.
        limit: the limit; None for one that cannot be reached.
        overrun: by how much both exceed the limit.
    """

    budget_policy_id: str
    recorded: int
    reserved: int
    limit: int | None
    overrun: int
