"""Messages in protobuf's JSON."""
