"""The watch stream: one feed per server process, which all of its watchers share."""
