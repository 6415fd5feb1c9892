"""Key-encryption keys: what they are called, how they are written down, and what they wrap.

Where several are configured, the first wraps and each of them unwraps.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway_entities.errors import Code, GatewayError

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
NAME_FORM: Final = "1 to 64 letters, digits, dots, hyphens and underscores, the first a letter or a digit"


class Key:
    """A key-encryption key. It shows nothing of itself but its id.

    Attributes:
        id: 16 hexadecimal digits that follow from the key and do not reveal it. What is encrypted names its key by them.
        name: what the operator calls it; None if it has no name.
        origin: where it was found, such as ``the key file /etc/gateway.key``.
    """

    __slots__ = ("_aead", "id", "name", "origin")

    def __init__(self, key: bytes, *, name: str | None = None, origin: str = "a key in memory") -> None:
        """Take a key.

        Args:
            key: 32 random bytes.
            name: see the class.
            origin: see the class.
        """
        self.id: Final = hashlib.sha256(b"gateway-entities key id\0" + key).hexdigest()[:16]
        self.name: Final = name
        self.origin: Final = origin
        self._aead = AESGCM(key)

    def __str__(self) -> str:
        return self.id if self.name is None else f"{self.id} ({self.name})"

    def __repr__(self) -> str:
        return f"<Key {self}>"

    def wrap(self, data_key: bytes, *context: str) -> bytes:
        """Encrypt a data key, bound to a context and to this key."""
        return encrypt(self._aead, data_key, *context, self.id)

    def unwrap(self, wrapped_key: bytes, *context: str) -> bytes:
        """Decrypt a data key. Raises InvalidTag or ValueError when it was altered or is bound to something else."""
        return decrypt(self._aead, wrapped_key, *context, self.id)


class Wrapped(NamedTuple):
    """A data key, encrypted with a key-encryption key.

    Attributes:
        wrapped_key: nonce (12 bytes), ciphertext, tag (16 bytes).
        key_id: which key-encryption key that was.
    """

    wrapped_key: bytes
    key_id: str


class KeyRing:
    """The keys that are configured. Safe to use from many threads.

    Attributes:
        keys: all of them, each once, in the order in which they were given.
        first: the one that wraps.
    """

    __slots__ = ("_by_id", "first", "keys")

    def __init__(self, keys: Sequence[Key]) -> None:
        """Take at least one key.

        Raises:
            GatewayError: FAILED_PRECONDITION when two different keys have one name.
        """
        self._by_id: Final = {key.id: key for key in reversed(keys)}
        self.keys: Final = tuple(dict.fromkeys(self._by_id[key.id] for key in keys))
        self.first: Final = self.keys[0]
        named: dict[str, Key] = {}
        for key in self.keys:
            if key.name is not None and (other := named.setdefault(key.name, key)) is not key:
                raise GatewayError(
                    Code.FAILED_PRECONDITION,
                    f"Two keys are called '{key.name}': {other.id} of {other.origin}, and {key.id} of {key.origin}; "
                    "give each a name of its own",
                    reason="KEY_NAME",
                )

    def __repr__(self) -> str:
        return f"<KeyRing {', '.join(map(str, self.keys))}>"

    def __contains__(self, key_id: object) -> bool:
        return key_id in self._by_id

    def wrap(self, data_key: bytes, *context: str) -> Wrapped:
        """Encrypt a data key with the first key, bound to a context."""
        return Wrapped(self.first.wrap(data_key, *context), self.first.id)

    def unwrap(self, wrapped: Wrapped, what: str, *context: str) -> bytes:
        """Decrypt a data key with the key that it names.

        Args:
            wrapped: the data key.
            what: what it encrypts, as the begin of a message's sentence.
            context: what it was bound to when it was wrapped.

        Raises:
            GatewayError: FAILED_PRECONDITION when its key is not configured; DATA_LOSS when it was altered, or was bound to
                another context.
        """
        key = self._by_id.get(wrapped.key_id)
        if key is None:
            raise GatewayError(
                Code.FAILED_PRECONDITION,
                f"{what} is encrypted with key {wrapped.key_id}, which is not configured",
                reason="KEY_MISSING",
            )
        try:
            return key.unwrap(wrapped.wrapped_key, *context)
        except (InvalidTag, ValueError) as error:
            raise unreadable(what) from error

    def holdings(self) -> str:
        """Return a clause that says which keys there are, and where each was found."""
        return ", ".join(f"{key.origin} holds key {key}" for key in self.keys)


def unreadable(what: str) -> GatewayError:
    """Return the error of something encrypted that does not fit its key or its row."""
    return GatewayError(
        Code.DATA_LOSS,
        f"{what} cannot be decrypted: it, or what it belongs to, was altered in the database, or it was moved",
        reason="SECRET_UNREADABLE",
    )


def parse_keys(content: bytes, origin: str) -> list[Key]:
    """Read keys that are written down: ``base64`` or ``name:base64`` of 32 bytes each, the first the one that wraps.

    They are on lines of their own, or separated by commas or spaces. What follows a ``#`` on its line is a comment.

    Args:
        content: the text.
        origin: where it was found, for messages.

    Raises:
        GatewayError: FAILED_PRECONDITION when there is no key, or something else. The message never repeats the content.
    """
    keys = [_parse(word, line, origin) for line, word in _words(content, origin)]
    if not keys:
        raise malformed(origin, "it is empty")
    return keys


def generate_key(name: str | None = None) -> tuple[Key, bytes]:
    """Make a random key.

    Args:
        name: what to call it; None for no name.

    Returns:
        The key, and the line to write down.

    Raises:
        GatewayError: INVALID_ARGUMENT for a name of another form.
    """
    if name is not None and not _NAME.fullmatch(name):
        raise GatewayError(Code.INVALID_ARGUMENT, f"A key's name is {NAME_FORM}", reason="KEY_NAME")
    key = os.urandom(KEY_BYTES)
    prefix = b"" if name is None else f"{name}:".encode()
    return Key(key, name=name), prefix + base64.b64encode(key) + b"\n"


def malformed(origin: str, wrong: str) -> GatewayError:
    """Return the error of a place that was found and holds no key."""
    return GatewayError(
        Code.FAILED_PRECONDITION,
        f"{origin[0].upper()}{origin[1:]} does not hold a key: {wrong}; each key is the base64 of {KEY_BYTES} bytes, or a "
        "name, a colon and that. Restore it from a backup, or, if nothing is encrypted with it yet, make another with: "
        "gateway-entities keys generate FILE",
        reason="KEY_FORM",
    )


def encrypt(aead: AESGCM, plaintext: bytes, *context: str) -> bytes:
    """Encrypt under a fresh nonce, bound to a context; return nonce (12 bytes), ciphertext and tag (16 bytes)."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + aead.encrypt(nonce, plaintext, _context(context))


def decrypt(aead: AESGCM, data: bytes, *context: str) -> bytes:
    """Decrypt what ``encrypt`` returned. Raises InvalidTag or ValueError when it or the context is another."""
    return aead.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], _context(context))


def _context(parts: Sequence[str]) -> bytes:
    # JSON marks where each part ends, so that no two different lists read the same.
    return json.dumps(parts).encode()


def _words(content: bytes, origin: str) -> Iterator[tuple[int, str]]:
    try:
        lines = content.decode("ascii").splitlines()
    except UnicodeDecodeError:
        raise malformed(origin, "it is not plain text") from None
    for number, line in enumerate(lines, 1):
        for word in line.partition("#")[0].replace(",", " ").split():
            yield number, word


def _parse(word: str, line: int, origin: str) -> Key:
    name, colon, encoded = word.rpartition(":")
    if colon and not _NAME.fullmatch(name):
        raise malformed(origin, f"a name on line {line} is not {NAME_FORM}")
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise malformed(origin, f"what is on line {line} is not base64") from None
    if len(key) != KEY_BYTES:
        raise malformed(origin, f"what is on line {line} is {len(key)} bytes long")
    return Key(key, name=name if colon else None, origin=origin)
