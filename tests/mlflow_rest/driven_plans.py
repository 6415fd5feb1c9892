"""Plans of the client's calls to an MLflow server, driven without a server."""

from __future__ import annotations

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.mlflow_rest.plans import plan
from gatewayentities.v1 import budget_pb2, endpoint_pb2
from tests.mutations import METHOD_OF

REMOVALS = {
    endpoint_pb2.DeleteGatewayEndpointRequest,
    endpoint_pb2.DetachModelFromGatewayEndpointRequest,
    budget_pb2.DeleteGatewayBudgetPolicyRequest,
}


def drive(request, *responses):
    """Return the requests of a plan and its result, with these responses in turn.

    Only removals that follow a successful one may find nothing.
    """
    steps = plan(METHOD_OF[type(request)], request)
    sent, response = [], None
    for following in (*responses, None):
        try:
            step = steps.send(response)
        except StopIteration as end:
            assert len(sent) == len(responses)
            return sent, end.value
        assert step.method is METHOD_OF[type(step.request)]
        assert step.may_be_gone == (type(step.request) in REMOVALS and bool(sent) and type(sent[-1]) in REMOVALS)
        sent.append(step.request)
        response = following
    raise AssertionError(f"one more request: {step.request}")


def error_of(request, *responses):
    with pytest.raises(GatewayError) as caught:
        drive(request, *responses)
    return caught.value.code, caught.value.reason, caught.value.message


def lost(request, *responses):
    """Return the fields that a plan reports as stored otherwise."""
    code, reason, message = error_of(request, *responses)
    assert (code, reason) == (Code.DATA_LOSS, "MLFLOW_STORED_OTHERWISE")
    return message.partition(", in ")[2]
