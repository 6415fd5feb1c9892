"""The gateway messages of MLflow's releases that changed."""

from __future__ import annotations

from gateway_entities.wire.schemas.model.schema import Schema
from tests.wire.schemas.model import model

_MAP = "map<string, string>"
_SECRET_VALUE = f"{_MAP} secret_value 2"
_SECRET = (
    "string secret_id 1; string secret_name 2; map<string, string> masked_values 3; int64 created_at 4;"
    " int64 last_updated_at 5; string provider 6; string created_by 7; string last_updated_by 8"
)
_DEFINITION = (
    "string model_definition_id 1; string name 2; string secret_id 3; string secret_name 4; string provider 5;"
    " string model_name 6; int64 created_at 7; int64 last_updated_at 8; string created_by 9; string last_updated_by 10"
)
_MAPPING = (
    "string mapping_id 1; string endpoint_id 2; string model_definition_id 3; GatewayModelDefinition model_definition 4;"
    " float weight 5; int64 created_at 6; string created_by 7"
)
_ENDPOINT = (
    "string endpoint_id 1; string name 2; int64 created_at 3; int64 last_updated_at 4;"
    " repeated GatewayEndpointModelMapping model_mappings 5; string created_by 6; string last_updated_by 7;"
    " repeated GatewayEndpointTag tags 8"
)
_BINDING = (
    "string endpoint_id 1; string resource_type 2; string resource_id 3; int64 created_at 4; int64 last_updated_at 5;"
    " string created_by 6; string last_updated_by 7"
)

