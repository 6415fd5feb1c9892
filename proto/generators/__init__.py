"""How each language's stubs are made: one module a language, each with a ``generate`` and what it needs from the machine."""
