"""What the server tells of the requests that it answers: a log line, metrics and a span for each."""
