"""A clock that has jumped stops writes on SQLite, until it is right again or accepted; PostgreSQL's is the store's."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

from gateway_entities.errors import Code, GatewayError
from gateway_entities.server.rpc.auth import Authenticator, Credentials
from gateway_entities.server.store import open_store
from gateway_entities.server.store.admin.clock import accept_clock
from gateway_entities.server.store.admin.token_manager import open_tokens
from gateway_entities.server.store.open import find_database
from gateway_entities.server.store.repositories.token import AccessScope
from gateway_entities.server.store.sql.clock import TOLERANCE_MS, MachineClock

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
START = 1_800_000_000_000


@dataclass
class Machine:
    """A machine's clocks, in milliseconds."""

    wall: int = START
    boot: int = 5 * HOUR
    boot_id: str = "first"

    def clock(self) -> MachineClock:
        return MachineClock(lambda: self.wall, lambda: self.boot, self.boot_id)

    def pass_time(self, milliseconds: int) -> None:
        self.wall += milliseconds
        self.boot += milliseconds

    def reboot(self, off: int = 0) -> None:
        self.boot, self.wall, self.boot_id = 0, self.wall + off, self.boot_id + "+"


@pytest.fixture
def machine():
    return Machine()


@pytest.fixture
def opened(path, machine):
    """A function that opens the store on the machine, as another process does."""
    stores = []

    def opened():
        stores.append(open_store(f"sqlite:///{path}", clock=machine.clock()))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


def accept(path, machine) -> int:
    database = find_database(f"sqlite:///{path}")
    database.clock = machine.clock()
    try:
        return accept_clock(database)
    finally:
        database.dispose()


def write(store) -> int:
    """Store a response, as a change with a request_id does; return its time."""
    with store.write() as transaction:
        transaction.stored_responses.add(f"r{time.perf_counter_ns()}", b"", b"", transaction.now)
        return transaction.now


def read(store) -> int:
    with store.read() as transaction:
        return transaction.now


def assert_refused(attempt, *arguments) -> str:
    with pytest.raises(GatewayError) as caught:
        attempt(*arguments)
    assert (caught.value.code, caught.value.reason) == (Code.FAILED_PRECONDITION, "CLOCK_JUMP")
    assert "gateway-entities db clock accept" in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("step", [-40 * DAY, -TOLERANCE_MS - 1, TOLERANCE_MS + 1, 40 * DAY])
def test_a_step_of_more_than_a_minute_refuses_writes_until_the_clock_is_right_again(opened, machine, step):
    store = opened()
    assert write(store) == START
    machine.pass_time(HOUR)
    machine.wall += step
    message = assert_refused(write, store)
    assert f"{abs(step) // 1000} seconds {'ahead of' if step > 0 else 'behind'} the store's time" in message
    assert_refused(store.ping)
    # The time goes on as it was, so that budgets are checked in the current windows.
    assert read(store) == START + HOUR
    machine.wall -= step
    store.ping()
    assert write(store) == START + HOUR


@pytest.mark.parametrize("step", [-1000, 1000, TOLERANCE_MS])
def test_steps_of_a_time_service_are_followed(opened, machine, step):
    store = opened()
    for number in range(1, 6):
        machine.wall += step
        assert write(store) == START + number * step
    # They are stored, so that they do not add up to a jump at the next start.
    store.close()
    assert write(opened()) == START + 5 * step


def test_suspension_is_no_step(opened, machine):
    store = opened()
    machine.pass_time(30 * DAY)
    assert write(store) == START + 30 * DAY


def test_an_accepted_clock_is_used_by_running_servers(opened, path, machine):
    first, second = opened(), opened()
    write(first)
    machine.wall += 40 * DAY
    for store in (first, second):
        assert_refused(write, store)
    assert accept(path, machine) == START + 40 * DAY
    for store in (first, second):
        store.ping()
        assert write(store) == START + 40 * DAY
    # Back again is another step.
    machine.wall -= 40 * DAY
    for store in (first, second):
        assert_refused(write, store)
    accept(path, machine)
    machine.pass_time(1000)
    for store in (first, second):
        assert write(store) == START + 1000


def test_a_clock_that_is_accepted_for_another_time_stays_refused(opened, path, machine):
    store = opened()
    machine.wall += DAY
    accept(path, machine)
    machine.wall += DAY
    assert_refused(write, store)


@pytest.mark.parametrize("step", [-40 * DAY, 25 * HOUR])
def test_a_step_between_two_starts_is_found(opened, machine, step):
    store = opened()
    write(store)
    store.close()
    machine.pass_time(HOUR)
    machine.wall += step
    store = opened()
    assert_refused(write, store)
    assert_refused(store.ping)
    assert read(store) == START + HOUR
    machine.wall -= step
    assert write(store) == START + HOUR


def test_the_time_in_which_a_machine_was_off_is_no_step(opened, machine):
    store = opened()
    write(store)
    store.close()
    machine.reboot(off=7 * DAY)
    assert write(opened()) == START + 7 * DAY


