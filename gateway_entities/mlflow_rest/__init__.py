"""MLflow's REST dialect: routes, JSON encoding and request plans, without I/O.

The server's HTTP app and the client's transport share this package.
"""
