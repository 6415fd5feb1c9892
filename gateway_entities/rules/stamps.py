"""Rules of the fields that every resource has: when it was created and changed, and by whom."""

from __future__ import annotations

from gateway_entities.rules.table import optional, required
from gateway_entities.rules.values import ACTOR, whole

TIME = whole(0)

CREATED = {"created_at": required(TIME)}
TIMES = {**CREATED, "last_updated_at": required(TIME)}
ACTORS = {"created_by": optional(ACTOR), "last_updated_by": optional(ACTOR)}
