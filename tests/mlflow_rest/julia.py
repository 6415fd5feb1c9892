"""MLFlowClient.jl 0.10.0 as seen by a server: the bytes of its requests, and its decoding of responses.

Each function of the Julia package is one entry of ``FUNCTIONS``: its HTTP method, its path, and the shape of its arguments.
The package sends GET's arguments in the query, POST's and PATCH's in a JSON body, and DELETE's in both. It omits most
missing arguments, and sends those in ``nulls`` as null.
"""

from __future__ import annotations

import json
import socket
from contextlib import closing
from typing import Any, NamedTuple
from urllib.parse import quote


class Function(NamedTuple):
    verb: str
    path: str
    nulls: tuple[str, ...] = ()
    maps: tuple[str, ...] = ()


FUNCTIONS = {
    "creategatewaysecret": Function("POST", "secrets/create", maps=("secret_value", "auth_config")),
    "getgatewaysecretinfo": Function("GET", "secrets/get"),
    "updategatewaysecret": Function("POST", "secrets/update", maps=("secret_value", "auth_config")),
    "deletegatewaysecret": Function("DELETE", "secrets/delete"),
    "listgatewaysecretinfos": Function("GET", "secrets/list"),
    "creategatewaymodeldefinition": Function("POST", "model-definitions/create", nulls=("created_by",)),
    "getgatewaymodeldefinition": Function("GET", "model-definitions/get"),
    "updategatewaymodeldefinition": Function(
        *("POST", "model-definitions/update"), nulls=("name", "secret_id", "model_name", "provider", "updated_by")
    ),
    "deletegatewaymodeldefinition": Function("DELETE", "model-definitions/delete"),
    "listgatewaymodeldefinitions": Function("GET", "model-definitions/list"),
    "creategatewayendpoint": Function("POST", "endpoints/create"),
    "getgatewayendpoint": Function("GET", "endpoints/get"),
    "updategatewayendpoint": Function("POST", "endpoints/update"),
    "deletegatewayendpoint": Function("DELETE", "endpoints/delete"),
    "listgatewayendpoints": Function("GET", "endpoints/list"),
    "attachmodeltogatewayendpoint": Function("POST", "endpoints/models/attach"),
    "detachmodelfromgatewayendpoint": Function("POST", "endpoints/models/detach"),
    "creategatewayendpointbinding": Function("POST", "endpoints/bindings/create", nulls=("created_by",)),
    "deletegatewayendpointbinding": Function("DELETE", "endpoints/bindings/delete"),
    "listgatewayendpointbindings": Function("GET", "endpoints/bindings/list"),
    "setgatewayendpointtag": Function("POST", "endpoints/set-tag"),
    "deletegatewayendpointtag": Function("DELETE", "endpoints/delete-tag"),
    "creategatewaybudget": Function("POST", "budgets/create"),
    "getgatewaybudget": Function("GET", "budgets/get"),
    "updategatewaybudget": Function("POST", "budgets/update"),
    "deletegatewaybudget": Function("DELETE", "budgets/delete"),
    "listgatewaybudgets": Function("GET", "budgets/list"),
    "listgatewaybudgetwindows": Function("GET", "budgets/windows"),
    "creategatewayguardrail": Function("POST", "guardrails/create"),
    "getgatewayguardrail": Function("GET", "guardrails/get"),
    "deletegatewayguardrail": Function("DELETE", "guardrails/delete"),
    "listgatewayguardrails": Function("GET", "guardrails/list"),
    "addguardrailtoendpoint": Function("POST", "guardrails/add-to-endpoint"),
    "removeguardrailfromendpoint": Function("DELETE", "guardrails/remove-from-endpoint"),
    "listendpointguardrailconfigs": Function("GET", "guardrails/list-for-endpoint"),
    "updateendpointguardrailconfig": Function("PATCH", "guardrails/update-config"),
}


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class JuliaError(Exception):
    """The package's error for a status of 400 and above."""


