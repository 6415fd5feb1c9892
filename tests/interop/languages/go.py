"""Go: protobuf-go, grpc-go and connect-go."""

from __future__ import annotations

from pathlib import Path

from tests.interop.language import Language, Tool, run

SOURCES = Path(__file__).resolve().parents[1] / "go"
GO = Tool("go", "https://go.dev/doc/install", minimum=(1, 26), version=("version",))


def build(cache: Path, program: str = "testee") -> list[str]:
    """Build one of the programs in tests/interop/go and return its command. Raises BuildError."""
    binary = cache / program
    run(["go", "build", "-p", "2", "-o", binary, f"./{program}"], SOURCES)
    return [str(binary)]


LANGUAGE = Language(name="go", needs=(GO,), build=build)
