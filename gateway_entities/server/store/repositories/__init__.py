"""Tables as entities: one module a noun, and tokens and idempotency keys."""
