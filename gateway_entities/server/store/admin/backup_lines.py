"""The lines of a backup, read with bounded memory and verified."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
import re
import zlib
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.admin.backup import FORMAT, VERSION
from gateway_entities.server.store.crypto.keyring import Key, KeyRing
from gateway_entities.server.store.sql import migrations

MAX_LINE_BYTES: Final = 16 * 1024 * 1024
"""Default maximum size of a line. Reading one takes up to ten times as much memory."""

_MAX_UNCHECKED_BYTES: Final = 1024 * 1024
_MAX_STRUCTURE_BYTES: Final = 64 * 1024
# Possessive, so that an unterminated string takes linear time and no memory.
_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)


class Line(NamedTuple):
    """A line.

    Attributes:
        number: its number in the unpacked file, from 1.
        content: its bytes.
    """

    number: int
    content: bytes


class BackupLines:
    """The lines of one backup, in one pass; created by ``open_backup``.

    Attributes:
        schema: the revision of its tables.
        sealed_by: the id of the key that its seal is verified with; None if it has no seal of a configured key.
    """

    def __init__(self, path: Path, file: gzip.GzipFile, keys: KeyRing | None, max_line_bytes: int) -> None:
        self._path = path
        self._file = file
        self._max_line_bytes = max_line_bytes
        self._number = 0
        self._first = self._read()
        self._header = self._checked_header()
        self.schema = str(self._header["schema"])
        sealed_by = self._header.get("sealed_by")
        self._key: Key | None = None if keys is None or not isinstance(sealed_by, str) else keys.get(sealed_by)
        self.sealed_by = None if self._key is None else self._key.id

    def require_seal(self, keys: KeyRing | None) -> None:
        """Check that the backup has a seal that can be verified.

        Raises:
            GatewayError: FAILED_PRECONDITION; it has none, or one of a key that is not configured.
        """
        if self._key is not None:
            return
        accept = "if you trust the file, restore it with --accept-unsealed"
        sealed_by = self._header.get("sealed_by")
        if sealed_by is None:
            cause = f"it is not sealed, so its content may have been changed by others; {accept}"
        else:
            held = "no key is configured" if keys is None else keys.describe()
            cause = f"it is sealed with key {sealed_by!s:.64}, which is not configured: {held}; add this key, or, {accept}"
        raise GatewayError(
            Code.FAILED_PRECONDITION, f"The backup {self._path} cannot be restored: {cause}", reason="BACKUP_UNSEALED"
        )

    def content(self) -> Iterator[Line]:
        """Yield the lines between header and trailer, and verify digest and seal after the last one.

        Raises:
            GatewayError: DATA_LOSS (the backup is damaged or was altered) or FAILED_PRECONDITION (a line is too long).
        """
        digest = hashlib.sha256(self._first)
        seal = None if self._key is None else self._key.seal()
        rows, last = 0, self._first
        while line := self._read():
            if last is not self._first:
                digest.update(last)
                rows += last.startswith(b"[")
            if seal is not None:
                seal.update(last)
            if last is not self._first:
                yield Line(self._number - 1, last)
            last = line
        trailer: Mapping[str, Any] = self.parse_object(Line(self._number, last)) if last is not self._first else {}
        if (trailer.get("rows"), trailer.get("sha256")) != (rows, digest.hexdigest()):
            raise damaged(self._path, "its end is missing, or its digest does not match its content")
        if seal is not None and not hmac.compare_digest(str(trailer.get("seal")).encode(), seal.hexdigest().encode()):
            raise damaged(self._path, "its seal does not match its content: it was altered after it was made")

    def parse_object(self, line: Line) -> Mapping[str, Any]:
        """Parse a line with a JSON object.

        Raises:
            GatewayError: DATA_LOSS; it has no object.
        """
        value = self._parsed(line)
        if not isinstance(value, dict):
            raise self.malformed(line.number, "it is not a JSON object")
        return cast("dict[str, Any]", value)

    def parse_array(self, line: Line) -> list[object]:
        """Parse a line with a JSON array.

        Raises:
            GatewayError: DATA_LOSS; it has no array.
        """
        value = self._parsed(line)
        if not isinstance(value, list):
            raise self.malformed(line.number, "it is not a JSON array")
        return cast("list[object]", value)

    def malformed(self, number: int, cause: str) -> GatewayError:
        """Return DATA_LOSS for a line."""
        return damaged(self._path, f"line {number}: {cause}")

    def _read(self) -> bytes:
        line = self._file.readline(self._max_line_bytes + 1)
        self._number += bool(line)
        if len(line) > self._max_line_bytes:
            raise unusable(
                self._path,
                f"line {self._number} is longer than {self._max_line_bytes} bytes; if you trust the file and have the "
                "memory for it, raise the limit with --max-line-mib",
            )
        return line

    def _parsed(self, line: Line) -> object:
        # Parsed structure takes much more memory than its text; a long line of a backup has long strings instead.
        content = line.content
        if len(content) > _MAX_UNCHECKED_BYTES and len(_STRING.sub(b"", content)) > _MAX_STRUCTURE_BYTES:
            raise self.malformed(line.number, "it has too many values")
        try:
            return json.loads(content.decode())
        except (ValueError, RecursionError):
            # Without a cause, because its message may contain a value.
            raise self.malformed(line.number, "it is not valid JSON") from None

    def _checked_header(self) -> Mapping[str, Any]:
        try:
            header = self.parse_object(Line(1, self._first))
        except GatewayError:
            raise unusable(self._path, "it is not a backup of a gateway") from None
        if header.get("format") != FORMAT:
            raise unusable(self._path, "it is not a backup of a gateway")
        version = header.get("version")
        if not isinstance(version, int) or version > VERSION:
            raise unusable(self._path, f"its format version {version!s:.32} is newer than that of this release ({VERSION})")
        try:
            migrations.require_known(f"{header.get('schema')!s:.32}")
        except GatewayError as error:
            raise unusable(self._path, error.message) from error
        return header


@contextmanager
def open_backup(path: Path, keys: KeyRing | None, max_line_bytes: int) -> Generator[BackupLines]:
    """Open a backup for one pass, and check its header.

    Args:
        path: the file.
        keys: the keys that may have sealed it; None for none.
        max_line_bytes: the maximum size of a line.

    Raises:
        GatewayError: FAILED_PRECONDITION (it cannot be read, is no backup, or one of a newer release); in the block also
            DATA_LOSS (it is damaged).
    """
    try:
        with path.open("rb") as file, gzip.GzipFile(fileobj=file) as unpacked:
            yield BackupLines(path, unpacked, keys, max_line_bytes)
    except gzip.BadGzipFile as error:
        # Raised for other file formats, and for a wrong checksum.
        raise damaged(path, "it is not a backup of a gateway, or incomplete") from error
    except (EOFError, zlib.error) as error:
        raise damaged(path, "it is truncated, or was altered") from error
    except OSError as error:
        raise unusable(path, error.strerror or "a disk error") from error


def damaged(path: Path, cause: str) -> GatewayError:
    """Return DATA_LOSS for a backup that is damaged or was altered."""
    return GatewayError(Code.DATA_LOSS, f"The backup {path} is damaged: {cause}", reason="BACKUP_DAMAGED")


def unusable(path: Path, cause: str) -> GatewayError:
    """Return FAILED_PRECONDITION for a file that cannot be restored."""
    return GatewayError(Code.FAILED_PRECONDITION, f"The backup {path} cannot be restored: {cause}", reason="BACKUP_FILE")
