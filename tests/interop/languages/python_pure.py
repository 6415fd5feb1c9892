"""Python with protobuf's pure-Python runtime, which shares no code with upb."""

from __future__ import annotations

from tests.interop.language import Language
from tests.interop.languages.python import build

LANGUAGE = Language(
    "python-pure",
    needs=(),
    build=build,
    operations=frozenset({"decode", "to_json", "from_json", "digest"}),
    targets=(),
    environment={"PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"},
)
