from __future__ import annotations

import base64
import logging
import traceback
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.store import open_store
from gateway_entities.server.store.encryption import Cipher

KEY = bytes(range(32))
CANARY = "canary-7f3a9c51d2e84b06-value"


@given(st.text(), st.text(), st.dictionaries(st.text(), st.text()))
def test_what_was_sealed_is_unsealed(secret_id, name, value):
    cipher = Cipher(KEY)
    sealed = cipher.seal(secret_id, name, value)
    found = Cipher(KEY).unseal(secret_id, name, sealed)
    assert found == value
    assert list(found) == list(value)


def test_the_form_is_the_documented_one():
    """Decrypt by hand: nonce, ciphertext and tag; the value under the data key, the data key under the key."""
    sealed = Cipher(KEY).seal("s-1", "naïve", {"k": "ü"})
    assert len(sealed.wrapped_key) == 12 + 32 + 16
    wrap_context = f'["data key", "s-1", "{sealed.key_id}"]'.encode()
    data_key = AESGCM(KEY).decrypt(sealed.wrapped_key[:12], sealed.wrapped_key[12:], wrap_context)
    assert len(data_key) == 32
    value_context = rb'["value", "s-1", "na\u00efve"]'
    plaintext = AESGCM(data_key).decrypt(sealed.ciphertext[:12], sealed.ciphertext[12:], value_context)
    assert plaintext == '{"k": "ü"}'.encode()


def test_two_writes_share_nothing():
    cipher = Cipher(KEY)
    first, second = (cipher.seal("s-1", "n", {"k": "v"}) for _ in range(2))
    assert first.ciphertext[:12] != second.ciphertext[:12]
    assert first.wrapped_key[:12] != second.wrapped_key[:12]
    assert first.ciphertext[12:] != second.ciphertext[12:]
    assert first.key_id == second.key_id


@pytest.mark.parametrize(
    ("secret_id", "name", "key", "changes"),
    [
        ("s-2", "n", KEY, {}),
        ("s-1", "m", KEY, {}),
        ("s-1n", "", KEY, {}),
        ("s-1", "n", bytes(32), {}),
        ("s-1", "n", KEY, {"key_id": Cipher(bytes(32)).key_id}),
        ("s-1", "n", KEY, {"ciphertext": b""}),
        ("s-1", "n", KEY, {"wrapped_key": b""}),
        ("s-1", "n", KEY, {"wrapped_key": bytes(60)}),
    ],
)
def test_nothing_else_unseals_it(secret_id, name, key, changes):
    sealed = Cipher(KEY).seal("s-1", "n", {"k": CANARY})._replace(**changes)
    with pytest.raises(GatewayError) as caught:
        Cipher(key).unseal(secret_id, name, sealed)
    assert caught.value.code is Code.DATA_LOSS
    assert CANARY not in str(caught.value)


@given(st.integers(min_value=0), st.integers(min_value=0, max_value=7), st.sampled_from(["ciphertext", "wrapped_key"]))
def test_no_bit_can_be_changed(place, bit, part):
    sealed = Cipher(KEY).seal("s-1", "n", {"k": "v"})
    data = bytearray(getattr(sealed, part))
    data[place % len(data)] ^= 1 << bit
    with pytest.raises(GatewayError):
        Cipher(KEY).unseal("s-1", "n", sealed._replace(**{part: bytes(data)}))


def test_a_key_id_is_short_and_tells_keys_apart():
    assert Cipher(KEY).key_id == Cipher(KEY).key_id
    assert Cipher(KEY).key_id != Cipher(bytes(32)).key_id
    assert len(Cipher(KEY).key_id) == 16
    assert KEY.hex() not in repr(Cipher(KEY)) + Cipher(KEY).key_id


def forms(text):
    raw = text.encode()
    yield raw
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for shift in range(3):
        # Base64 groups three bytes: the same text looks different at each of three places.
        encoded = base64.b64encode(bytes(shift) + raw)
        yield encoded[4 if shift else 0 : len(encoded) // 4 * 4 - 4]


def test_the_value_is_in_no_file_log_error_or_repr(path, make, caplog):
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


def test_a_removed_secret_leaves_no_ciphertext_behind(path, make):
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
