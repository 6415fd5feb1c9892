"""The digest of a whole configuration, by which nodes and the store compare what they have."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256


def digest_of(resources: Iterable[tuple[str, str, str]]) -> str:
    """Return the SHA-256, as 64 hexadecimal digits, of the sorted lines ``noun id etag``, each with its line feed.

    Args:
        resources: noun, id and etag of every resource, as the watch stream gave them, in any order.
    """
    lines = sorted(f"{noun} {identifier} {etag}\n".encode() for noun, identifier, etag in resources)
    return sha256(b"".join(lines)).hexdigest()
