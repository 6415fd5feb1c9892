from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import traceback
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store import open_store
from gateway_entities.server.store.crypto.envelope import Cipher, Destination, EncryptedValue
from gateway_entities.server.store.crypto.keyring import Key, KeyRing, WrappedKey

KEY, OTHER = bytes(range(32)), bytes(32)
CANARY = "canary-7f3a9c51d2e84b06-value"


def cipher_of(*keys):
    return Cipher(KeyRing([Key(key) for key in keys]))


@given(st.text(), st.text(), st.dictionaries(st.text(), st.text()))
def test_decrypt_reverses_encrypt(secret_id, name, value):
    encrypted = cipher_of(KEY).encrypt(secret_id, name, value)
    found = cipher_of(OTHER, KEY).decrypt(secret_id, name, encrypted)
    assert found == value
    assert list(found) == list(value)


def test_the_format_is_as_documented():
    """Decrypts without the package: nonce, ciphertext and tag, for the data key and for the value."""
    encrypted = cipher_of(KEY).encrypt("s-1", "naïve", {"k": "ü"}, Destination("openai", None))
    assert len(encrypted.wrapped_key) == 12 + 32 + 16
    wrap_context = f'["data key", "s-1", "{encrypted.key_id}"]'.encode()
    data_key = AESGCM(KEY).decrypt(encrypted.wrapped_key[:12], encrypted.wrapped_key[12:], wrap_context)
    assert len(data_key) == 32
    value_context = rb'["value", "s-1", "na\u00efve", "openai", null]'
    plaintext = AESGCM(data_key).decrypt(encrypted.ciphertext[:12], encrypted.ciphertext[12:], value_context)
    assert plaintext == '{"k": "ü"}'.encode()


def test_two_writes_have_different_keys_and_nonces():
    cipher = cipher_of(KEY)
    first, second = (cipher.encrypt("s-1", "n", {"k": "v"}) for _ in range(2))
    assert first.ciphertext[:12] != second.ciphertext[:12]
    assert first.wrapped_key[:12] != second.wrapped_key[:12]
    assert first.ciphertext[12:] != second.ciphertext[12:]
    assert first.key_id == second.key_id


@pytest.mark.parametrize(
    ("secret_id", "name", "changes"),
    [
        ("s-2", "n", {}),
        ("s-1", "m", {}),
        ("s-1n", "", {}),
        ("s-1", "n", {"key_id": Key(OTHER).id}),
        ("s-1", "n", {"ciphertext": b""}),
        ("s-1", "n", {"wrapped_key": b""}),
        ("s-1", "n", {"wrapped_key": bytes(60)}),
    ],
)
def test_another_context_or_key_fails(secret_id, name, changes):
    encrypted = cipher_of(KEY).encrypt("s-1", "n", {"k": CANARY})._replace(**changes)
    with pytest.raises(GatewayError) as caught:
        cipher_of(KEY, OTHER).decrypt(secret_id, name, encrypted)
    assert caught.value.code is Code.DATA_LOSS
    assert CANARY not in str(caught.value)


@given(st.integers(min_value=0), st.integers(min_value=0, max_value=7), st.sampled_from(["ciphertext", "wrapped_key"]))
def test_any_changed_bit_fails(place, bit, part):
    encrypted = cipher_of(KEY).encrypt("s-1", "n", {"k": "v"})
    data = bytearray(getattr(encrypted, part))
    data[place % len(data)] ^= 1 << bit
    with pytest.raises(GatewayError):
        cipher_of(KEY).decrypt("s-1", "n", encrypted._replace(**{part: bytes(data)}))


@given(*[st.sampled_from([None, "", "a", "b"])] * 4)
def test_a_value_is_readable_for_its_destination_only(provider, api_base, other_provider, other_api_base):
    cipher = cipher_of(KEY)
    own, other = Destination(provider, api_base), Destination(other_provider, other_api_base)
    encrypted = cipher.encrypt("s-1", "n", {"k": CANARY}, own)
    if own == other:
        assert cipher.decrypt("s-1", "n", encrypted, other) == {"k": CANARY}
    else:
        with pytest.raises(GatewayError) as caught:
            cipher.decrypt("s-1", "n", encrypted, other)
        assert caught.value.reason == "SECRET_UNREADABLE"
        moved = cipher.renew("s-1", "n", encrypted, own, other)
        assert cipher.decrypt("s-1", "n", moved, other) == {"k": CANARY}


