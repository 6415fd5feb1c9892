"""The .proto files of a commit, in a folder of their own."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway_entities.errors import Code, GatewayError

GIT_TIMEOUT_S: Final = 120
"""The time that one command of git has, in seconds."""
_SCHEMA_FILES: Final = ("*.proto", "buf.yaml", "buf.work.yaml", "buf.lock", "**/buf.yaml", "**/buf.work.yaml", "**/buf.lock")
_BRANCH: Final = re.compile(r"(?!.*\.\.)\w[\w./+-]*")
# Hooks of git have these: they replace the repository that the folder is in.
_OF_HOOKS: Final = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR"})
_ID: Final = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of a repository.

    Attributes:
        root: the top folder of the work tree.
        id: the id of the commit.
        name: what the caller called it, and its id in short.
    """

    root: Path
    id: str
    name: str

    @contextmanager
    def checkout(self, paths: Sequence[Path]) -> Generator[Path]:
        """Write the schema files of the commit, and these paths, to a temporary folder. The work tree stays as it is.

        Args:
            paths: files below the root that are needed as well, such as an image.

        Yields:
            The folder, which stands for the root.
        """
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary).resolve()
            tree = folder / "tree"
            tree.mkdir()
            environment = {"GIT_INDEX_FILE": str(folder / "index")}
            _git(self.root, "read-tree", self.id, environment=environment)
            further = [path.relative_to(self.root).as_posix() for path in paths if path.is_relative_to(self.root)]
            patterns = [*_SCHEMA_FILES, *(f":(literal){each}" for each in further if each != ".")]
            listed = _git(self.root, "ls-files", "-z", "--cached", "--", *patterns, environment=environment)
            prefix = f"--prefix={tree}{os.sep}"
            _git(self.root, "checkout-index", "-z", "--stdin", prefix, environment=environment, stdin=listed)
            yield tree


def find_commit(folder: Path, reference: str, *, merge_base: bool = False) -> Commit:
    """Find a commit.

    Args:
        folder: a folder or a file of the work tree.
        reference: a branch, a tag, the id of a commit, or any other revision of git.
        merge_base: whether to return the best common ancestor of the reference and HEAD instead.

    Raises:
        GatewayError: INVALID_ARGUMENT if there is no repository or no such commit; FAILED_PRECONDITION without git.
    """
    at = folder if folder.is_dir() else folder.parent
    if not at.is_dir():
        raise _wrong(f"{folder}: there is no such file or folder")
    root = repository_of(at)
    found = _try(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}")
    if found is None:
        raise _wrong(f"git knows no commit {reference!r}. {_fetch_hint(root, reference)}")
    commit = found.decode().strip()
    if merge_base:
        base = _try(root, "merge-base", commit, "HEAD")
        if base is None:
            raise _wrong(
                f"{reference!r} and HEAD have no common ancestor here. A shallow clone lacks it: fetch the history, in "
                "actions/checkout with fetch-depth: 0"
            )
        commit = base.decode().strip()
        return Commit(root, commit, f"merge base of {reference} and HEAD ({commit[:12]})")
    return Commit(root, commit, reference if commit.startswith(reference) else f"{reference} ({commit[:12]})")


def repository_of(folder: Path) -> Path:
    """Return the top folder of the work tree of a folder.

    Raises:
        GatewayError: INVALID_ARGUMENT if it is in none, or in one that git refuses to read; FAILED_PRECONDITION without git.
    """
    done = _run(folder, ["rev-parse", "--show-toplevel"], {}, b"")
    if done.returncode == 0:
        return Path(os.fsdecode(done.stdout).strip()).resolve()
    text = done.stderr.decode(errors="replace").strip()
    # git says so in its own language; of a repository of another user it says what to do.
    if "safe.directory" in text:
        raise _wrong(f"git does not read the repository of {folder}: {text[:2000]}")
    raise _wrong(f"{folder} is not in a work tree of git; --against needs one")


def submodules(root: Path) -> list[Path]:
    """Return the folders of a work tree that are submodules. Commits have none of their files."""
    if not (root / ".gitmodules").is_file():
        return []
    found = _try(root, "config", "--file", ".gitmodules", "-z", "--get-regexp", r"^submodule\..*\.path$")
    return [root / os.fsdecode(entry.partition(b"\n")[2]) for entry in (found or b"").split(b"\0") if entry]


def _fetch_hint(root: Path, reference: str) -> str:
    if not reference.strip() or reference.endswith("/"):
        return "It names no branch. On GitHub github.base_ref is empty unless a pull request started the run"
    everything = "with actions/checkout, fetch-depth: 0 fetches everything"
    if not _BRANCH.fullmatch(reference):
        return f"A shallow clone lacks it: fetch the history; {everything}"
    if _ID.fullmatch(reference):
        return f"In CI fetch it first: git fetch origin {reference}; {everything}"
    remote, _, branch = reference.partition("/")
    if not branch or remote not in (_try(root, "remote") or b"origin").decode(errors="replace").split():
        remote, branch = "origin", reference
    name = f"{remote}/{branch}"
    return f"In CI fetch it first: git fetch {remote} {branch}:refs/remotes/{name}, and name {name}; {everything}"


def _wrong(message: str) -> GatewayError:
    return GatewayError(Code.INVALID_ARGUMENT, message, reason="SCHEMA_UNREADABLE")


def _try(folder: Path, *arguments: str) -> bytes | None:
    done = _run(folder, arguments, {}, b"")
    return done.stdout if done.returncode == 0 else None


def _git(folder: Path, *arguments: str, environment: dict[str, str], stdin: bytes = b"") -> bytes:
    done = _run(folder, arguments, environment, stdin)
    if done.returncode != 0:
        raise _wrong(f"git {arguments[0]} failed: {done.stderr.decode(errors='replace').strip()[:2000]}")
    return done.stdout


def _run(
    folder: Path, arguments: Sequence[str], environment: dict[str, str], stdin: bytes
) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603 - git; no shell is involved.
            ["git", *arguments],  # noqa: S607 - the one on the search path, as a person would run.
            cwd=folder,
            env={**{k: v for k, v in os.environ.items() if k not in _OF_HOOKS}, **environment},
            input=stdin,
            capture_output=True,
            check=False,
            timeout=GIT_TIMEOUT_S,
        )
    except FileNotFoundError:
        raise GatewayError(Code.FAILED_PRECONDITION, "--against needs git on the search path") from None
    except subprocess.TimeoutExpired:
        raise _wrong(f"git {arguments[0]} was not done within {GIT_TIMEOUT_S} s") from None
