"""The gateway server. Start here: how the parts are wired.

``server.Server`` opens the store, creates the parts and stops them in reverse order; every request goes down this list:

1. ``grpc`` and ``http.listener`` accept connections; ``http.protocol`` parses HTTP/1.1.
2. ``http.fast_path`` sends a cached response, or ``http.app`` selects Connect or MLflow's REST dialect.
3. ``rpc.dispatcher`` looks into ``rpc.response_cache``, or runs the call in a worker thread: ``rpc.auth``, then the handler.
4. ``service`` implements each RPC, one module a noun, in one transaction of ``store``.

``telemetry`` logs, counts and traces each request; ``readiness`` reports whether the store responds, on the listener of
``http.health_app`` too; ``current_tls`` follows the TLS files.
"""
