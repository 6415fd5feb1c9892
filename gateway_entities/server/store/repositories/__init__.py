"""Reads and writes of entities, one module for each noun; also access tokens and stored responses."""
