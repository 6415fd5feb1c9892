"""MLflow's REST dialect: which path carries which RPC, and how a message is spelt in its JSON.

The server's edge and the client's transport share these facts; each does its own input and output.
"""
