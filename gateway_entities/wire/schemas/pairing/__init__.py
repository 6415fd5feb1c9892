"""What belongs together in two schemas: messages, enums, services, extensions."""