def of_first_version(cipher, secret_id, name, value):
    """Encrypt as the first release did, without the package: bound to id and name only."""
    data_key, nonce = AESGCM.generate_key(256), bytes(12)
    context = json.dumps(["value", secret_id, name]).encode()
    ciphertext = nonce + AESGCM(data_key).encrypt(nonce, json.dumps(value).encode(), context)
    return EncryptedValue(ciphertext, *cipher.keys.wrap(data_key, "data key", secret_id), 1)


def test_a_value_of_the_first_version_is_readable_and_its_version_cannot_be_changed():
    cipher = cipher_of(KEY)
    first = of_first_version(cipher, "s-1", "n", {"k": CANARY})
    assert cipher.decrypt("s-1", "n", first, Destination("openai", "https://a.example")) == {"k": CANARY}
    renewed = cipher.renew("s-1", "n", first, Destination(), Destination("openai", None))
    for changed in (first._replace(envelope_version=2), renewed._replace(envelope_version=1)):
        with pytest.raises(GatewayError):
            cipher.decrypt("s-1", "n", changed, Destination("openai", None))


def test_a_missing_key_is_named():
    encrypted = cipher_of(KEY).encrypt("s-1", "n", {"k": CANARY})
    with pytest.raises(GatewayError) as caught:
        cipher_of(OTHER).decrypt("s-1", "n", encrypted)
    assert (caught.value.code, caught.value.reason) == (Code.FAILED_PRECONDITION, "KEY_MISSING")
    assert Key(KEY).id in caught.value.message


@given(st.text(), st.text(), st.dictionaries(st.text(), st.text()))
def test_rewrapping_changes_the_key_and_not_the_value(secret_id, name, value):
    encrypted = cipher_of(KEY).encrypt(secret_id, name, value)
    wrapped = cipher_of(OTHER, KEY).rewrap(secret_id, WrappedKey(encrypted.wrapped_key, encrypted.key_id))
    assert wrapped.key_id == Key(OTHER).id
    assert cipher_of(OTHER).decrypt(secret_id, name, encrypted._replace(**wrapped._asdict())) == value
    for other_id in (secret_id + "x", name + "y" + secret_id):
        with pytest.raises(GatewayError):
            cipher_of(OTHER, KEY).rewrap(other_id, WrappedKey(encrypted.wrapped_key, encrypted.key_id))


@given(st.binary(), st.binary())
def test_digests_are_deterministic_and_survive_a_rotation(data, other):
    keys = KeyRing([Key(KEY)])
    wrapped = Cipher(keys).new_digest_key()
    digest = Cipher(keys, wrapped).digest
    assert digest(data) == digest(data)
    assert (digest(data) == digest(other)) == (data == other)
    assert digest(data) != Cipher(keys, Cipher(keys).new_digest_key()).digest(data)
    assert digest(data) not in (hashlib.sha256(data).digest(), hmac.digest(KEY, data, "sha256"))
    rotated = Cipher(KeyRing([Key(OTHER), Key(KEY)])).rewrap_digest_key(wrapped)
    assert Cipher(KeyRing([Key(OTHER)]), rotated).digest(data) == digest(data)


def test_a_digest_is_an_hmac_with_the_stored_key():
    """Computes it without the package: HMAC-SHA256 with a wrapped key that has a context of its own."""
    keys = KeyRing([Key(KEY)])
    wrapped = Cipher(keys).new_digest_key()
    context = f'["store key", "digest", "{wrapped.key_id}"]'.encode()
    key = AESGCM(KEY).decrypt(wrapped.wrapped_key[:12], wrapped.wrapped_key[12:], context)
    assert Cipher(keys, wrapped).digest(b"data") == hmac.digest(key, b"data", "sha256")


def test_repr_contains_no_key():
    cipher = cipher_of(KEY)
    for form in (KEY.hex(), base64.b64encode(KEY).decode(), repr(KEY)):
        assert form not in repr(cipher)


