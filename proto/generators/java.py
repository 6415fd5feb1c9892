"""Java: messages and gRPC services, as a Maven project."""

from __future__ import annotations

import platform
import re
import shutil
import stat
import subprocess
import zipfile
from pathlib import Path

from generators.compilers import PROTO, MissingToolError, kept, program, sources

PACKAGE = PROTO / "packages" / "java"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.11.0:copy"
QUIETLY = ("-q", "-B", "-Dstyle.color=never")
_SYSTEMS = {"Linux": "linux", "Darwin": "osx", "Windows": "windows"}
_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch_64", "arm64": "aarch_64"}


def generate(target: Path) -> None:
    """Write the Maven project below target, an empty folder.

    Raises:
        MissingToolError: Maven or Java is not on this machine, or there are no compilers for it.
        CalledProcessError: the compilers cannot be had, or a proto does not compile.
    """
    shutil.copytree(PACKAGE, target, dirs_exist_ok=True)
    java = target / "src" / "main" / "java"
    java.mkdir(parents=True)
    folder = compilers()
    subprocess.run(
        [
            folder / "protoc.exe",
            f"--plugin=protoc-gen-grpc-java={folder / 'protoc-gen-grpc-java.exe'}",
            f"--proto_path={PROTO}",
            f"--proto_path={folder / 'include'}",
            f"--java_out={java}",
            # The annotation that it would write is no longer part of Java.
            f"--grpc-java_out=@generated=omit:{java}",
            *sources(),
        ],
        check=True,
    )


def compilers() -> Path:
    """Return a folder with protoc.exe, protoc-gen-grpc-java.exe, and protobuf's own protos in include."""
    system, machine = _SYSTEMS.get(platform.system()), _MACHINES.get(platform.machine().lower())
    if system is None or machine is None:
        raise MissingToolError(f"there is no protoc for {platform.system()} on {platform.machine()} in Maven Central")
    program("java", "install a JDK of version 11 or newer (Debian: apt-get install default-jdk-headless)")
    maven = program("mvn", "install Maven (Debian: apt-get install maven)")
    # The libraries that the package needs, and the compilers that write it, are of the same versions.
    versions = dict(re.findall(r"<(\w+)\.version>(.+)</", (PACKAGE / "pom.xml").read_text(encoding="utf-8")))
    protobuf, grpc, classifier = versions["protobuf"], versions["grpc"], f"{system}-{machine}"
    protoc = f"com.google.protobuf:protoc:{protobuf}:exe:{classifier}"
    plugin = f"io.grpc:protoc-gen-grpc-java:{grpc}:exe:{classifier}"
    library = f"com.google.protobuf:protobuf-java:{protobuf}"

    def make(folder: Path) -> None:
        for artifact in (protoc, plugin, library):
            options = (f"-Dartifact={artifact}", f"-DoutputDirectory={folder}", "-Dmdep.stripVersion")
            subprocess.run([maven, *QUIETLY, COPY, *options, "-Dmdep.stripClassifier"], cwd=folder, check=True)
        for compiler in folder.glob("*.exe"):
            compiler.chmod(compiler.stat().st_mode | stat.S_IXUSR)
        with zipfile.ZipFile(folder / "protobuf-java.jar") as jar:
            jar.extractall(folder / "include", [name for name in jar.namelist() if name.endswith(".proto")])

    return kept("java", (protoc, plugin, library), make)
