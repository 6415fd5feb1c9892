"""The typed contract for LLM-gateway configuration."""
