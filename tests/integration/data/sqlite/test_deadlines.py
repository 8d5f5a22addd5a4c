"""However long SQLite would take, a call ends, and leaves nothing behind."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    ConstraintViolationError,
    DBConnectionError,
    DeadlineTooShortError,
    ImageException,
    TransactionConflictError,
)
from pixy_grpc.data.repository import SqlImageRepository
from pixy_grpc.data.sqlite import SqliteDatabase
from tests.integration.data.examples import add, soon
from tests.integration.data.sqlite.intruding import ENDLESS, other_connection, other_writer
from tests.support.stopwatch import Stopwatch


def test_connect_to_a_locked_file_ends_by_its_deadline(tmp_path: Path) -> None:
    """Opening waits no longer than the call that needs the connection."""
    path = tmp_path / "locked.db"
    with (
        other_connection(path) as other,
        closing(SqliteDatabase(path)) as database,
    ):
        other.execute("CREATE TABLE t (x)")
        other.execute("BEGIN EXCLUSIVE")
        watch = Stopwatch()

        with pytest.raises(TransactionConflictError), database.read(Deadline.after(0.2)):
            pass

        assert watch.seconds < 1.2
        other.execute("ROLLBACK")


@pytest.mark.parametrize(
    ("from_caller", "expected"), [(True, DeadlineTooShortError), (False, DBConnectionError)]
)
def test_statement_past_its_deadline_is_interrupted(
    database: SqliteDatabase, expected: type[ImageException], *, from_caller: bool
) -> None:
    watch = Stopwatch()

    with (
        pytest.raises(expected),
        database.read(Deadline.after(0.2, from_caller=from_caller)) as session,
    ):
        session.query(ENDLESS, {})

    assert watch.seconds < 1.2


def test_interrupted_write_changes_nothing(
    database: SqliteDatabase, repository: SqlImageRepository
) -> None:
    """What came before in the transaction is undone, and the lock given up."""
    with (  # noqa: PT012 - the block is the transaction
        pytest.raises(DBConnectionError),
        database.write(Deadline.after(0.2)) as session,
    ):
        session.execute("INSERT INTO store (id, store_id) VALUES (1, 'x')", {})
        session.query(ENDLESS, {})

    with database.read(soon()) as session:
        assert session.query("SELECT * FROM store", {}) == []
    add(repository)


def test_deadline_of_one_call_does_not_reach_the_next(database: SqliteDatabase) -> None:
    """A connection is as good after a short deadline as before."""
    short = Deadline.after(0.05)
    with database.read(short) as first:
        pass
    while short.remaining():
        threading.Event().wait(0.01)

    with database.read(soon()) as second:
        rows = second.query(ENDLESS.replace("FROM numbers)", "FROM numbers LIMIT 300000)"), {})

    assert first is second
    assert rows == [{"n": 300_000}]


@pytest.mark.parametrize(
    ("from_caller", "expected"), [(True, DeadlineTooShortError), (False, DBConnectionError)]
)
def test_borrow_from_an_exhausted_pool_ends_by_its_deadline(
    database: SqliteDatabase, expected: type[ImageException], *, from_caller: bool
) -> None:
    """And the next one, once a connection is back, works."""
    with database.read(soon()), database.read(soon()):
        watch = Stopwatch()
        with (
            pytest.raises(expected),
            database.read(Deadline.after(0.2, from_caller=from_caller)),
        ):
            pass
        assert watch.seconds < 1.2

    with database.read(Deadline.after(1)):
        pass


def test_failed_calls_give_their_place_back(
    path: Path, database: SqliteDatabase, repository: SqlImageRepository
) -> None:
    """However calls end, both connections can be lent afterwards."""
    added = add(repository)
    for _ in range(3):
        with pytest.raises(ConstraintViolationError):
            add(repository, guid=added.image.guid)
        with pytest.raises(sqlite3.OperationalError), database.write(soon()) as session:
            session.execute("INSERT INTO images (nothing) VALUES (1)", {})
        with pytest.raises(KeyError), database.read(soon()):
            raise KeyError
        with other_writer(path), pytest.raises(TransactionConflictError):
            repository.delete(added.image.guid, Deadline.after(0.01))

    with database.read(soon()) as first, database.read(soon()) as second:
        assert first.query("SELECT 1 AS one", {}) == second.query("SELECT 1 AS one", {})
