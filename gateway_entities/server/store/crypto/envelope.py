"""Envelope encryption of secret values, AES-256-GCM, and digests that tell nothing without a key.

Each write makes a fresh data key, encrypts the value with it and wraps it with the first key-encryption key. The value is
bound to the secret's id and name, the wrapped key to the id and to the key that wrapped it: a row that was altered, or
swapped with another, cannot be read. Both results are nonce (12 bytes), ciphertext, tag (16 bytes).
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.crypto.keyring import KEY_BYTES, KeyRing, Wrapped, decrypt, encrypt, unreadable

_DIGEST_CONTEXT: Final = ("store key", "digest")


class EncryptedValue(NamedTuple):
    """An encrypted secret value, as it is stored.

    Attributes:
        ciphertext: the value, encrypted with its data key.
        wrapped_key: the data key, encrypted with the key-encryption key.
        key_id: which key-encryption key that was.
    """

    ciphertext: bytes
    wrapped_key: bytes
    key_id: str


class Cipher:
    """Encrypts and decrypts secret values, and makes keyed digests. Safe to use from many threads.

    Attributes:
        keys: the key-encryption keys.
    """

    __slots__ = ("_digest_key", "keys")

    def __init__(self, keys: KeyRing, digest_key: Wrapped | None = None) -> None:
        """Take the keys.

        Args:
            keys: the key-encryption keys.
            digest_key: the store's own data key; None where no digest is made.
        """
        self.keys: Final = keys
        self._digest_key = digest_key

    def __repr__(self) -> str:
        return f"<Cipher {self.keys!r}>"

    def seal(self, secret_id: str, secret_name: str, value: Mapping[str, str]) -> EncryptedValue:
        """Encrypt a value for the secret of this id and name, under a fresh data key."""
        plaintext = json.dumps(dict(value), ensure_ascii=False).encode()
        data_key = AESGCM.generate_key(bit_length=8 * KEY_BYTES)
        ciphertext = encrypt(AESGCM(data_key), plaintext, "value", secret_id, secret_name)
        return EncryptedValue(ciphertext, *self.keys.wrap(data_key, "data key", secret_id))

    def unseal(self, secret_id: str, secret_name: str, sealed: EncryptedValue) -> dict[str, str]:
        """Decrypt the value of the secret of this id and name.

        Raises:
            GatewayError: DATA_LOSS when it was encrypted for another secret or altered since; FAILED_PRECONDITION when its
                key is not configured.
        """
        what = _value_of(secret_id)
        data_key = self.keys.unwrap(Wrapped(sealed.wrapped_key, sealed.key_id), what, "data key", secret_id)
        try:
            plaintext = decrypt(AESGCM(data_key), sealed.ciphertext, "value", secret_id, secret_name)
        except (InvalidTag, ValueError) as error:
            raise unreadable(what) from error
        value: dict[str, str] = json.loads(plaintext)
        return value

    def rewrap(self, secret_id: str, wrapped: Wrapped) -> Wrapped:
        """Wrap the data key of the secret of this id with the first key. Its value need not be at hand.

        Raises:
            GatewayError: as unseal does.
        """
        data_key = self.keys.unwrap(wrapped, _value_of(secret_id), "data key", secret_id)
        return self.keys.wrap(data_key, "data key", secret_id)

    def digest(self, data: bytes) -> bytes:
        """Return 32 bytes that are always the same for the same data in this store, and that take its key to compute.

        A plain hash of a request that holds a secret would let a reader of the database test guesses.

        Raises:
            GatewayError: FAILED_PRECONDITION when the store was not opened for this.
        """
        if self._digest_key is None:
            raise GatewayError(Code.FAILED_PRECONDITION, "The store was not opened for use", reason="KEY_MISSING")
        return hmac.digest(self._open_digest_key(self._digest_key), data, "sha256")

    def new_digest_key(self) -> Wrapped:
        """Return a random key of digests."""
        return self.keys.wrap(AESGCM.generate_key(bit_length=8 * KEY_BYTES), *_DIGEST_CONTEXT)

    def rewrap_digest_key(self, wrapped: Wrapped) -> Wrapped:
        """Wrap a key of digests with the first key.

        Raises:
            GatewayError: DATA_LOSS when it was altered; FAILED_PRECONDITION when its key is not configured.
        """
        return self.keys.wrap(self._open_digest_key(wrapped), *_DIGEST_CONTEXT)

    def _open_digest_key(self, wrapped: Wrapped) -> bytes:
        return self.keys.unwrap(wrapped, "The store's key of digests", *_DIGEST_CONTEXT)


def _value_of(secret_id: str) -> str:
    return f"The value of secret '{secret_id}'"
