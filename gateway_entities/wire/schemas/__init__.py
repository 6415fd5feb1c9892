"""Comparison of two schemas, with the messages that prove each break."""
