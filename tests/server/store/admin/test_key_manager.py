"""Check and rotation of a store's keys, while the store is in use."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.methods import CREATE_GATEWAY_SECRET, GET_GATEWAY_SECRET_INFO, UPDATE_GATEWAY_SECRET
from gateway_entities.server.store.admin.key_manager import open_keys
from gateway_entities.server.store.crypto.key_sources import KeyFile, KeyVariable
from tests import profiles
from tests.calls import call
from tests.server.store.repositories.test_secret import to_first_version

EVIL = '{"api_base": "https://evil.example"}'
CLI = [sys.executable, "-m", "gateway_entities.cli"]


def quiet(_done, _total):
    pass


class Keys:
    """The key files of a test, and operations on a store with some of them."""

    def __init__(self, place, folder):
        self.place = place
        self.folder = folder
        self.old = self.make("old")
        self.new = self.make("new")

    def make(self, name):
        source = KeyFile(self.folder / f"{name}.key")
        self.ids = {**getattr(self, "ids", {}), name: source.create(name).id}
        return source

    def opened(self, *sources):
        return self.place.open(keys=sources, busy_timeout=10)

    def fill(self, make, count, *sources):
        store = self.opened(*sources)
        with store.write() as transaction:
            for number in range(count):
                transaction.secrets.add(make.secret(number), {"k": f"v{number}"})
        store.close()

    def rotate(self, *sources, progress=quiet):
        with open_keys(self.place.url, sources) as manager:
            return manager.rotate(progress)

    def check(self, *sources, progress=quiet):
        with open_keys(self.place.url, sources) as manager:
            return manager.check(progress)

    def counts(self):
        tables = ("secrets", "wrapped_keys")
        return {table: dict(self.place.execute(f"SELECT key_id, count(*) FROM {table} GROUP BY key_id")) for table in tables}


@pytest.fixture
def keys(place, tmp_path):
    return Keys(place, tmp_path)


def values(store):
    with store.read() as transaction:
        return {info.secret_id: transaction.secrets.reveal(info.secret_id) for info in transaction.secrets.list()}


def test_a_rotation_rewrites_only_the_wrapped_keys(keys, place, make):
    keys.fill(make, 120, keys.old)
    columns = "secret_id, secret_name, ciphertext, masked_values, created_at, last_updated_at"
    unchanged = f"SELECT {columns} FROM secrets ORDER BY secret_id"
    before, wrapped = place.execute(unchanged), place.execute("SELECT wrapped_key FROM secrets")
    seen = []
    rotation = keys.rotate(keys.new, keys.old, progress=lambda done, total: seen.append((done, total)))
    assert (rotation.rewrapped, rotation.unreadable, rotation.remaining) == (121, [], {})
    assert rotation.key.id == keys.ids["new"]
    assert seen[-1] == (121, 121)
    assert len(seen) > 2
    assert place.execute(unchanged) == before
    assert not set(wrapped) & set(place.execute("SELECT wrapped_key FROM secrets"))
    assert keys.counts() == {"secrets": {keys.ids["new"]: 120}, "wrapped_keys": {keys.ids["new"]: 1}}
    store = keys.opened(keys.new)
    assert values(store) == {f"s-{number:04}": {"k": f"v{number}"} for number in range(120)}
    store.close()


def test_a_rotation_binds_values_of_the_first_version(keys, place, make):
    keys.fill(make, 5, keys.old)
    store = keys.opened(keys.old)
    with store.write() as transaction:
        for number in (1, 3):
            to_first_version(transaction, make.secret(number), {"k": f"v{number}"})
    store.close()
    report = keys.check(keys.old)
    assert (report.unbound, report.unreadable, report.rotated) == (2, [], True)
    place.execute("UPDATE secrets SET auth_config = '[' WHERE secret_id = 's-0003'")
    rotation = keys.rotate(keys.old)
    assert (rotation.rewrapped, [each.secret_id for each in rotation.unreadable]) == (1, ["s-0003"])
    place.execute("UPDATE secrets SET auth_config = '{}' WHERE secret_id = 's-0003'")
    rotation = keys.rotate(keys.new, keys.old)
    assert (rotation.rewrapped, rotation.unreadable, rotation.remaining) == (6, [], {})
    assert keys.check(keys.new).unbound == 0
    store = keys.opened(keys.new)
    assert values(store) == {f"s-{number:04}": {"k": f"v{number}"} for number in range(5)}
    store.close()


def test_a_check_reports_a_changed_api_base(keys, place, make):
    keys.fill(make, 2, keys.old)
    place.execute("UPDATE secrets SET auth_config = :changed WHERE secret_id = 's-0001'", {"changed": EVIL})
    (found,) = keys.check(keys.old).unreadable
    assert (found.secret_id, found.reason) == ("s-0001", "SECRET_UNREADABLE")
    assert "api_base" in found.message


def test_a_second_rotation_does_nothing(keys, place, make):
    keys.fill(make, 3, keys.old)
    keys.rotate(keys.new, keys.old)
    before = place.execute("SELECT wrapped_key FROM secrets")
    assert keys.rotate(keys.new, keys.old).rewrapped == 0
    assert place.execute("SELECT wrapped_key FROM secrets") == before


def test_digests_survive_a_rotation(keys, make):
    keys.fill(make, 1, keys.old)
    store = keys.opened(keys.old)
    digest = store.digest(b"request")
    store.close()
    keys.rotate(keys.new, keys.old)
    store = keys.opened(keys.new)
    assert store.digest(b"request") == digest
    store.close()


def test_an_open_store_with_both_keys_works_throughout_a_rotation(keys, make):
    keys.fill(make, 2, keys.old)
    store = keys.opened(keys.new, keys.old)
    before = values(store), store.digest(b"request")
    keys.rotate(keys.new, keys.old)
    assert (values(store), store.digest(b"request")) == before
    store.close()


def test_the_first_key_encrypts(keys, make):
    keys.fill(make, 2, keys.old)
    store = keys.opened(keys.new, keys.old)
    with store.write() as transaction:
        transaction.secrets.update(replace(make.secret(1), last_updated_at=9), {"k": "other"})
    store.close()
    assert keys.counts()["secrets"] == {keys.ids["old"]: 1, keys.ids["new"]: 1}


def test_unreadable_keys_are_reported_and_unchanged(keys, place, make):
    keys.fill(make, 3, keys.old)
    place.execute("UPDATE secrets SET wrapped_key = ciphertext WHERE secret_id = 's-0001'")
    rotation = keys.rotate(keys.new, keys.old)
    assert rotation.rewrapped == 3
    assert [(each.secret_id, each.reason) for each in rotation.unreadable] == [("s-0001", "SECRET_UNREADABLE")]
    assert rotation.remaining == {keys.ids["old"]: 1}


def test_a_rotation_requires_the_old_key(keys, make):
    keys.fill(make, 3, keys.old)
    before = keys.counts()
    with pytest.raises(GatewayError) as caught:
        keys.rotate(keys.new)
    assert (caught.value.code, caught.value.reason) == (Code.FAILED_PRECONDITION, "KEY_MISSING")
    assert f"key {keys.ids['old']} (3 of them)" in caught.value.message
    assert f"{keys.ids['new']} (new)" in caught.value.message
    assert keys.counts() == before


def test_opening_requires_all_keys_in_use(keys, make):
    keys.fill(make, 3, keys.old)
    with pytest.raises(GatewayError) as caught:
        keys.opened(keys.new)
    assert f"encrypted with key {keys.ids['old']} (3 of them), which is not configured" in caught.value.message
    assert f"{keys.new.origin} holds key {keys.ids['new']} (new)" in caught.value.message
    assert keys.counts()["secrets"] == {keys.ids["old"]: 3}


def test_a_store_without_secrets_accepts_another_key_with_a_warning(keys, caplog):
    keys.opened(keys.old).close()
    assert caplog.text == ""
    store = keys.opened(keys.new)
    assert len(store.digest(b"x")) == 32
    store.close()
    assert keys.ids["old"] in caplog.text
    assert keys.counts()["wrapped_keys"] == {keys.ids["new"]: 1}


def test_an_altered_digest_key_fails_on_opening(keys, place):
    keys.opened(keys.old).close()
    place.execute("UPDATE wrapped_keys SET name = 'digest', wrapped_key = :other", {"other": bytes(60)})
    with pytest.raises(GatewayError) as caught:
        keys.opened(keys.old)
    assert caught.value.code is Code.DATA_LOSS
    assert "wrapped_keys" in caught.value.message
    assert [each.secret_id for each in keys.check(keys.old).unreadable] == [None]


def test_a_key_may_be_needed_for_the_digest_key_only(keys, place, make):
    keys.fill(make, 1, keys.old)
    store = keys.opened(keys.new, keys.old)
    with store.write() as transaction:
        transaction.secrets.update(make.secret(0), {"k": "v"})
    store.close()
    with pytest.raises(GatewayError) as caught:
        keys.opened(keys.new)
    assert caught.value.reason == "KEY_MISSING"
    assert f"key {keys.ids['old']}, which is not configured; add it" in caught.value.message
    keys.rotate(keys.new, keys.old)
    keys.opened(keys.new).close()


def test_a_check_reports_keys_and_unreadable_values(keys, place, make):
    spare = keys.make("spare")
    keys.fill(make, 130, keys.old)
    place.execute("UPDATE secrets SET secret_name = 'renamed' WHERE secret_id = 's-0007'")
    place.execute("UPDATE secrets SET key_id = 'ffffffffffffffff' WHERE secret_id = 's-0099'")
    report = keys.check(keys.new, keys.old, spare)
    assert [(use.key_id, use.key and use.key.name, use.rows) for use in report.keys] == [
        (keys.ids["new"], "new", 0),
        (keys.ids["old"], "old", 130),
        (keys.ids["spare"], "spare", 0),
        ("ffffffffffffffff", None, 1),
    ]
    assert not report.rotated
    assert [(each.secret_id, each.reason) for each in report.unreadable] == [
        ("s-0007", "SECRET_UNREADABLE"),
        ("s-0099", "KEY_MISSING"),
    ]


def test_a_check_changes_nothing(keys, place, make):
    keys.fill(make, 3, keys.old)
    everything = "SELECT * FROM secrets ORDER BY secret_id"
    before = place.execute(everything), keys.counts()
    assert len(keys.check(keys.new).unreadable) == 4
    assert (place.execute(everything), keys.counts()) == before


def test_a_missing_store_is_not_created(tmp_path):
    source = KeyFile(tmp_path / "a.key")
    source.create()
    with pytest.raises(GatewayError) as caught, open_keys(f"sqlite:///{tmp_path}/absent.sqlite", [source]):
        pass
    assert "does not exist" in caught.value.message
    assert [path.name for path in tmp_path.iterdir()] == ["a.key"]


def test_keys_from_a_variable_and_a_file(keys, make, monkeypatch):
    keys.fill(make, 2, keys.old)
    monkeypatch.setenv("NEW_KEY", keys.new.path.read_text())
    assert keys.rotate(KeyVariable("NEW_KEY"), keys.old).rewrapped == 3


ROTATING = """
import sys
from pathlib import Path
from gateway_entities.server.store.crypto.key_sources import KeyFile
from gateway_entities.server.store.admin.key_manager import open_keys

