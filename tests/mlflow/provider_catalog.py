"""Make the built-in file of providers from the installed MLflow: ``python -m tests.mlflow.provider_catalog``.

Only facts come from MLflow: names, sizes, prices, dates. The descriptions are this project's.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parents[2] / "gateway_entities" / "server" / "provider_catalog.json"
ALIASES = {"amazon-bedrock": "bedrock", "bedrock_converse": "bedrock", "databricks-model-serving": "databricks"}

MODES = {
    "api_key": ("API key", "An API key of the provider"),
    "access_keys": ("AWS access key", "The id and the secret of an AWS access key"),
    "iam_role": ("AWS role", "A role of AWS IAM that is assumed"),
    "default_chain": ("Credentials of the environment", "The credentials that the gateway finds in its own environment"),
    "service_account_json": ("Service account", "The JSON key of a service account of Google Cloud"),
    "pat_token": ("Personal access token", "A personal access token of a Databricks user"),
    "oauth_m2m": ("OAuth client", "The id and the secret of an OAuth client for machines"),
}
"""Display name and description of each mode."""
FIELDS = {
    "api_key": "API key",
    "api_base": "Address of the API",
    "api_version": "Version of the API, such as 2024-02-01",
    "aws_access_key_id": "Id of the AWS access key",
    "aws_secret_access_key": "Secret of the AWS access key",
    "aws_region_name": "AWS region, such as us-east-1",
    "aws_role_name": "ARN of the role to assume",
    "aws_session_name": "Name of the session of the assumed role",
    "vertex_credentials": "Content of the JSON key file",
    "vertex_project": "Id of the project",
    "vertex_location": "Region, such as us-central1",
    "client_id": "Id of the OAuth client",
    "client_secret": "Secret of the OAuth client",
    "portkey_provider": "Provider to route to, such as @openai-prod or openai",
    "portkey_config": "Id of a configuration, such as pc-1234, or its JSON, which may hold credentials",
    "provider_api_key": "API key of the provider behind it, unless it is stored there",
}
"""Description of each field."""
CAPABILITIES = ("function_calling", "vision", "reasoning", "prompt_caching", "response_schema")


def from_mlflow(date: str) -> dict[str, Any]:
    """Return the content of the file, from the files of the installed MLflow alone.

    Args:
        date: the day on which it is made, such as ``2026-01-31``.
    """
    os.environ["MLFLOW_MODEL_CATALOG_URI"] = ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow
        from mlflow.utils import providers
    by_provider: dict[str, dict[str, Any]] = {name: {} for name in sorted(providers.get_all_providers())}
    for model in providers.get_models():
        by_provider[str(model["provider"])].setdefault("models", {})[model["model"]] = _facts(model)
    for name, provider in by_provider.items():
        config = providers.get_provider_config_response(name)
        if name in providers._PROVIDER_AUTH_MODES:
            provider["default_mode"] = config["default_mode"]
            provider["auth_modes"] = {mode["mode"]: _mode(mode) for mode in config["auth_modes"]}
    return {
        "source": f"MLflow {mlflow.__version__}: mlflow/utils/model_catalog and mlflow/utils/providers.py",
        "date": date,
        "aliases": ALIASES,
        "providers": by_provider,
    }


def _facts(model: Any) -> dict[str, Any]:
    capabilities = [name for name in CAPABILITIES if model[f"supports_{name}"]]
    facts = {
        "mode": model["mode"],
        "capabilities": capabilities or None,
        "max_input_tokens": _whole(model["max_input_tokens"]),
        "max_output_tokens": _whole(model["max_output_tokens"]),
        "input_usd_per_million_tokens": _per_million(model["input_cost_per_token"]),
        "output_usd_per_million_tokens": _per_million(model["output_cost_per_token"]),
        "modality": model["modality"],
        "deprecation_date": model["deprecation_date"],
        "last_updated_at": model["last_updated_at"],
    }
    return {name: value for name, value in facts.items() if value is not None}


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _per_million(price: float | None) -> float | None:
    if price is None:
        return None
    shortest = next(
        rounded for digits in range(1, 18) if (rounded := float(f"{price * 1_000_000:.{digits}g}")) / 1_000_000 == price
    )
    return int(shortest) if shortest.is_integer() else shortest


def _mode(mode: Mapping[str, Any]) -> dict[str, Any]:
    name, description = MODES[mode["mode"]]
    fields = [
        {
            "name": field["name"],
            "description": FIELDS[field["name"]],
            "secret": is_secret,
            "required": field["required"],
            **({"default": field["default"]} if "default" in field else {}),
        }
        for is_secret in (True, False)
        for field in mode["secret_fields" if is_secret else "config_fields"]
    ]
    return {"display_name": name, "description": description, "fields": fields}


def text(content: Mapping[str, Any]) -> str:
    """Return the file: one line for each model and each way to authenticate."""
    lines = ["{"]
    lines += [f" {json.dumps(name)}: {json.dumps(content[name])}," for name in ("source", "date", "aliases")]
    lines.append(' "providers": {')
    providers = []
    for name, provider in content["providers"].items():
        parts = [f'   "default_mode": {json.dumps(provider["default_mode"])}'] if "default_mode" in provider else []
        for part in ("auth_modes", "models"):
            if part in provider:
                entries = [f"    {json.dumps(key)}: {json.dumps(value)}" for key, value in provider[part].items()]
                parts.append(f'   "{part}": {{\n' + ",\n".join(entries) + "\n   }")
        providers.append(f"  {json.dumps(name)}: " + ("{\n" + ",\n".join(parts) + "\n  }" if parts else "{}"))
    lines += [",\n".join(providers), " }", "}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(from_mlflow(datetime.now(UTC).date().isoformat())), encoding="utf-8")
    sys.stdout.write(f"{FILE}\n")
