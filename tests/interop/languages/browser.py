"""A page in headless Chromium: protobuf-es and connect-web. Its calls are of another origin than the gateway's."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

from tests.interop.language import CACHE, Language, Tool
from tests.interop.languages.ts import NODE, NPM, compiled

CHROMIUM = Tool("chromium", "apt-get install chromium")


def free_origin() -> str:
    """Return an origin on a free port: the gateway must know it before the page exists."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


ORIGIN = free_origin()


def build(_cache: Path) -> list[str]:
    """Build the TypeScript programs, which include the page and its runner."""
    return ["node", str(compiled(CACHE / "ts") / "browser.js"), ORIGIN, shutil.which(CHROMIUM.program) or CHROMIUM.program]


LANGUAGE = Language("browser", (NODE, NPM, CHROMIUM), build, targets=("http", "http+json"), origins=(ORIGIN,))