@pytest.mark.parametrize("boot_id", ["first+", ""])
def test_a_clock_behind_the_newest_row_after_a_boot_refuses_writes(opened, path, machine, boot_id):
    machine.boot_id = "first" if boot_id else ""
    store = opened()
    write(store)
    store.close()
    machine.reboot(off=-TOLERANCE_MS - 1)
    machine.boot_id = boot_id
    store = opened()
    assert "60 seconds behind the store's time" in assert_refused(write, store)
    assert_refused(store.ping)
    machine.pass_time(1)
    assert write(store) == machine.wall
    store.close()


@pytest.mark.parametrize("boot_id", ["first", ""])
def test_rows_ahead_of_an_accepted_clock_stay_accepted(opened, path, machine, boot_id):
    machine.boot_id = boot_id
    store = opened()
    write(store)
    store.close()
    machine.reboot(off=-40 * DAY)
    machine.boot_id = boot_id and machine.boot_id
    store = opened()
    assert_refused(write, store)
    accept(path, machine)
    assert write(store) == START - 40 * DAY
    store.close()
    for _ in range(2):
        machine.reboot(off=HOUR)
        machine.boot_id = boot_id and machine.boot_id
        store = opened()
        write(store)
        store.close()


@pytest.mark.parametrize(
    "row",
    [
        "INSERT INTO changes (revision, position, changed_at, rpc, noun, id) VALUES (1, 0, {at}, 'r', 'n', 'i')",
        "INSERT INTO answers VALUES ('r', '', '', {at})",
        "INSERT INTO budget_charges VALUES ('r', '', '[]', {at})",
        "INSERT INTO budget_reservations VALUES ('b', 'r', '', 'e', 'w', NULL, NULL, 1, 1, 1, NULL, '[]', {at}, {at}, NULL)",
        "INSERT INTO budget_reservations VALUES ('b', 'r', '', 'e', 'w', NULL, NULL, 1, 1, 2, 1, '[]', 0, 0, {at})",
    ],
)
def test_every_kind_of_newest_row_counts(opened, path, machine, row):
    store = opened()
    store.close()
    database = find_database(f"sqlite:///{path}")
    for at, refused in ((START + TOLERANCE_MS, False), (START + TOLERANCE_MS + 1, True)):
        with database.write() as connection:
            for table in ("changes", "answers", "budget_charges", "budget_reservations"):
                connection.exec_driver_sql(f"DELETE FROM {table}")
            connection.exec_driver_sql(row.format(at=at))
        store = opened()
        if refused:
            assert_refused(store.ping)
        else:
            store.ping()
        store.close()
    database.dispose()


def test_a_token_can_be_revoked_but_not_created_while_the_clock_is_wrong(opened, path, machine):
    url = f"sqlite:///{path}"
    opened()
    with open_tokens(url) as manager:
        manager._database.clock = machine.clock()
        manager.create("alice", AccessScope.ADMIN)
        machine.wall += DAY
        assert_refused(manager.create, "bob", AccessScope.ADMIN)
        assert manager.revoke("alice").revoked_at == START


def test_no_token_is_pruned_while_the_clock_is_wrong(opened, path, machine):
    opened()
    with open_tokens(f"sqlite:///{path}") as manager:
        manager._database.clock = machine.clock()
        manager.create("ci", AccessScope.READ, HOUR)
        machine.wall += 400 * DAY
        assert_refused(manager.prune)
        assert [token.name for token in manager.list()] == ["ci"]


def test_a_token_expires_by_the_clock_of_the_store(opened, path, machine):
    store = opened()
    with open_tokens(f"sqlite:///{path}") as manager:
        manager._database.clock = machine.clock()
        text = manager.create("ci", AccessScope.READ, HOUR).text
    credentials = Credentials((f"Bearer {text}",))
    assert Authenticator(store, required=True).authenticate(credentials, AccessScope.READ).name == "ci"
    machine.pass_time(HOUR)
    with pytest.raises(GatewayError) as caught:
        Authenticator(store, required=True).authenticate(credentials, AccessScope.READ)
    assert caught.value.reason == "TOKEN_EXPIRED"


def test_the_clock_of_postgresql_is_the_stores(postgresql_place):
    store = postgresql_place.open()
    before = postgresql_place.execute("SELECT extract(epoch FROM clock_timestamp()) * 1000")[0][0]
    found = [write(store), read(store)]
    after = postgresql_place.execute("SELECT extract(epoch FROM clock_timestamp()) * 1000")[0][0]
    assert int(before) <= found[0] <= found[1] <= after
    with store.write() as transaction:
        assert transaction.now == transaction.now
    store.close()


def test_a_write_on_postgresql_has_the_time_after_its_wait_for_the_lock(postgresql_place):
    store, other = postgresql_place.open(), postgresql_place.open()
    with store.write() as first:
        assert first.now == first.now
        with other.read() as reading:
            later = reading.now
    assert write(other) >= later
    store.close()
    other.close()


def test_the_clock_of_postgresql_needs_no_acceptance(postgresql_place):
    postgresql_place.open().close()
    database = find_database(postgresql_place.url)
    with pytest.raises(GatewayError, match="nothing to accept") as caught:
        accept_clock(database)
    assert caught.value.code is Code.FAILED_PRECONDITION
    database.dispose()


def test_the_clocks_of_this_machine_agree(sqlite_store):
    now = time.time() * 1000
    assert now - 1 <= write(sqlite_store) <= now + 10_000
    sqlite_store.ping()
