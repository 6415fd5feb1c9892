"""Execution by the driver, with the same results as execution by SQLAlchemy."""

from __future__ import annotations

import pytest
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from gateway_entities.server.store.sql import execute
from gateway_entities.server.store.sql.schema import wrapped_keys

ADD = insert(wrapped_keys)
COLUMNS = (wrapped_keys.c.name, wrapped_keys.c.wrapped_key)
GREATER = select(*COLUMNS).where(wrapped_keys.c.name > bindparam("name")).order_by(wrapped_keys.c.name)
PAGE = GREATER.limit(bindparam("most"))


def key(name):
    return {"name": name, "wrapped_key": b"\0" + name.encode(), "key_id": "k"}


@pytest.fixture
def connection(store):
    with store._database.write() as connection:
        connection.exec_driver_sql("DELETE FROM wrapped_keys")
        execute.run_each(connection, ADD, [key("a"), key("b"), key("c")])
        yield connection


def test_values_are_not_converted(connection):
    assert execute.rows(connection, GREATER, {"name": "a"}) == [("b", b"\0b"), ("c", b"\0c")]
    assert execute.rows(connection, PAGE, {"name": "", "most": 2}) == [("a", b"\0a"), ("b", b"\0b")]
    assert execute.row(connection, PAGE, {"name": "b", "most": 1}) == ("c", b"\0c")
    assert execute.row(connection, PAGE, {"name": "c", "most": 1}) is None


def test_statements_set_the_columns_in_the_parameters(connection):
    of_one = update(wrapped_keys).where(wrapped_keys.c.name == bindparam("of"))
    assert execute.run(connection, of_one, {"of": "a", "key_id": "other"}) == 1
    assert execute.run(connection, of_one, {"of": "b", "wrapped_key": b"new"}) == 1
    assert execute.run(connection, of_one, {"of": "d", "key_id": "other"}) == 0
    rows = execute.rows(connection, select(*COLUMNS, wrapped_keys.c.key_id).order_by(wrapped_keys.c.name))
    assert rows == [("a", b"\0a", "other"), ("b", b"new", "k"), ("c", b"\0c", "k")]


def test_errors_are_those_of_sqlalchemy(connection):
    with connection.begin_nested() as here:
        with pytest.raises(IntegrityError) as ours:
            execute.run(connection, ADD, key("a"))
        here.rollback()
    with connection.begin_nested() as here:
        with pytest.raises(IntegrityError) as sqlalchemys:
            connection.execute(ADD, key("a"))
        here.rollback()
    assert type(ours.value.orig) is type(sqlalchemys.value.orig)
    assert str(ours.value.orig) == str(sqlalchemys.value.orig)
    assert not ours.value.connection_invalidated


def test_a_missing_parameter_is_an_error(connection):
    with connection.begin_nested() as here:
        with pytest.raises(DBAPIError):
            execute.rows(connection, PAGE, {"name": "a"})
        here.rollback()


def test_errors_contain_no_sql(connection):
    with connection.begin_nested() as here:
        with pytest.raises(IntegrityError) as caught:
            execute.run_each(connection, ADD, [key("d"), key("a")])
        here.rollback()
    assert "INSERT" not in str(caught.value)
