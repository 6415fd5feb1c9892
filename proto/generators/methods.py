"""gateway_entities/methods.py: a constant for each RPC of the contract."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from generators.compilers import PROTO, format_python, protoc, python_environment

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import FileDescriptorSet

PACKAGE = "gatewayentities.v1"
HEAD = '''# Generated from proto/ by proto/generate.py. Do not edit.
"""Every RPC of the contract as data."""

from __future__ import annotations

from typing import Any, Final

from gateway_entities._method import Method, Request, Response
'''


def generate(target: Path) -> None:
    """Write methods.py into target, an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        descriptors = Path(folder) / "protos.binpb"
        protoc(f"--descriptor_set_out={descriptors}")
        # The running Python may lack protobuf; the compilers' environment has it.
        command: list[str | Path] = [python_environment() / "python", "-m", "generators.methods", descriptors]
        result = subprocess.run(command, check=True, cwd=PROTO, stdout=subprocess.PIPE, text=True)
    (target / "methods.py").write_text(result.stdout, encoding="utf-8")
    format_python(target)


def source(descriptors: FileDescriptorSet) -> str:
    """Return the module, unformatted. Methods are in the order of files and services."""
    modules: list[str] = []
    constants: dict[str, str] = {}
    for file in descriptors.file:
        if file.package != PACKAGE or not file.service:
            continue
        module = f"{Path(file.name).stem}_pb2"
        modules.append(module)
        for method in (method for service in file.service for method in service.method):
            name = re.sub(r"(?<!^)(?=[A-Z])", "_", method.name).upper()
            request, response = (full.removeprefix(f".{PACKAGE}.") for full in (method.input_type, method.output_type))
            constants[name] = f"Method({module}.{request}, {module}.{response})"
    return "\n".join(
        [
            HEAD,
            f"from {PACKAGE} import {', '.join(modules)}",
            f"__all__ = [{', '.join(map(repr, (*constants, 'METHODS', 'Method', 'Request', 'Response')))},]",
            *(f"{name} = {value}" for name, value in constants.items()),
            f"METHODS: Final[tuple[Method[Any, Any], ...]] = ({', '.join(constants)},)",
            '"""Every RPC, in the order of the constants above."""',
            "",
        ]
    )


def _main() -> None:
    import sys

    from google.protobuf.descriptor_pb2 import FileDescriptorSet

    sys.stdout.write(source(FileDescriptorSet.FromString(Path(sys.argv[1]).read_bytes())))


if __name__ == "__main__":
    _main()
