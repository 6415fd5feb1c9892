"""Key-encryption keys: ids, names, text form, and wrapping of data keys.

The first configured key wraps; all of them unwrap.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway_entities.errors import Code, GatewayError
from gateway_entities.text import decode_text

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_SEAL_CONTEXT: Final = b"gateway-entities backup seal"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
NAME_FORM: Final = "1 to 64 letters, digits, dots, hyphens and underscores, the first a letter or a digit"


class Key:
    """A key-encryption key. Its repr contains id and name only.

    Attributes:
        id: 16 hexadecimal digits of a hash of the key, stored with everything that it encrypts.
        name: the name that the operator gave it; None without one.
        origin: its source, such as ``the key file /etc/gateway.key``.
    """

    __slots__ = ("_aead", "_seal_key", "id", "name", "origin")

    def __init__(self, key: bytes, *, name: str | None = None, origin: str = "a key in memory") -> None:
        """Create a key.

        Args:
            key: 32 random bytes.
            name: see the class.
            origin: see the class.
        """
        self.id: Final = hashlib.sha256(b"gateway-entities key id\0" + key).hexdigest()[:16]
        self.name: Final = name
        self.origin: Final = origin
        self._aead = AESGCM(key)
        self._seal_key = hmac.digest(key, _SEAL_CONTEXT, "sha256")

    def __str__(self) -> str:
        return self.id if self.name is None else f"{self.id} ({self.name})"

    def __repr__(self) -> str:
        return f"<Key {self}>"

    def seal(self) -> hmac.HMAC:
        """Return a new HMAC-SHA256, with a key derived from this one, of the content of a file."""
        return hmac.new(self._seal_key, digestmod="sha256")

    def wrap(self, data_key: bytes, *context: str) -> bytes:
        """Encrypt a data key; context and key id are associated data."""
        return encrypt(self._aead, data_key, *context, self.id)

    def unwrap(self, wrapped_key: bytes, *context: str) -> bytes:
        """Decrypt a data key. Raises InvalidTag or ValueError if it was altered or has another context."""
        return decrypt(self._aead, wrapped_key, *context, self.id)


class WrappedKey(NamedTuple):
    """A data key that is encrypted with a key-encryption key.

    Attributes:
        wrapped_key: nonce (12 bytes), ciphertext, tag (16 bytes).
        key_id: the id of that key-encryption key.
    """

    wrapped_key: bytes
    key_id: str


class KeyRing:
    """The configured keys. Thread-safe.

    Attributes:
        keys: the keys in their order, without duplicates.
        first: the key that wraps.
    """

    __slots__ = ("_by_id", "first", "keys")

    def __init__(self, keys: Sequence[Key]) -> None:
        """Create a key ring of one or more keys.

        Raises:
            GatewayError: FAILED_PRECONDITION; two different keys have the same name.
        """
        self._by_id: Final = {key.id: key for key in reversed(keys)}
        self.keys: Final = tuple(dict.fromkeys(self._by_id[key.id] for key in keys))
        self.first: Final = self.keys[0]
        named: dict[str, Key] = {}
        for key in self.keys:
            if key.name is not None and (other := named.setdefault(key.name, key)) is not key:
                raise GatewayError(
                    Code.FAILED_PRECONDITION,
                    f"Two keys have the name '{key.name}': {other.id} of {other.origin}, and {key.id} of {key.origin}; "
                    "rename one of them",
                    reason="KEY_NAME",
                )

    def __repr__(self) -> str:
        return f"<KeyRing {', '.join(map(str, self.keys))}>"

    def __contains__(self, key_id: object) -> bool:
        return key_id in self._by_id

    def get(self, key_id: str) -> Key | None:
        """Return the key with this id, or None."""
        return self._by_id.get(key_id)

    def wrap(self, data_key: bytes, *context: str) -> WrappedKey:
        """Encrypt a data key with the first key."""
        return WrappedKey(self.first.wrap(data_key, *context), self.first.id)

    def unwrap(self, wrapped: WrappedKey, what: str, *context: str) -> bytes:
        """Decrypt a data key.

        Args:
            wrapped: the wrapped data key.
            what: what it encrypts, as the subject of error messages.
            context: the context of ``wrap``.

        Raises:
            GatewayError: FAILED_PRECONDITION (its key is not configured) or DATA_LOSS (it was altered, or has another
                context).
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

    def describe(self) -> str:
        """Return a clause that lists the keys with their origins, for messages."""
        return ", ".join(f"{key.origin} holds key {key}" for key in self.keys)