V3_8 = f"""
GatewaySecretInfo: {_SECRET}; string auth_config_json 9
GatewayModelDefinition: {_DEFINITION}
GatewayEndpointModelMapping: {_MAPPING}
GatewayEndpointTag: string key 1; string value 2
GatewayEndpoint: {_ENDPOINT}
GatewayEndpointBinding: {_BINDING}
CreateGatewaySecret: string secret_name 1; {_SECRET_VALUE}; string provider 3; string auth_config_json 5; string created_by 6
UpdateGatewaySecret: string secret_id 1; {_SECRET_VALUE}; string auth_config_json 4; string updated_by 5
CreateGatewayEndpoint: string name 1; repeated string model_definition_ids 2; string created_by 3
AttachModelToGatewayEndpoint: string endpoint_id 1; string model_definition_id 2; float weight 3; string created_by 4
"""
_PLACE = "float weight 3; int32 fallback_order 4"
_ENUMS = f"""
enum RoutingStrategy: ROUTING_STRATEGY_UNSPECIFIED 0; REQUEST_BASED_TRAFFIC_SPLIT 1
enum FallbackStrategy: FALLBACK_STRATEGY_UNSPECIFIED 0; SEQUENTIAL 1
enum GatewayModelLinkageType: LINKAGE_TYPE_UNSPECIFIED 0; PRIMARY 1; FALLBACK 2
FallbackConfig: FallbackStrategy strategy 1; int32 max_attempts 2
GatewayEndpointModelConfig: string model_definition_id 1; GatewayModelLinkageType linkage_type 2; {_PLACE}
"""
_REPEATED_CONFIG = "repeated GatewayEndpointModelConfig model_configs"
_SINCE_3_9 = f"""
{_ENUMS}
GatewaySecretInfo: {_SECRET}; {_MAP} auth_config 9
GatewayModelDefinition: {_DEFINITION}
GatewayEndpointModelMapping: {_MAPPING}; GatewayModelLinkageType linkage_type 8; int32 fallback_order 9
GatewayEndpointTag: string key 1; string value 2
GatewayEndpointBinding: {_BINDING}; string display_name 10
CreateGatewaySecret: string secret_name 1; {_SECRET_VALUE}; string provider 3; {_MAP} auth_config 5; string created_by 6
UpdateGatewaySecret: string secret_id 1; {_SECRET_VALUE}; {_MAP} auth_config 4; string updated_by 5
AttachModelToGatewayEndpoint: string endpoint_id 1; GatewayEndpointModelConfig model_config 2; string created_by 3
"""
_ENDPOINT_3_9 = f"{_ENDPOINT}; RoutingStrategy routing_strategy 9; FallbackConfig fallback_config 10"
_CREATE_3_9 = (
    f"string name 1; {_REPEATED_CONFIG} 2; string created_by 3; RoutingStrategy routing_strategy 4;"
    " FallbackConfig fallback_config 5"
)
_UPDATE_3_9 = (
    f"string endpoint_id 1; string name 2; string updated_by 3; {_REPEATED_CONFIG} 4; RoutingStrategy routing_strategy 5;"
    " FallbackConfig fallback_config 6"
)
V3_9 = f"""
{_SINCE_3_9}
GatewayEndpoint: {_ENDPOINT_3_9}
CreateGatewayEndpoint: {_CREATE_3_9}
UpdateGatewayEndpoint: {_UPDATE_3_9}
"""
V3_10 = f"""
{_SINCE_3_9}
GatewayEndpoint: {_ENDPOINT_3_9}; string experiment_id 11; bool usage_tracking 12
CreateGatewayEndpoint: {_CREATE_3_9}; string experiment_id 6; bool usage_tracking 7
UpdateGatewayEndpoint: {_UPDATE_3_9}; string experiment_id 7; bool usage_tracking 8
"""
_BUDGETS = """
enum BudgetDurationUnit: DURATION_UNIT_UNSPECIFIED 0; MINUTES 1; HOURS 2; DAYS 3; WEEKS 4; MONTHS 5
enum BudgetAction: BUDGET_ACTION_UNSPECIFIED 0; ALERT 1; REJECT 2
enum BudgetUnit: BUDGET_UNIT_UNSPECIFIED 0; USD 1
BudgetDuration: BudgetDurationUnit unit 1; int32 value 2
"""
_SCOPE = "enum BudgetTargetScope: TARGET_SCOPE_UNSPECIFIED 0; GLOBAL 1; WORKSPACE 2"
_POLICY = (
    "string budget_policy_id 1; BudgetUnit budget_unit 2; double budget_amount 3; BudgetDuration duration 4;"
    " BudgetTargetScope target_scope 5; BudgetAction budget_action 6; string created_by 7; int64 created_at 8;"
    " string last_updated_by 9; int64 last_updated_at 10"
)
_CREATE_POLICY = (
    "BudgetUnit budget_unit 1; double budget_amount 2; BudgetDuration duration 3; BudgetTargetScope target_scope 4;"
    " BudgetAction budget_action 5; string created_by 6"
)
_UPDATE_POLICY = (
    "string budget_policy_id 1; BudgetUnit budget_unit 2; double budget_amount 3; BudgetDuration duration 4;"
    " BudgetTargetScope target_scope 5; BudgetAction budget_action 6; string updated_by 7"
)
V3_11 = f"""
{V3_10}
{_BUDGETS}
{_SCOPE}
GatewayBudgetPolicy: {_POLICY}
CreateGatewayBudgetPolicy: {_CREATE_POLICY}
UpdateGatewayBudgetPolicy: {_UPDATE_POLICY}
"""
_TARGETED = f"""
GatewayBudgetPolicy: {_POLICY}; string target_value 11
CreateGatewayBudgetPolicy: {_CREATE_POLICY}; string target_value 7
UpdateGatewayBudgetPolicy: {_UPDATE_POLICY}; string target_value 8
"""
V3_12 = f"""
{V3_11}
enum GuardrailStage: GUARDRAIL_STAGE_UNSPECIFIED 0; BEFORE 1; AFTER 2
GatewayGuardrailConfig: string endpoint_id 1; string guardrail_id 2; int64 execution_order 3; string created_by 4
"""
V3_15 = f"{V3_12}\n{_TARGETED}\n{_SCOPE}; ENDPOINT 3"
V3_16 = f"{V3_12}\n{_TARGETED}\n{_SCOPE}; ENDPOINT 3; USER 4"

RELEASES = {
    "3.8.0": V3_8,
    "3.9.0": V3_9,
    "3.10.0": V3_10,
    "3.11.1": V3_11,
    "3.12.0": V3_12,
    "3.15.0": V3_15,
    "3.16.0": V3_16,
}


def release(version: str) -> Schema:
    """Return the messages of a release. MLflow declares its file with proto2."""
    return model(RELEASES[version], syntax="proto2", package="mlflow").schema(f"mlflow {version}")
