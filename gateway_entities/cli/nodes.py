"""``gateway-entities nodes``, and ``--wait-for-nodes`` of the commands that change something."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import click

from gateway_entities.cli.options.connection import connection_options
from gateway_entities.cli.options.form import Form, form_options
from gateway_entities.cli.options.seconds import Seconds
from gateway_entities.cli.output import show
from gateway_entities.errors import Code, FieldViolation, GatewayError

if TYPE_CHECKING:
    from gateway_entities.client import GatewayClient
    from gateway_entities.entities import GatewayNode

MAX_WAIT_S: Final = 600


@click.command()
@connection_options
@form_options
def nodes(connect: Callable[[], GatewayClient], form: Form) -> None:
    """List the nodes: the gateways that watch the configuration, and the revisions that they have applied.

    A node is named by its token and its instance. It leaves 30 seconds after its last call.
    """
    with connect() as client:
        found = client.list_nodes()
    show(found, form)


wait_option: Final = click.option(
    "--wait-for-nodes",
    metavar="SECONDS",
    type=Seconds(0, MAX_WAIT_S),
    help="Wait until every node has applied the change. Exit code 1, with their names, if some have not by then.",
)


def wait_for_nodes(client: GatewayClient, seconds: float) -> None:
    """Wait until every node has applied the client's last change.

    Raises:
        GatewayError: UNIMPLEMENTED (the target has no revisions); DEADLINE_EXCEEDED; some have not, and it names them.
    """
    revision = client.last_revision
    if revision is None:
        raise GatewayError(
            Code.UNIMPLEMENTED,
            "the change was made, but its revision is not known: --wait-for-nodes needs a target of gRPC or Connect",
            reason="NO_REVISION",
        )
    found = client.wait_for_convergence(revision, timeout_ms=round(seconds * 1000))
    if found.converged:
        return
    from gateway_entities.entities import GatewayNodeState

    applied = GatewayNodeState.APPLIED
    behind = [FieldViolation(_name(node), _state(node)) for node in found.nodes if node.state != applied]
    raise GatewayError(
        Code.DEADLINE_EXCEEDED,
        f"the change was made, and {len(behind)} of {len(found.nodes)} nodes have not applied revision {revision}",
        field_violations=behind,
        reason="NODES_BEHIND",
    )


def _name(node: GatewayNode) -> str:
    return f"{node.name}/{node.instance}" if node.instance else node.name


def _state(node: GatewayNode) -> str:
    name = getattr(node.state, "name", str(node.state)).lower()
    return name if node.reason is None else f"{name}: {node.reason}"
