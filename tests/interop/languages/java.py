"""Java: protobuf-java, and grpc-java's blocking client."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from tests.interop.language import ROOT, Language, Tool, run

# Built in copies: Maven writes into the source folders, and projects and protos use relative paths.
PROJECTS = ("gen/java", "proto/gatewayentities", "tests/interop/proto", "tests/interop/java")
QUIETLY = ("-q", "-B", "-Dstyle.color=never")
# Programs of some seconds: what the optimizing compiler costs does not come back.
FAST = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")


def build(cache: Path) -> list[str]:
    """Package the stubs and the testee with Maven, unless they are unchanged."""
    sources = digest()
    packaged = cache / "packaged"
    if not packaged.exists() or packaged.read_text() != sources:
        packaged.unlink(missing_ok=True)
        for project in PROJECTS:
            shutil.rmtree(cache / project, ignore_errors=True)
            shutil.copytree(ROOT / project, cache / project, ignore=shutil.ignore_patterns("target"))
        run(["mvn", *QUIETLY, "package"], cache / "tests/interop/java", {"MAVEN_OPTS": " ".join(FAST)})
        packaged.write_text(sources)
    return ["java", *FAST, "-jar", str(cache / "tests/interop/java/testee/target/testee.jar")]


def digest() -> str:
    """Return a hash of all sources."""
    seen = hashlib.sha256()
    paths = [path.relative_to(ROOT) for project in PROJECTS for path in (ROOT / project).rglob("*")]
    for path in sorted(path for path in paths if (ROOT / path).is_file() and "target" not in path.parts):
        data = (ROOT / path).read_bytes()
        seen.update(f"{path} {len(data)}\n".encode() + data)
    return seen.hexdigest()


LANGUAGE = Language(
    name="java",
    needs=(
        Tool("javac", "install a JDK of version 17 or newer (Debian: apt-get install default-jdk-headless)", (17,)),
        Tool("mvn", "install Maven (Debian: apt-get install maven)"),
    ),
    build=build,
    targets=("grpc",),
)
