"""Telemetry of requests: an access log line, metrics and a span for each."""
