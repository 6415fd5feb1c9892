"""Pages of lists, and their tokens."""
