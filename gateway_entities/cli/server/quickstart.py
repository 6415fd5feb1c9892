"""``gateway-entities quickstart``: a demonstration with a real, temporary gateway."""

from __future__ import annotations

import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

import click

from gateway_entities.cli.output import Entity, entity_table, record
from gateway_entities.cli.server.server_process import ServerProcess
from gateway_entities.cli.table import table
from gateway_entities.entities import (
    BudgetAction,
    BudgetDuration,
    BudgetDurationUnit,
    BudgetTargetScope,
    BudgetUnit,
    GatewayEndpoint,
    GatewayEndpointModelConfig,
    GatewayModelLinkageType,
    GatewayResourceType,
    RoutingStrategy,
)
from gateway_entities.errors import Code, GatewayError

_CALL_SECONDS: Final = 10.0
_RETRY_SECONDS: Final = 1.0
_WHO: Final = "quickstart"


@click.command()
def quickstart() -> None:
    """Try a temporary gateway: start it, use it, clean up.

    It runs in a temporary folder on free ports, is used over gRPC and HTTP, and restarted. The output shows the parts of an
    endpoint, and that both transports return the stored resources before and after the restart.
    """
    previous = {number: signal.signal(number, _end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        with _temporary_folder() as folder:
            endpoint = _run(Path(folder))
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    click.echo(f"\nThe stored endpoint, {len(endpoint.to_bytes())} bytes on the wire:\n")
    click.echo(record(endpoint))
    click.echo("\nIts models; requests go to a PRIMARY model by weight, and to the FALLBACK if that fails:\n")
    click.echo(entity_table(endpoint.model_mappings))
    click.echo("\nAll files are removed. To run a permanent gateway: gateway-entities serve")


def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix="gateway-entities-")
    except OSError as error:
        raise GatewayError(
            Code.FAILED_PRECONDITION,
            f"no temporary folder can be created: {error.strerror}; set TMPDIR to a folder that can be written to",
            reason="TEMPORARY_FOLDER",
        ) from error


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    # The default handler would neither stop the server nor remove the folder.
    sys.exit(128 + number)


def _run(folder: Path) -> GatewayEndpoint:
    with ServerProcess(folder) as server:
        try:
            return _demonstrate(server)
        except GatewayError as error:
            if error.code is Code.INTERNAL:
                # The log explains the error's id, and is removed with the folder.
                click.echo(server.log(), err=True)
            raise


def _demonstrate(server: ServerProcess) -> GatewayEndpoint:
    step = _Steps()
    with step("Start a gateway: a child process with a SQLite file in a temporary folder"):
        server.start()
    click.echo(f"   {server.grpc_target}   {server.http_target}   {server.folder}")
    with step("Create over gRPC: a secret, three models, an endpoint with a tag, a binding, a budget policy"):
        stored = _create(server.grpc_target)
    with step("Read everything back over gRPC and over HTTP, and compare"):
        over_grpc, over_http = _read_all(server.grpc_target), _read_all(server.http_target)
    click.echo(_comparison(over_grpc, over_http))
    _require_equal(stored, over_grpc, "created and read over gRPC")
    _require_equal(over_grpc, over_http, "read over gRPC and over HTTP")
    with step("Stop the gateway with SIGTERM and restart it on the same file"):
        server.stop()
        server.start()
    with step("Read everything again over both and compare with the state before the restart"):
        _require_equal(over_grpc, _read_all(server.grpc_target), "read over gRPC before and after the restart")
        _require_equal(over_http, _read_all(server.http_target), "read over HTTP before and after the restart")
    click.echo("   All resources are equal to those before the restart.")
    with step("Stop the gateway and remove the folder"):
        server.stop()
    return next(entity for entity in stored if isinstance(entity, GatewayEndpoint))


def _create(target: str) -> list[Entity]:
    """Create resources of every type; return them in the order of _read_all."""
    from gateway_entities.client import GatewayClient

    with GatewayClient(target, timeout=_CALL_SECONDS, retry_timeout=_RETRY_SECONDS) as client:
        # A random key, sent to the gateway and never shown.
        key = {"api_key": "sk-" + secrets.token_urlsafe(32)}
        secret = client.create_secret("openai-key", key, provider="openai", created_by=_WHO)
        models = [
            client.create_model_definition(
                name, secret_id=secret.secret_id, provider="openai", model_name=model_name, created_by=_WHO
            )
            for name, model_name in (("fast", "gpt-4o-mini"), ("strong", "gpt-4o"), ("spare", "gpt-4.1-mini"))
        ]
        primary, fallback = GatewayModelLinkageType.PRIMARY, GatewayModelLinkageType.FALLBACK
        endpoint = client.create_endpoint(
            "chat",
            [
                GatewayEndpointModelConfig(models[0].model_definition_id, primary, weight=0.7),
                GatewayEndpointModelConfig(models[1].model_definition_id, primary, weight=0.3),
                GatewayEndpointModelConfig(models[2].model_definition_id, fallback, fallback_order=0),
            ],
            routing_strategy=RoutingStrategy.REQUEST_BASED_TRAFFIC_SPLIT,
            created_by=_WHO,
        )
        client.set_endpoint_tag(endpoint.endpoint_id, "team", "search")
        binding = client.create_binding(endpoint.endpoint_id, GatewayResourceType.SCORER, "1234", created_by=_WHO)
        policy = client.create_budget_policy(
            budget_unit=BudgetUnit.USD,
            budget_amount=100.0,
            duration=BudgetDuration(BudgetDurationUnit.DAYS, 1),
            target_scope=BudgetTargetScope.ENDPOINT,
            target_value=endpoint.endpoint_id,
            budget_action=BudgetAction.REJECT,
            created_by=_WHO,
        )
        return [secret, *models, client.get_endpoint(endpoint_id=endpoint.endpoint_id), binding, policy]


def _read_all(target: str) -> list[Entity]:
    from gateway_entities.client import GatewayClient

    with GatewayClient(target, timeout=_CALL_SECONDS, retry_timeout=_RETRY_SECONDS) as client:
        return [
            *client.list_secrets(),
            *client.list_model_definitions(),
            *client.list_endpoints(),
            *client.list_bindings(),
            *client.list_budget_policies(),
        ]


def _comparison(over_grpc: Sequence[Entity], over_http: Sequence[Entity]) -> str:
    rows = [
        (type(a).__name__, str(len(a.to_bytes())), a.etag(), b.etag(), "yes" if a == b else "NO")
        for a, b in zip(over_grpc, over_http, strict=False)
    ]
    text = table(("entity", "bytes", "etag over grpc", "etag over http", "equal"), rows)
    return "\n".join("   " + line for line in text.splitlines())


def _require_equal(expected: Sequence[Entity], found: Sequence[Entity], what: str) -> None:
    if expected != found or [e.to_bytes() for e in expected] != [e.to_bytes() for e in found]:
        raise GatewayError(Code.DATA_LOSS, f"resources differ: {what}")


class _Steps:
    """Numbered steps, with a spinner on a terminal."""

    def __init__(self) -> None:
        self._done = 0

    @contextmanager
    def __call__(self, title: str) -> Generator[None]:
        self._done += 1
        start = time.monotonic()
        with _spinner(title):
            yield
        click.echo(f"{self._done}. {title} ({time.monotonic() - start:.1f} s)")


def _spinner(title: str) -> AbstractContextManager[object]:
    if not sys.stdout.isatty():
        return nullcontext()
    try:
        from rich.console import Console
    except ModuleNotFoundError:
        # rich is part of the server extra, whose absence is reported later.
        return nullcontext()
    return Console().status(title)
