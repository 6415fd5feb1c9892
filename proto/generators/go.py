"""Go: a module with messages, and clients and handlers for grpc-go and connect-go."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from generators.compilers import PROTO, cached_folder, program, protoc

# Each generates code for its library's version in proto/packages/go/go.mod: update both together.
PLUGINS = (
    "google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12",
    "google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2",
    "connectrpc.com/connect/cmd/protoc-gen-connect-go@v1.21.1",
)
# The path in the protos' go_package. It has no host: users `replace` the module.
MODULE = "gateway_entities/gen/go"


def plugins() -> Path:
    """Return the folder with protoc's plug-ins, in exact versions."""
    go = program("go", "install Go 1.26 or newer, https://go.dev/doc/install")

    def make(folder: Path) -> None:
        for plugin in PLUGINS:
            subprocess.run([go, "install", plugin], check=True, env={**os.environ, "GOBIN": str(folder)})

    return cached_folder("go", PLUGINS, make)


def generate(target: Path) -> None:
    """Write the module below target, an empty folder: the code, and the go.mod and go.sum of proto/packages/go."""
    protoc(
        f"--go_out=module={MODULE}:{target}",
        f"--go-grpc_out=module={MODULE}:{target}",
        # The same signatures as grpc-go's, without a wrapper around each message.
        f"--connect-go_out=module={MODULE},simple:{target}",
        plugins=plugins(),
    )
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(PROTO / "packages" / "go" / name, target / name)