def request_bytes(function: Function, authority: str, arguments: dict[str, Any]) -> bytes:
    """Return the HTTP request of a call, byte for byte."""
    arguments = {
        **dict.fromkeys(function.nulls),
        **{
            name: [{"key": key, "value": text} for key, text in value.items()] if name in function.maps else value
            for name, value in arguments.items()
        },
    }
    query = "&".join(f"{quote(name)}={quote(str(value), safe='')}" for name, value in arguments.items())
    target = f"/api/3.0/mlflow/gateway/{function.path}"
    if function.verb in {"GET", "DELETE"} and query:
        target += f"?{query}"
    body = b"" if function.verb == "GET" else json.dumps(arguments, separators=(",", ":"), ensure_ascii=False).encode()
    head = [
        f"{function.verb} {target} HTTP/1.1",
        "Content-Type: application/json",
        "Connection: close",
        f"Host: {authority}",
        "Accept: */*",
        "User-Agent: HTTP.jl/1.10.2",
        *([] if function.verb == "GET" else [f"Content-Length: {len(body)}"]),
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


def exchange(target: str, sent: bytes) -> Response:
    """Send bytes and read until the server closes the connection, as requested."""
    host, port = target.removeprefix("http://").split(":")
    with closing(socket.create_connection((host, int(port)), timeout=10)) as connection:
        connection.sendall(sent)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return Response(int(status.split()[1]), headers, body)


def call(target: str, name: str, /, **arguments: Any) -> Any:
    """Call a function of the package, and decode the response as strictly as it does."""
    function = FUNCTIONS[name]
    response = exchange(target, request_bytes(function, target.removeprefix("http://"), arguments))
    assert response.headers["connection"] == "close"
    content = json.loads(response.body) if response.body or function.verb != "DELETE" else {}
    assert isinstance(content, dict)
    if response.status >= 400:
        # A missing key raises KeyError in Julia.
        raise JuliaError(f"{content['error_code']} - {content['message']}")
    return content


# Its structs: a null where text or a number is declared, or another type, raises an error in Julia.

_TEXT, _WHOLE, _NUMBER, _FLAG = (str,), (int,), (int, float), (bool,)
_TIMES = {"created_at": _WHOLE, "last_updated_at": _WHOLE}
_ACTORS = {"created_by": _TEXT, "last_updated_by": _TEXT}
_DEFINITION = {
    **dict.fromkeys(("model_definition_id", "name", "secret_id", "secret_name", "provider", "model_name"), _TEXT),
    **_TIMES,
    **_ACTORS,
}
_MAPPING: dict[str, Any] = {
    **dict.fromkeys(("mapping_id", "endpoint_id", "model_definition_id", "linkage_type", "created_by"), _TEXT),
    "model_definition": _DEFINITION,
    "weight": _NUMBER,
    "created_at": _WHOLE,
    "fallback_order": _WHOLE,
}
_BINDING = {"endpoint_id": _TEXT, "resource_type": _TEXT, "resource_id": _TEXT, "created_at": _WHOLE, "created_by": _TEXT}
_POLICY: dict[str, Any] = {
    **dict.fromkeys(("budget_policy_id", "budget_unit", "target_scope", "budget_action"), _TEXT),
    "budget_amount": _NUMBER,
    "duration": {"unit": _TEXT, "value": _WHOLE},
    **_TIMES,
    **_ACTORS,
}
_ENDPOINT: dict[str, Any] = {
    "endpoint_id": _TEXT,
    "name": _TEXT,
    "routing_strategy": _TEXT,
    "experiment_id": _TEXT,
    "usage_tracking": _FLAG,
    "model_mappings": [_MAPPING],
    "tags": [{"key": _TEXT, "value": _TEXT}],
    **_TIMES,
    **_ACTORS,
    "fallback_config": {"strategy": _TEXT, "max_attempts": _WHOLE},
}
_SECRET = {"secret_id": _TEXT, "secret_name": _TEXT, "provider": _TEXT, **_TIMES, **_ACTORS}
_WINDOW = {
    "budget_policy_id": _TEXT,
    "window_start_ms": _WHOLE,
    "window_end_ms": _WHOLE,
    "current_spend": _NUMBER,
}
_GUARDRAIL: dict[str, Any] = {
    **dict.fromkeys(("guardrail_id", "name", "stage", "action", "action_endpoint_id"), _TEXT),
    "scorer": {},
    **_TIMES,
    **_ACTORS,
}
_CONFIG: dict[str, Any] = {
    **dict.fromkeys(("endpoint_id", "guardrail_id", "created_by"), _TEXT),
    "execution_order": _WHOLE,
    "created_at": _WHOLE,
    "guardrail": _GUARDRAIL,
}
SHAPES: dict[str, Any] = {
    "guardrail": _GUARDRAIL,
    "guardrails": [_GUARDRAIL],
    "config": _CONFIG,
    "configs": [_CONFIG],
    "secret": _SECRET,
    "secrets": [_SECRET],
    "endpoint": _ENDPOINT,
    "endpoints": [_ENDPOINT],
    "mapping": _MAPPING,
    "model_definition": _DEFINITION,
    "model_definitions": [_DEFINITION],
    "binding": _BINDING,
    "bindings": [_BINDING],
    "budget_policy": _POLICY,
    "budget_policies": [_POLICY],
    "windows": [_WINDOW],
}
"""Types of the fields that the package decodes, by response key."""


def unreadable(value: Any, shape: Any, path: str = "") -> list[str]:
    """Return the paths of values that the package cannot decode. Absent fields have defaults."""
    if isinstance(shape, dict):
        return [
            fault for name in shape.keys() & value.keys() for fault in unreadable(value[name], shape[name], f"{path}.{name}")
        ]
    if isinstance(shape, list):
        return [fault for index, item in enumerate(value) for fault in unreadable(item, shape[0], f"{path}[{index}]")]
    fits = isinstance(value, shape) and (bool in shape or not isinstance(value, bool))
    return [] if fits else [path]
