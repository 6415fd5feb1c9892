"""A small repository that is not ours: protos, recorded messages, branches."""

from __future__ import annotations

import subprocess
from pathlib import Path

ORDER = """\
syntax = "proto3";
package acme.v1;

import "acme/v1/money.proto";

message Order {
  string id = 1;
  Money total = 2;
  Status status = 3;
  int32 quantity = 4;
}

enum Status {
  STATUS_UNSPECIFIED = 0;
  STATUS_PAID = 1;
}
"""
MONEY = """\
syntax = "proto3";
package acme.v1;

message Money {
  string currency = 1;
  int64 units = 2;
}
"""
RECORDED = bytes.fromhex("0a026f3112070a0345555210052003")
"""An order with an id, a total of 5 EUR, and the quantity 3."""


class ForeignRepository:
    """A work tree with protos in ``proto`` on the branch main."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "-q", "-b", "main")
        self.write("proto/acme/v1/order.proto", ORDER)
        self.write("proto/acme/v1/money.proto", MONEY)
        self.commit()

    def git(self, *arguments: str) -> str:
        """Run git as somebody, without the configuration of the user."""
        identity = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", *identity, *arguments], cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def replace(self, name: str, old: str, new: str) -> None:
        """Change one place of a file."""
        text = (self.root / name).read_text(encoding="utf-8")
        assert text.count(old) == 1
        self.write(name, text.replace(old, new))

    def commit(self) -> str:
        """Commit everything and return the id."""
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", "a change")
        return self.git("rev-parse", "HEAD")

    def branch(self, name: str) -> None:
        self.git("switch", "-q", "-c", name)
