"""The built-in providers are those of the installed MLflow, and our responses have its facts and its shape."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from gateway_entities.server.provider_catalog import ProviderCatalog

with warnings.catch_warnings():
    # Importing MLflow raises warnings about other libraries.
    warnings.simplefilter("ignore")
    pytest.importorskip("mlflow", reason="MLflow is not installed: pip install 'gateway-entities[test]'")
    import mlflow
    from mlflow.utils import providers
from tests.mlflow import provider_catalog
from tests.mlflow.releases import PEER

if mlflow.__version__ != PEER:
    pytest.skip(f"MLflow {PEER} is not installed: pip install --no-deps mlflow=={PEER}", allow_module_level=True)

WORDS = {"display_name", "description"}
"""Texts that are this project's."""


@pytest.fixture(scope="module", autouse=True)
def no_remote_models() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_MODEL_CATALOG_URI", "")
        yield


def test_the_built_in_file_is_made_from_the_installed_mlflow() -> None:
    text = provider_catalog.FILE.read_text(encoding="utf-8")
    date = json.loads(text)["date"]
    assert text == provider_catalog.text(provider_catalog.from_mlflow(date)), "python -m tests.mlflow.provider_catalog"


def test_providers_and_models_are_mlflows() -> None:
    catalog = ProviderCatalog.built_in()
    names = json.loads(catalog.providers_json())["providers"]
    assert names == sorted(providers.get_all_providers())
    assert json.loads(catalog.models_json(""))["models"] == providers.get_models()
    for name in (*names, "none", "OpenAI"):
        assert json.loads(catalog.models_json(name))["models"] == providers.get_models(name)


def test_the_configuration_of_every_provider_is_mlflows() -> None:
    catalog = ProviderCatalog.built_in()
    for name in (*json.loads(catalog.providers_json())["providers"], "none", "OpenAI", *provider_catalog.ALIASES):
        ours = json.loads(catalog.config_json(name))
        # Its server adds whether its own environment has credentials for the provider.
        assert ours.pop("env_credentials_available") is False
        assert without_words(ours) == without_words(providers.get_provider_config_response(name)), name


def without_words(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: without_words(item) for name, item in value.items() if name not in WORDS}
    return [without_words(item) for item in value] if isinstance(value, list) else value