with open_keys(sys.argv[1], [KeyFile(Path(path)) for path in sys.argv[2:]]) as manager:
    manager.rotate(lambda done, total: print(done, total, flush=True))
"""


def test_a_killed_rotation_can_be_resumed(keys, place, make):
    """Killed at any time, each row is encrypted with one of the two keys."""
    count = 500
    keys.fill(make, count, keys.old)
    expected = {f"s-{number:04}": {"k": f"v{number}"} for number in range(count)}
    command = [sys.executable, "-c", ROTATING, place.url, str(keys.new.path), str(keys.old.path)]
    partial = 0
    chance = random.Random(6)
    for _ in range(profiles.count(40, 5)):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for _ in range(chance.randrange(1, 4)):
                process.stdout.readline()
            time.sleep(chance.uniform(0, 0.02))
            process.kill()
        counts = keys.counts()["secrets"]
        partial += len(counts) == 2
        store = keys.opened(keys.new, keys.old)
        assert values(store) == expected
        store.close()
        if len(counts) == 1:
            break
    assert partial, "it was never killed during the rotation"
    assert keys.rotate(keys.new, keys.old).remaining == {}
    store = keys.opened(keys.new)
    assert values(store) == expected
    store.close()


@contextmanager
def serving(place, *arguments) -> Iterator[str]:
    command = [*CLI, "serve", "--store", place.url, "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
    assert process.returncode == 0


class Callers:
    """Threads that call a server continuously, without retries; records their last writes and failures."""

    def __init__(self, target):
        self.target = target
        self.written = {}
        self.calls = 0
        self.failed = []
        self.stopped = threading.Event()

    @contextmanager
    def running(self, works: list[Callable[..., None]]):
        threads = [threading.Thread(target=self._run, args=(work, number)) for number, work in enumerate(works)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stopped.set()
            for thread in threads:
                thread.join()

    def _run(self, work, number):
        from gateway_entities.transports.open import open_transport

        transport = open_transport(self.target)
        try:
            turn = 0
            while not self.stopped.is_set():
                work(lambda method, **fields: self._call(transport, method, fields), number, turn)
                turn += 1
        except Exception as error:
            self.failed.append(error)
        finally:
            transport.close()

    def _call(self, transport, method, fields):
        response = call(transport, method, method.request_type(**fields))
        self.calls += 1
        return response

    def write(self, call, number, turn):
        name, value = f"thread {number}, {turn}", {"k": f"{number} {turn}"}
        secret_id = call(CREATE_GATEWAY_SECRET, secret_name=name, secret_value=value).secret.secret_id
        self.written[secret_id] = value
        value = {"k": f"{number} {turn} changed"}
        call(UPDATE_GATEWAY_SECRET, secret_id=secret_id, secret_value=value)
        self.written[secret_id] = value

    def change(self, call, _number, turn):
        secret_id, value = f"s-{turn % 300:04}", {"k": f"changed in turn {turn}"}
        call(UPDATE_GATEWAY_SECRET, secret_id=secret_id, secret_value=value)
        self.written[secret_id] = value

    def read(self, call, _number, turn):
        call(GET_GATEWAY_SECRET_INFO, secret_id=f"s-{turn % 300:04}")


def test_no_request_fails_during_rotations(keys, place, make):
    """A server with both keys keeps working while the first key is changed repeatedly."""
    seconds = profiles.count(30, 1)
    keys.fill(make, 300, keys.old)
    both = ["--key-file", str(keys.new.path), "--key-file", str(keys.old.path)]
    backwards = ["--key-file", str(keys.old.path), "--key-file", str(keys.new.path)]
    rotate = [*CLI, "keys", "rotate", "--store", place.url, "--format", "json"]
    rewrapped = []
    with serving(place, *both) as target:
        callers = Callers(target)
        with callers.running([callers.write, callers.write, callers.change, callers.read, callers.read]):
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                for arguments in (both, backwards):
                    done = subprocess.run([*rotate, *arguments], capture_output=True, text=True, check=False)
                    assert done.returncode in {0, 1}, done.stderr
                    rewrapped.append(json.loads(done.stdout)["rewrapped"])
            # The writers continue until the last rotation has ended.
            last = subprocess.run([*rotate, *both], capture_output=True, text=True, check=False)
            assert last.returncode == 0, last.stdout
    assert callers.failed == []
    assert callers.calls > 20 * seconds
    assert min(rewrapped) > 0
    assert keys.counts()["secrets"].keys() == {keys.ids["new"]}
    assert keys.counts()["wrapped_keys"].keys() == {keys.ids["new"]}
    shutil.move(keys.old.path, keys.old.path.with_suffix(".gone"))
    store = keys.opened(keys.new)
    expected = {f"s-{number:04}": {"k": f"v{number}"} for number in range(300)} | callers.written
    assert values(store) == expected
    store.close()