OF_ANOTHER = "(SELECT {0} FROM secrets WHERE secret_id = 's-0002')"
MOVES = {
    "another name": "secret_name = 'renamed'",
    "another provider": "provider = 'other'",
    "no provider": "provider = NULL",
    "another address": """auth_config = '{"region": "eu", "api_base": "https://other.example"}'""",
    "no address": """auth_config = '{"region": "eu"}'""",
    "an address of another type": """auth_config = '{"api_base": ["https://a.example"]}'""",
    "an address in no object": "auth_config = '[]'",
    "another version": "envelope_version = 1",
    "another id": "secret_id = 's-0009'",
    "the value of another": f"ciphertext = {OF_ANOTHER.format('ciphertext')}",
    "the data key of another": f"wrapped_key = {OF_ANOTHER.format('wrapped_key')}",
    "value and data key of another": f"(ciphertext, wrapped_key) = {OF_ANOTHER.format('ciphertext, wrapped_key')}",
    "another key's name": "key_id = '0123456789abcdef'",
}


@pytest.mark.parametrize("change", MOVES.values(), ids=MOVES)
def test_altered_rows_are_unreadable(place, store, make, change):
    with store.write() as transaction:
        for number in (1, 2):
            transaction.secrets.add(
                make.secret(number, provider="openai", auth_config={"region": "eu", "api_base": "https://a.example"}),
                {"k": CANARY},
            )
    place.execute(f"UPDATE secrets SET {change.replace(':', chr(92) + ':')} WHERE secret_id = 's-0001'")
    with store.read() as transaction:
        changed = "s-0009" if "s-0009" in change else "s-0001"
        with pytest.raises(GatewayError) as caught:
            transaction.secrets.reveal(changed)
        assert transaction.secrets.reveal("s-0002") == {"k": CANARY}
    assert caught.value.reason == ("KEY_MISSING" if change.startswith("key_id") else "SECRET_UNREADABLE")
    assert changed in caught.value.message
    assert CANARY not in caught.value.message


def test_a_restored_row_is_readable(place, store, make):
    """Control: moving is what makes the rows above unreadable."""
    with store.write() as transaction:
        transaction.secrets.add(make.secret(), {"k": "v"})
    for name in ("renamed", "secret 1"):
        place.execute("UPDATE secrets SET secret_name = :name", {"name": name})
    with store.read() as transaction:
        assert transaction.secrets.reveal("s-0001") == {"k": "v"}


def forms(text):
    raw = text.encode()
    yield raw
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for shift in range(3):
        # Base64 encodes groups of three bytes, so a text has three encodings, depending on its offset.
        encoded = base64.b64encode(bytes(shift) + raw)
        yield encoded[4 if shift else 0 : len(encoded) // 4 * 4 - 4]


def test_files_logs_errors_and_repr_contain_no_value(path, make, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("sqlalchemy").setLevel(logging.DEBUG)
    texts = []
    store = open_store(f"sqlite:///{path}")
    files = path.parent
    with store.write() as transaction:
        transaction.secrets.add(make.secret(1), {"api_key": CANARY, "other": CANARY * 2})
    for name in ("secret 1", None):
        try:
            with store.write() as transaction:
                transaction.secrets.add(make.secret(2, secret_name=name), {"api_key": CANARY})
        except Exception as error:
            texts += [repr(error), str(error), *traceback.format_exception(error)]
    with store.write() as transaction:
        transaction.secrets.update(replace(make.secret(1), last_updated_at=9000), {"api_key": f"new {CANARY}"})
        texts += [repr(transaction.secrets), repr(transaction), repr(store), repr(store._cipher)]
    written = {file.name: file.read_bytes() for file in files.iterdir()}
    with store.write() as transaction:
        assert transaction.secrets.reveal("s-0001") == {"api_key": f"new {CANARY}"}
        transaction.secrets.remove("s-0001")
    store.close()
    written |= {f"{file.name} after close": file.read_bytes() for file in files.iterdir()}
    logging.getLogger("sqlalchemy").setLevel(logging.NOTSET)
    assert f"{path.name}-wal" in written
    assert len(texts) > 8
    for form in forms(CANARY):
        for name, content in written.items():
            assert form not in content, name
        for text in (*texts, caplog.text):
            assert form.decode() not in text


def test_deleting_a_secret_erases_its_ciphertext(path, make):
    store = open_store(f"sqlite:///{path}")
    with store.write() as transaction:
        transaction.secrets.add(make.secret(), {"api_key": CANARY * 500})
    with store.read() as transaction:
        ciphertext = transaction.secrets._connection.exec_driver_sql("SELECT ciphertext FROM secrets").scalar()
    with store.write() as transaction:
        transaction.secrets.remove("s-0001")
    store.close()
    content = path.read_bytes()
    assert all(ciphertext[start : start + 64] not in content for start in range(0, len(ciphertext) - 64, 64))
