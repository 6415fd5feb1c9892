"""Code generators: one module for each output, with a ``generate`` function and its tools."""
