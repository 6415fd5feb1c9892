"""Envelope encryption of secret values, AES-256-GCM.

Each write makes a fresh data key, encrypts the value with it and wraps it with the key-encryption key. The value is bound to
the secret's id and name, the wrapped key to the id and to the key that wrapped it: a row that was altered, or swapped with
another, cannot be read. Both results are nonce (12 bytes), ciphertext, tag (16 bytes).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway_entities.errors import Code, GatewayError

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class Sealed(NamedTuple):
    """An encrypted secret value, as it is stored.

    Attributes:
        ciphertext: the value, encrypted with its data key.
        wrapped_key: the data key, encrypted with the key-encryption key.
        key_id: which key-encryption key that was.
    """

    ciphertext: bytes
    wrapped_key: bytes
    key_id: str


def key_id(key: bytes) -> str:
    """Return the name of a key-encryption key: 16 hexadecimal digits that do not reveal it."""
    return hashlib.sha256(b"gateway-entities key id\0" + key).hexdigest()[:16]


class Cipher:
    """Encrypts and decrypts secret values under one key-encryption key. Safe to use from many threads.

    Attributes:
        key_id: the name of that key.
    """

    __slots__ = ("_wrapping", "key_id")

    def __init__(self, key: bytes) -> None:
        self.key_id: Final = key_id(key)
        self._wrapping = AESGCM(key)

    def seal(self, secret_id: str, secret_name: str, value: Mapping[str, str]) -> Sealed:
        """Encrypt a value for the secret of this id and name, under a fresh data key."""
        plaintext = json.dumps(dict(value), ensure_ascii=False).encode()
        data_key = AESGCM.generate_key(bit_length=8 * KEY_BYTES)
        return Sealed(
            ciphertext=_encrypt(AESGCM(data_key), plaintext, _value_context(secret_id, secret_name)),
            wrapped_key=_encrypt(self._wrapping, data_key, _wrap_context(secret_id, self.key_id)),
            key_id=self.key_id,
        )

    def unseal(self, secret_id: str, secret_name: str, sealed: Sealed) -> dict[str, str]:
        """Decrypt the value of the secret of this id and name.

        Raises:
            GatewayError: DATA_LOSS when it was encrypted under another key, for another secret, or altered since.
        """
        try:
            data_key = _decrypt(self._wrapping, sealed.wrapped_key, _wrap_context(secret_id, sealed.key_id))
            plaintext = _decrypt(AESGCM(data_key), sealed.ciphertext, _value_context(secret_id, secret_name))
        except (InvalidTag, ValueError) as error:
            raise GatewayError(
                Code.DATA_LOSS,
                f"The value of secret '{secret_id}' cannot be decrypted: it was altered, moved, or encrypted under another "
                f"key (it names key {sealed.key_id}, this store has key {self.key_id})",
                reason="SECRET_UNREADABLE",
            ) from error
        value: dict[str, str] = json.loads(plaintext)
        return value


def _encrypt(cipher: AESGCM, plaintext: bytes, context: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plaintext, context)


def _decrypt(cipher: AESGCM, data: bytes, context: bytes) -> bytes:
    return cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], context)


def _value_context(secret_id: str, secret_name: str) -> bytes:
    return _context("value", secret_id, secret_name)


def _wrap_context(secret_id: str, wrapping_key_id: str) -> bytes:
    return _context("data key", secret_id, wrapping_key_id)


def _context(*parts: str) -> bytes:
    # JSON marks where each part ends, so that no two different lists read the same.
    return json.dumps(parts).encode()
