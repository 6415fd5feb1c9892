"""Messages that show that two schemas read differently."""
