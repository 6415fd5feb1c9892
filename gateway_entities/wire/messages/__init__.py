"""Validation of messages: check, inspect, guess, input and output formats."""
