"""The HTTP server: the ASGI app, its protocols (Connect, MLflow's REST dialect) and the listener."""
