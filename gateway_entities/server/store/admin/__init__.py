"""Administration of a store, while servers use it: backup, restore, check, keys and tokens."""
