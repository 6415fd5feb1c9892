"""The gateway server: it keeps the configuration and answers for it over gRPC and HTTP."""
