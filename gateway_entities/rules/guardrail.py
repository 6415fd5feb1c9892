"""Rules of requests for guardrails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from google.protobuf.message import Message

from gateway_entities.rules.mutation import CHANGES, CREATES
from gateway_entities.rules.stamps import ACTORS, CREATED, TIMES
from gateway_entities.rules.table import Table, nested, optional, required
from gateway_entities.rules.values import (
    ACTOR,
    IDENTIFIER,
    NAME,
    PAGE_SIZE,
    PAGE_TOKEN,
    SELECTOR,
    anything,
    known,
    recognized,
    text,
    whole,
)
from gateway_entities.rules.violation import Violation
from gatewayentities.v1 import guardrail_pb2 as pb

MAX_SERIALIZED_SCORER: Final = 65_536
"""Maximum characters of a serialized scorer. A list of an endpoint's guardrails repeats each of theirs."""

VERSION = whole(1, 2**31 - 1)
"""Rule of a scorer's version."""
SCORER = Table(
    {
        "experiment_id": optional(anything),
        "scorer_name": optional(text(0, 255)),
        "scorer_version": optional(VERSION),
        "serialized_scorer": optional(text(0, MAX_SERIALIZED_SCORER)),
        "creation_time": optional(whole(0)),
        "scorer_id": optional(IDENTIFIER),
    }
)
"""Rules of a scorer."""
_CONFIG_KEY = {"endpoint_id": required(IDENTIFIER), "guardrail_id": required(IDENTIFIER)}
_ORDER = {"execution_order": optional(anything)}


def same_scorer(request: Any) -> Iterator[Violation]:
    """The scorer of a request or a description is the one that its own fields name."""
    for name in ("scorer_id", "scorer_version"):
        if request.scorer.HasField(name) and getattr(request.scorer, name) != getattr(request, name):
            yield Violation("across/scorer", f"scorer.{name}", f"must be absent, or equal to {name}")


TABLES: dict[type[Message], Table] = {
    pb.CreateGatewayGuardrailRequest: Table(
        {
            "name": required(NAME),
            "scorer_id": required(IDENTIFIER),
            "scorer_version": required(VERSION),
            "stage": required(known(pb.GuardrailStage)),
            "action": required(known(pb.GuardrailAction)),
            "action_endpoint_id": optional(SELECTOR),
            "scorer": optional(nested(SCORER)),
            **CREATES,
        },
        across=[same_scorer],
    ),
    pb.GetGatewayGuardrailRequest: Table({"guardrail_id": required(IDENTIFIER)}),
    pb.DeleteGatewayGuardrailRequest: Table({"guardrail_id": required(IDENTIFIER), **CHANGES}),
    pb.ListGatewayGuardrailsRequest: Table({"max_results": optional(whole(0, 50_000)), "page_token": optional(PAGE_TOKEN)}),
    pb.AddGuardrailToEndpointRequest: Table({**_CONFIG_KEY, **_ORDER, **CREATES}),
    pb.RemoveGuardrailFromEndpointRequest: Table({**_CONFIG_KEY, **CHANGES}),
    pb.ListEndpointGuardrailConfigsRequest: Table(
        {"endpoint_id": required(IDENTIFIER), "page_size": optional(PAGE_SIZE), "page_token": optional(PAGE_TOKEN)}
    ),
    pb.UpdateEndpointGuardrailConfigRequest: Table({**_CONFIG_KEY, **_ORDER, **CHANGES}),
}

_GUARDRAIL = Table(
    {
        "guardrail_id": required(IDENTIFIER),
        "name": required(NAME),
        "scorer": optional(nested(SCORER)),
        "stage": optional(recognized(pb.GuardrailStage)),
        "action": optional(recognized(pb.GuardrailAction)),
        "action_endpoint_id": optional(IDENTIFIER),
        **TIMES,
        **ACTORS,
    }
)
CONFIG = Table(
    {**_CONFIG_KEY, **_ORDER, **CREATED, "created_by": optional(ACTOR), "guardrail": optional(nested(_GUARDRAIL))}
)
"""Rules of a guardrail of an endpoint."""

RESOURCES: dict[type[Message], Table] = {
    pb.Scorer: SCORER,
    pb.GatewayGuardrail: _GUARDRAIL,
    pb.GatewayGuardrailConfig: CONFIG,
}
