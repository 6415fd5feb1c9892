"""Administration of a store beside its servers: backup, restore, check, keys and tokens."""
