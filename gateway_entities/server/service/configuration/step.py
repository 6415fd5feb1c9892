"""One resource in a plan: what it is, what it will be, and why."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from gateway_entities.server.service.configuration.state import Key
from gateway_entities.server.service.form import differences
from gatewayentities.v1 import change_pb2
from gatewayentities.v1 import configuration_pb2 as pb

_NOTES: Final[dict[int, str]] = {
    pb.GATEWAY_PLAN_NOTE_KIND_SPEND_RESTARTS: "The current spend starts again at 0.",
    pb.GATEWAY_PLAN_NOTE_KIND_SECRET_WITHOUT_VALUE: "The secret has no value: its endpoints cannot be resolved yet.",
    pb.GATEWAY_PLAN_NOTE_KIND_SECRET_VALUE_CHANGES: "The value that was sent differs from the stored one.",
    pb.GATEWAY_PLAN_NOTE_KIND_SECRET_ROTATED_SINCE: "The secret got another value since then, which it keeps.",
    pb.GATEWAY_PLAN_NOTE_KIND_SECRET_DELETED_SINCE: "The secret was deleted since then, and returns without a value.",
    pb.GATEWAY_PLAN_NOTE_KIND_LAST_GUARDRAIL: "The endpoint has no guardrails after this.",
}


@dataclass(slots=True)
class Step:
    """What happens to one resource.

    Attributes:
        noun: its noun.
        id: its id, a new one if it is created.
        name: its name, afterwards if it changes.
        before: the resource; None if it is created.
        after: the resource afterwards; None if it is deleted.
        form_before: its description; None if it is created.
        form_after: its description afterwards; None if it is deleted.
        owner_before: its owner.
        owner_after: its owner afterwards.
        secret_value: the value that a secret gets; None leaves the stored one.
        notes: kinds of notes.
        cause: noun and name of the resource whose change causes this; None for what the configuration says itself.
    """

    noun: str
    id: str
    name: str
    before: Any = None
    after: Any = None
    form_before: Any = None
    form_after: Any = None
    owner_before: str | None = None
    owner_after: str | None = None
    secret_value: dict[str, str] | None = field(default=None, repr=False)
    notes: set[int] = field(default_factory=set[int])
    cause: str | None = None

    @property
    def key(self) -> Key:
        """Noun and id."""
        return self.noun, self.id

    @property
    def changes(self) -> bool:
        """Whether anything happens to the resource itself or to its owner."""
        return self.form_before != self.form_after or self.owner_before != self.owner_after or self.secret_value is not None

    def to_proto(self) -> pb.GatewayPlannedChange:
        """Return the planned change."""
        action = (
            pb.GATEWAY_PLAN_ACTION_CREATE
            if self.before is None
            else pb.GATEWAY_PLAN_ACTION_DELETE
            if self.after is None
            else pb.GATEWAY_PLAN_ACTION_UPDATE
        )
        change = pb.GatewayPlannedChange(action=action, noun=self.noun, name=self.name, cause=self.cause)
        if self.before is not None:
            change.id = self.id
        change.fields.extend(differences(self.form_before, self.form_after))
        change.fields.extend(self.extra_fields())
        for kind in sorted(self.notes):
            change.notes.add(kind=pb.GatewayPlanNoteKind.ValueType(kind), description=_NOTES[kind])
        return change

    def extra_fields(self) -> list[Any]:
        """Return the differences that the descriptions do not have: the value of a secret, and the owner."""
        found: list[Any] = []
        if self.secret_value is not None:
            found.append(change_pb2.GatewayFieldDifference(path="secret_value"))
        if self.after is not None and self.owner_before != self.owner_after:
            before, after = (None if owner is None else json.dumps(owner, ensure_ascii=False) for owner in self._owners())
            found.append(change_pb2.GatewayFieldDifference(path="owner", before=before, after=after))
        return found

    def _owners(self) -> tuple[str | None, str | None]:
        return self.owner_before, self.owner_after
