"""Entry point of ``python -m gateway_entities``."""

from __future__ import annotations

from gateway_entities.cli import main

if __name__ == "__main__":
    main()
