# Generated from gateway_entities/client/_async/__init__.py by proto/generate.py. Do not edit.
"""The blocking client."""
