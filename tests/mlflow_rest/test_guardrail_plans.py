"""The plans of the client's calls for guardrails: which requests they make, and what they do with the responses."""

from __future__ import annotations

from gatewayentities.v1 import guardrail_pb2 as pb
from tests.mlflow_rest.driven_plans import drive

FIELDS = {"name": "a", "scorer_id": "1", "scorer_version": 2, "stage": "BEFORE", "action": "VALIDATION"}


def test_an_empty_action_endpoint_is_none():
    scorer = pb.Scorer(scorer_id="1", scorer_version=2)
    guardrail = pb.GatewayGuardrail(guardrail_id="gr-1", name="a", scorer=scorer, stage="BEFORE", action="VALIDATION")
    stored = pb.CreateGatewayGuardrailResponse(guardrail=guardrail)
    request = pb.CreateGatewayGuardrailRequest(**FIELDS, action_endpoint_id="")
    assert drive(request, stored) == ([pb.CreateGatewayGuardrailRequest(**FIELDS)], stored)
    assert request.HasField("action_endpoint_id")
