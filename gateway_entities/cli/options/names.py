"""Completion of names of resources, read from the gateway."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import click

from gateway_entities.cli.options.connection import DEFAULT_TARGET, TARGET_VARIABLE, read_token

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from gateway_entities.client import GatewayClient

    Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]

_TIMEOUT_S: Final = 2.0
"""Seconds that a shell waits for names."""


def secrets(client: GatewayClient) -> list[str]:
    """Return the names of all secrets."""
    return [each.secret_name for each in client.list_secrets()]


def model_definitions(client: GatewayClient) -> list[str]:
    """Return the names of all model definitions."""
    return [each.name for each in client.list_model_definitions()]


def endpoints(client: GatewayClient) -> list[str]:
    """Return the names of all endpoints."""
    return [each.name for each in client.list_endpoints() if each.name is not None]


def guardrails(client: GatewayClient) -> list[str]:
    """Return the names of all guardrails, each once."""
    return list({each.name for each in client.list_guardrails()})


def budget_policies(client: GatewayClient) -> list[str]:
    """Return the ids of all budget policies, which have no names."""
    return [each.budget_policy_id for each in client.list_budget_policies()]


def everything(client: GatewayClient) -> list[str]:
    """Return the names of all secrets, model definitions and endpoints, each once."""
    return list({*secrets(client), *model_definitions(client), *endpoints(client)})


def completed(names: Callable[[GatewayClient], list[str]]) -> Complete:
    """Return the completion of an argument by names of the gateway. Without a gateway there are none, and no error."""

    def complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        from gateway_entities.client import GatewayClient

        options = ctx.params
        # A shell shows no error; whatever it is, there is nothing to complete.
        with contextlib.suppress(Exception):
            target = options.get("target") or os.environ.get(TARGET_VARIABLE) or DEFAULT_TARGET
            with GatewayClient(
                target,
                timeout=_TIMEOUT_S,
                retry_timeout=0,
                token=read_token(options.get("token_file")),
                ca_file=options.get("tls_ca"),
                cert_file=options.get("tls_cert"),
                key_file=options.get("tls_key"),
            ) as client:
                return [CompletionItem(name) for name in sorted(names(client)) if name.startswith(incomplete)]
        return []

    return complete
