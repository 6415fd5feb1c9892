"""Rules of requests for model definitions."""

from __future__ import annotations

from google.protobuf.message import Message

from gateway_entities.rules.mutation import CHANGES, CREATES
from gateway_entities.rules.stamps import ACTORS, TIMES
from gateway_entities.rules.table import Table, clearable, exactly_one, optional, required, required_on_update, updates
from gateway_entities.rules.values import ACTOR, IDENTIFIER, NAME, PAGE_SIZE, PAGE_TOKEN, SELECTOR, text
from gatewayentities.v1 import model_definition_pb2 as pb

PROVIDER = text(1, 64)
MODEL_NAME = text(1, 256)

TABLES = {
    pb.CreateGatewayModelDefinitionRequest: Table(
        {
            "name": required(NAME),
            "secret_id": required(IDENTIFIER),
            "provider": required(PROVIDER),
            "model_name": required(MODEL_NAME),
            "created_by": optional(ACTOR),
            **CREATES,
        }
    ),
    pb.GetGatewayModelDefinitionRequest: Table(
        {"model_definition_id": optional(SELECTOR), "name": optional(SELECTOR)},
        across=[exactly_one("model_definition_id", "name")],
    ),
    pb.ListGatewayModelDefinitionsRequest: Table(
        {
            "provider": optional(SELECTOR),
            "secret_id": optional(SELECTOR),
            "page_size": optional(PAGE_SIZE),
            "page_token": optional(PAGE_TOKEN),
        }
    ),
    pb.UpdateGatewayModelDefinitionRequest: updates(
        Table(
            {
                "model_definition_id": required(IDENTIFIER),
                "name": required_on_update(NAME),
                "secret_id": clearable(IDENTIFIER),
                "model_name": required_on_update(MODEL_NAME),
                "updated_by": optional(ACTOR),
                "provider": required_on_update(PROVIDER),
                **CHANGES,
            }
        )
    ),
    pb.DeleteGatewayModelDefinitionRequest: Table({"model_definition_id": required(IDENTIFIER), **CHANGES}),
}

DEFINITION = Table(
    {
        "model_definition_id": required(IDENTIFIER),
        "name": required(NAME),
        "secret_id": optional(IDENTIFIER),
        "secret_name": optional(text(0, 255)),
        "provider": required(PROVIDER),
        "model_name": required(MODEL_NAME),
        **TIMES,
        **ACTORS,
    }
)

RESOURCES: dict[type[Message], Table] = {pb.GatewayModelDefinition: DEFINITION}
