"""The endpoint of all benchmarks, as our entities and as MLflow's: 3 models, 4 tags, a fallback."""

from __future__ import annotations

import itertools
import warnings
from typing import TYPE_CHECKING, Any

from gateway_entities import (
    FallbackConfig,
    FallbackStrategy,
    GatewayEndpoint,
    GatewayEndpointModelConfig,
    GatewayEndpointModelMapping,
    GatewayEndpointTag,
    GatewayModelDefinition,
    GatewayModelLinkageType,
    GatewaySecretInfo,
    RoutingStrategy,
)
from tests.benchmarks.mlflow_install import require_mlflow

if TYPE_CHECKING:
    from gateway_entities.server.store import Store

SECRET = {"api_key": "sk-not-a-real-key-of-anybody"}
NOW = 1_795_291_800_000
MODELS, TAGS = 3, 4
_SECRET_ID = f"s-{1:032x}"


def secret() -> GatewaySecretInfo:
    """Return the secret."""
    return GatewaySecretInfo(_SECRET_ID, "openai", {"api_key": "***"}, NOW, NOW, provider="openai", created_by="ann")


def definition(number: int) -> GatewayModelDefinition:
    """Return one of the model definitions."""
    identifier = f"d-{number:032x}"
    return GatewayModelDefinition(identifier, f"model-{number}", _SECRET_ID, "openai", "openai", "gpt-4o", NOW, NOW, "ann")


def configs() -> list[GatewayEndpointModelConfig]:
    """Return the model configs of a new endpoint."""
    return [
        GatewayEndpointModelConfig(definition(number).model_definition_id, *_linkage(number)) for number in range(MODELS)
    ]


def tags() -> list[GatewayEndpointTag]:
    """Return the tags of an endpoint."""
    return [GatewayEndpointTag(f"key-{number}", "a value of some length " * 3) for number in range(TAGS)]


def fallback() -> FallbackConfig:
    """Return the fallback config of an endpoint."""
    return FallbackConfig(FallbackStrategy.SEQUENTIAL, 2)


def endpoint(number: int = 0) -> GatewayEndpoint:
    """Return one of the endpoints."""
    identifier = f"e-{number:032x}"
    mappings = [
        GatewayEndpointModelMapping(
            f"m-{number * MODELS + each:032x}",
            identifier,
            definition(each).model_definition_id,
            definition(each),
            _linkage(each)[1],
            _linkage(each)[0],
            _linkage(each)[2],
            NOW,
            "ann",
        )
        for each in range(MODELS)
    ]
    return GatewayEndpoint(
        identifier,
        endpoint_name(number),
        NOW + number,
        NOW + number,
        mappings,
        tags(),
        "ann",
        "bob",
        RoutingStrategy.REQUEST_BASED_TRAFFIC_SPLIT,
        fallback(),
        None,
        False,
    )


def endpoint_name(number: int) -> str:
    """Return the name of one of the endpoints."""
    return f"endpoint-{number:06}"


def _linkage(number: int) -> tuple[GatewayModelLinkageType, float, int | None]:
    """Return the linkage type of a model: FALLBACK for the last one."""
    last = number == MODELS - 1
    return (GatewayModelLinkageType.FALLBACK if last else GatewayModelLinkageType.PRIMARY, 0.5, 0 if last else None)


def fill(store: Store, count: int) -> None:
    """Create endpoints in an empty store."""
    with store.write() as transaction:
        transaction.secrets.add(secret(), SECRET)
        for number in range(MODELS):
            transaction.model_definitions.add(definition(number))
        for number in range(count):
            transaction.endpoints.add(endpoint(number))


_numbers = itertools.count()


def new_name() -> str:
    """Return a unique name. Thread-safe."""
    return f"made-{next(_numbers)}"


def mlflow_entities() -> tuple[Any, Any]:
    """Return the modules of MLflow's entities and messages.

    Raises:
        MissingError: MLflow is not installed.
    """
    require_mlflow(server=False)
    with warnings.catch_warnings():
        # Importing MLflow raises warnings about other libraries.
        warnings.simplefilter("ignore")
        from mlflow import entities
        from mlflow.protos import service_pb2
    return entities, service_pb2


def of_mlflow(ours: GatewayEndpoint) -> Any:
    """Return the same endpoint as MLflow's entity."""
    entities, messages = mlflow_entities()
    return entities.GatewayEndpoint.from_proto(messages.GatewayEndpoint.FromString(ours.to_bytes()))
