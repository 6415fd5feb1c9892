"""Encryption of secrets: key sources, key ring and envelope encryption."""
