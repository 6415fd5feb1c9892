"""Schemas as they are compared, and where their parts are written."""
