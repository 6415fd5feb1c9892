"""Which part of the package may import what; test_architecture.py checks it."""

from __future__ import annotations

# What each area may import of ours besides itself. An area is a module or a package below gateway_entities; the longest name
# that fits a module is its area. "gen" is the generated code, "" is gateway_entities/__init__.py.
LEAVES = {f"transports.{name}" for name in ("base", "target", "tls", "metadata", "deadline", "fork")}
ADDRESSES = {"server.address", "server.socket_file"}
OURS: dict[str, set[str] | None] = {
    "": {"client", "entities", "errors"},
    **{name: set[str]() for name in ("errors", "files", "text", "_method")},
    **{name: {"errors"} for name in ("extras", "wire.sources")},
    "methods": {"_method", "gen"},
    "entities": {"entities._native", "gen", "errors", "text"},
    "entities._native": {"entities"},
    "rules": {"gen", "entities", "errors"},
    # The REST dialect without I/O: routes, JSON and plans, for both ends.
    "mlflow_rest": {"gen", "methods", "rules", "entities", "errors"},
    "transports": {"transports.base", "transports.http1", "transports.mlflow_rest", "methods", "errors", "text"},
    "transports.base": {"methods", "errors"},
    "transports.http1": {*LEAVES, "errors"},
    "transports.mlflow_rest": {"transports", "mlflow_rest", "methods", "errors"},
    "client": {*LEAVES, "transports.open", "methods", "entities", "errors", "gen"},
    "mirror": {"client", "transports.base", "entities", "errors", "files", "gen"},
    "wire": {"wire.messages", "wire.reviews", "wire.schemas", "wire.sources", "gen", "entities", "rules", "errors", "text"},
    "wire.messages": {"wire.sources", "gen", "entities", "rules", "errors", "mlflow_rest"},
    "wire.schemas": {"wire.sources", "gen", "rules", "errors"},
    "wire.reviews": {"wire.schemas", "errors"},
    # Upward: store, service, rpc, http, and the server that wires them.
    "server": {
        *ADDRESSES,
        "server.provider_catalog",
        "server.http",
        "server.rpc",
        "server.service",
        "server.telemetry",
        "server.store",
        "server.watch",
        "methods",
        "errors",
        "text",
        "files",
        "gen",
    },
    "server.address": {"errors"},
    "server.socket_file": {"server.address", "errors"},
    "server.provider_catalog": {"rules", "errors", "files"},
    "server.telemetry": {"errors", "extras"},
    "server.http": {
        *ADDRESSES,
        "server.provider_catalog",
        "server.rpc",
        "server.telemetry",
        "mlflow_rest",
        "methods",
        "errors",
    },
    # Between service and the server that wires them: it reads the store, and knows nothing of calls.
    "server.watch": {"server.telemetry", "server.service", "server.store", "entities", "errors", "gen"},
    "server.rpc": {"server.service", "server.store", "server.telemetry", "rules", "methods", "errors"},
    "server.service": {"server.store", "rules", "methods", "entities", "errors", "gen"},
    "server.store": {"server.store.repositories", "server.store.sql", "server.store.crypto", "entities", "errors"},
    "server.store.admin": {"server.store", "errors", "files"},
    "server.store.repositories": {"server.store.sql", "server.store.crypto", "entities", "errors"},
    "server.store.crypto": {"errors", "files", "text"},
    "server.store.sql": {"errors", "extras"},
    # Programs: they put the parts together.
    "__main__": {"cli"},
    "cli": None,
    "testing": None,
}
# Where each library may be imported: in these areas or these modules.
THEIRS: dict[str, set[str]] = {
    "google": {"errors", "_method", "entities", "rules", "transports", "client", "wire", "mlflow_rest", "server", "cli"},
    "grpc": {"transports.grpc", "server.grpc"},
    "grpc_health": {"server.grpc", "server.health_service"},
    "grpc_reflection": {"server.grpc"},
    "httptools": {"transports.http1.response", "server.http.protocol"},
    "anyio": {"server.http"},
    "starlette": {"server.http"},
    "uvicorn": {"server.http"},
    "sqlalchemy": {"server.store"},
    "alembic": {"server.store.sql"},
    "psycopg": {f"server.store.sql.{name}" for name in ("postgresql", "revision_listener", "revision_probe")},
    "prometheus_client": {"server.telemetry.metrics"},
    "opentelemetry": {"server.telemetry.tracing"},
    "cryptography": {"server.store.crypto", "server.tls"},
    "click": {"cli"},
    "rich": {"cli"},
    "ruamel": {"cli"},
    "matplotlib": {"cli.spending.plot"},
    "hatchling": {"entities._native.hook"},
    "pytest": {"wire.pytest_plugin"},
    "pydantic_core": {"entities.secret_value"},
    # Schemas to compare may be modules that the caller names.
    "a name made at run time": {"wire.sources"},
}
