"""Envelope encryption of secret values with AES-256-GCM, and keyed digests.

Each write generates a data key, encrypts the value with it, and wraps it with the first key-encryption key. Associated data
are the secret's id, name, provider and api_base for the value, and the id and the wrapping key's id for the data key, so
that altered or swapped rows cannot be decrypted, and a value cannot be redirected to another address. Both results are nonce
(12 bytes), ciphertext, tag (16 bytes).

Values of the first version are bound to id and name only. They are readable, and ``renew`` binds them to the rest.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store.crypto.keyring import KEY_BYTES, KeyRing, WrappedKey, decrypt, encrypt

ENVELOPE_VERSION: Final = 2
"""The version of the associated data of new values."""

_DIGEST_CONTEXT: Final = ("store key", "digest")


class Destination(NamedTuple):
    """Where the value of a secret is sent to.

    Attributes:
        provider: the secret's provider; None if it has none.
        api_base: the address in its auth_config; None if it has none.
    """

    provider: str | None = None
    api_base: str | None = None


NO_DESTINATION: Final = Destination()


class EncryptedValue(NamedTuple):
    """An encrypted secret value.

    Attributes:
        ciphertext: the value, encrypted with its data key.
        wrapped_key: the data key, encrypted with the key-encryption key.
        key_id: the id of that key-encryption key.
        envelope_version: the version of the associated data: 1 is id and name, 2 is also the destination.
    """

    ciphertext: bytes
    wrapped_key: bytes
    key_id: str
    envelope_version: int = ENVELOPE_VERSION


class Cipher:
    """Encrypts and decrypts secret values, and computes keyed digests. Thread-safe.

    Attributes:
        keys: the key-encryption keys.
    """

    __slots__ = ("_digest_key", "keys")

    def __init__(self, keys: KeyRing, digest_key: WrappedKey | None = None) -> None:
        """Create a cipher.

        Args:
            keys: the key-encryption keys.
            digest_key: the store's wrapped digest key; None if no digests are needed.
        """
        self.keys: Final = keys
        self._digest_key = digest_key

    def __repr__(self) -> str:
        return f"<Cipher {self.keys!r}>"

    def encrypt(
        self, secret_id: str, secret_name: str, value: Mapping[str, str], destination: Destination = NO_DESTINATION
    ) -> EncryptedValue:
        """Encrypt the value of a secret with a new data key."""
        plaintext = json.dumps(dict(value), ensure_ascii=False).encode()
        data_key = AESGCM.generate_key(bit_length=8 * KEY_BYTES)
        ciphertext = encrypt(AESGCM(data_key), plaintext, "value", secret_id, secret_name, *destination)
        return EncryptedValue(ciphertext, *self.keys.wrap(data_key, "data key", secret_id))

    def decrypt(
        self, secret_id: str, secret_name: str, encrypted: EncryptedValue, destination: Destination = NO_DESTINATION
    ) -> dict[str, str]:
        """Decrypt the value of a secret.

        Raises:
            GatewayError: DATA_LOSS (it was altered, or encrypted for another secret or destination) or FAILED_PRECONDITION
                (its key is not configured).
        """
        what = _value_of(secret_id)
        data_key = self.keys.unwrap(WrappedKey(encrypted.wrapped_key, encrypted.key_id), what, "data key", secret_id)
        context = destination if encrypted.envelope_version >= ENVELOPE_VERSION else ()
        try:
            plaintext = decrypt(AESGCM(data_key), encrypted.ciphertext, "value", secret_id, secret_name, *context)
        except (InvalidTag, ValueError) as error:
            raise unreadable_value(secret_id) from error
        value: dict[str, str] = json.loads(plaintext)
        return value

    def renew(
        self, secret_id: str, secret_name: str, encrypted: EncryptedValue, old: Destination, new: Destination
    ) -> EncryptedValue:
        """Encrypt the value of a secret again, bound to another destination, or to one for the first time.

        Raises:
            GatewayError: as ``decrypt``.
        """
        return self.encrypt(secret_id, secret_name, self.decrypt(secret_id, secret_name, encrypted, old), new)

    def rewrap(self, secret_id: str, wrapped: WrappedKey) -> WrappedKey:
        """Wrap the data key of a secret with the first key.

        Raises:
            GatewayError: as ``decrypt``.
        """
        data_key = self.keys.unwrap(wrapped, _value_of(secret_id), "data key", secret_id)
        return self.keys.wrap(data_key, "data key", secret_id)

    def digest(self, data: bytes) -> bytes:
        """Return the HMAC-SHA256 of data with the store's digest key.

        An unkeyed hash of a request that contains a secret would let a reader of the database test guesses.

        Raises:
            GatewayError: FAILED_PRECONDITION; the cipher has no digest key.
        """
        if self._digest_key is None:
            raise GatewayError(Code.FAILED_PRECONDITION, "The store was not opened for use", reason="KEY_MISSING")
        return hmac.digest(self._unwrap_digest_key(self._digest_key), data, "sha256")

    def new_digest_key(self) -> WrappedKey:
        """Return a new wrapped digest key."""
        return self.keys.wrap(AESGCM.generate_key(bit_length=8 * KEY_BYTES), *_DIGEST_CONTEXT)

    def rewrap_digest_key(self, wrapped: WrappedKey) -> WrappedKey:
        """Wrap a digest key with the first key.

        Raises:
            GatewayError: DATA_LOSS (it was altered) or FAILED_PRECONDITION (its key is not configured).
        """
        return self.keys.wrap(self._unwrap_digest_key(wrapped), *_DIGEST_CONTEXT)

    def _unwrap_digest_key(self, wrapped: WrappedKey) -> bytes:
        return self.keys.unwrap(wrapped, "The store's digest key", *_DIGEST_CONTEXT)


def unreadable_value(secret_id: str) -> GatewayError:
    """Return DATA_LOSS for the value of a secret that cannot be decrypted with its data key."""
    return GatewayError(
        Code.DATA_LOSS,
        f"{_value_of(secret_id)} cannot be decrypted: it, or the name, provider or api_base of the secret, was altered in "
        "the database, or it was moved to another row",
        reason="SECRET_UNREADABLE",
    )


def _value_of(secret_id: str) -> str:
    return f"The value of secret '{secret_id}'"
