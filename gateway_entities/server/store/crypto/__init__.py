"""Encryption of secrets: key sources, key ring, envelopes and wrapped keys."""
