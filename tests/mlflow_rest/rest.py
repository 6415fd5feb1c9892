"""The dialect over plain HTTP, without this project's client or MLflow's."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from gateway_entities.mlflow_rest.routes import PREFIXES
from tests.server.raw import HttpResponse, request

JSON = {"content-type": "application/json"}
SECRET_VALUE = {"api_key": "sk-0123456789-0123456789abcdef"}


class Rest:
    """Requests to the routes below one prefix."""

    def __init__(self, target: str, prefix: str = PREFIXES[0]) -> None:
        self.target = target
        self.prefix = prefix

    def send(
        self,
        verb: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, Any] | str = "",
        headers: Mapping[str, str] = JSON,
    ) -> HttpResponse:
        """Send one request. A body that is not bytes is sent as JSON; None is no body."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        encoded = query if isinstance(query, str) else urlencode(query)
        return request(self.target, verb, f"{self.prefix}{path}{'?' if encoded else ''}{encoded}", data, headers)

    def ok(self, verb: str, path: str, body: object = None, **query: Any) -> Any:
        """Return the JSON of a request that must succeed."""
        response = self.send(verb, path, body, query=query)
        assert (response.status, response.headers["content-type"]) == (200, "application/json"), response.body
        return response.json

    def error(self, verb: str, path: str, body: object = None, **query: Any) -> RestError:
        """Return the error of a request that must fail."""
        return error_of(self.send(verb, path, body, query=query))

    # Resources that most tests need.

    def secret(self, name: str, **fields: Any) -> Any:
        body = {"secret_name": name, "secret_value": SECRET_VALUE, **fields}
        return self.ok("POST", "/secrets/create", body)["secret"]

    def definition(self, name: str, **fields: Any) -> Any:
        secret_id = fields.pop("secret_id", None) or self.secret(f"secret of {name}")["secret_id"]
        body = {"name": name, "secret_id": secret_id, "provider": "openai", "model_name": "gpt-4o", **fields}
        return self.ok("POST", "/model-definitions/create", body)["model_definition"]

    def endpoint(self, name: str, **fields: Any) -> Any:
        if "model_configs" not in fields:
            definition = self.definition(f"model of {name}")
            fields["model_configs"] = [{"model_definition_id": definition["model_definition_id"], "linkage_type": "PRIMARY"}]
        return self.ok("POST", "/endpoints/create", {"name": name, **fields})["endpoint"]

    def budget(self, **fields: Any) -> Any:
        return self.ok("POST", "/budgets/create", {**BUDGET, **fields})["budget_policy"]


BUDGET = {
    "budget_unit": "USD",
    "budget_amount": 12.5,
    "duration": {"unit": "DAYS", "value": 1},
    "target_scope": "GLOBAL",
    "budget_action": "ALERT",
}


class RestError(NamedTuple):
    """An error response of the dialect."""

    status: int
    error_code: str
    message: str


def error_of(response: HttpResponse) -> RestError:
    """Return the error of a response, which must have exactly MLflow's envelope."""
    assert response.headers["content-type"] == "application/json"
    assert set(response.json) == {"error_code", "message"}
    return RestError(response.status, response.json["error_code"], response.json["message"])


def content(store_path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table."""
    with closing(sqlite3.connect(f"file:{store_path}?mode=ro", uri=True, timeout=10)) as connection:
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        ]
        return {table: sorted(connection.execute(f"SELECT * FROM {table}").fetchall(), key=repr) for table in tables}
