"""Validation of messages: check, inspect, guess, and the forms of input and output."""