def unreadable(what: str) -> GatewayError:
    """Return DATA_LOSS for a value that cannot be decrypted."""
    return GatewayError(
        Code.DATA_LOSS,
        f"{what} cannot be decrypted: it was altered in the database, or moved to another row",
        reason="SECRET_UNREADABLE",
    )


def parse_keys(content: bytes, origin: str) -> list[Key]:
    """Parse keys, each the base64 of 32 bytes or ``name:base64``, separated by line breaks, spaces or commas.

    ``#`` starts a comment.

    Args:
        content: the text.
        origin: its source, for messages.

    Raises:
        GatewayError: FAILED_PRECONDITION; the text is malformed or empty. The message never contains the text.
    """
    keys = [_parse(word, line, origin) for line, word in _words(content, origin)]
    if not keys:
        raise malformed(origin, "it is empty")
    return keys


def generate_key(name: str | None = None) -> tuple[Key, bytes]:
    """Generate a random key.

    Args:
        name: its name; None for none.

    Returns:
        The key and the line of its text form.

    Raises:
        GatewayError: INVALID_ARGUMENT; the name is malformed.
    """
    if name is not None and not _NAME.fullmatch(name):
        raise GatewayError(Code.INVALID_ARGUMENT, f"A key's name is {NAME_FORM}", reason="KEY_NAME")
    key = os.urandom(KEY_BYTES)
    prefix = b"" if name is None else f"{name}:".encode()
    return Key(key, name=name), prefix + base64.b64encode(key) + b"\n"


def malformed(origin: str, problem: str) -> GatewayError:
    """Return FAILED_PRECONDITION for a key source without a valid key."""
    return GatewayError(
        Code.FAILED_PRECONDITION,
        f"{origin[0].upper()}{origin[1:]} does not hold a key: {problem}; a key is the base64 of {KEY_BYTES} bytes, "
        "optionally preceded by a name and a colon. Restore it from a backup, or, if nothing is encrypted with it yet, "
        "create one with: gateway-entities keys generate FILE",
        reason="KEY_FORM",
    )


def encrypt(aead: AESGCM, plaintext: bytes, *context: str | None) -> bytes:
    """Encrypt with a random nonce and associated data; return nonce (12 bytes), ciphertext and tag (16 bytes)."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + aead.encrypt(nonce, plaintext, _context(context))


def decrypt(aead: AESGCM, data: bytes, *context: str | None) -> bytes:
    """Decrypt a result of ``encrypt``. Raises InvalidTag or ValueError if it was altered or the context differs."""
    return aead.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], _context(context))


def _context(parts: Sequence[str | None]) -> bytes:
    # JSON is injective, unlike plain concatenation.
    return json.dumps(parts).encode()


def _words(content: bytes, origin: str) -> Iterator[tuple[int, str]]:
    try:
        text = decode_text(content)
    except ValueError as error:
        raise malformed(origin, f"it {error}") from None
    if not text.isascii():
        raise malformed(origin, "it is not plain text")
    for number, line in enumerate(text.splitlines(), 1):
        for word in line.partition("#")[0].replace(",", " ").split():
            yield number, word


def _parse(word: str, line: int, origin: str) -> Key:
    name, colon, encoded = word.rpartition(":")
    if colon and not _NAME.fullmatch(name):
        raise malformed(origin, f"a name on line {line} is not {NAME_FORM}")
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise malformed(origin, f"line {line} is not base64") from None
    if len(key) != KEY_BYTES:
        raise malformed(origin, f"line {line} has {len(key)} bytes")
    return Key(key, name=name if colon else None, origin=origin)
