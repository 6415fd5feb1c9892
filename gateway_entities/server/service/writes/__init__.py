"""What all changes have in common: the log, request ids, compaction."""
