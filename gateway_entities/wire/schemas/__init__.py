"""Compatibility of two schemas, with a witness message for each break."""
