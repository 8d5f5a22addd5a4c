"""Errors of SQLite, and what they become here."""

import sqlite3

import pytest

from pixy_grpc.core.exceptions import (
    ConstraintViolationError,
    DBConnectionError,
    ImageException,
    RecordNotFoundError,
    StorageFullError,
    TransactionConflictError,
)
from pixy_grpc.data.sqlite import SqliteDatabase
from tests.integration.data.examples import soon


def _raise(code: int) -> sqlite3.OperationalError:
    """Return the error that sqlite3 raises for a result code."""
    error = sqlite3.OperationalError("what SQLite says")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["CONSTRAINT", "CONSTRAINT_UNIQUE", "CONSTRAINT_PRIMARYKEY"], ConstraintViolationError),
        (["FULL"], StorageFullError),
        (["BUSY", "BUSY_SNAPSHOT", "BUSY_RECOVERY", "LOCKED"], TransactionConflictError),
        (["CANTOPEN", "CORRUPT", "IOERR", "IOERR_FSYNC", "NOTADB"], DBConnectionError),
        (["PERM", "READONLY", "READONLY_DBMOVED", "PROTOCOL", "INTERRUPT"], DBConnectionError),
    ],
)
def test_error_of_sqlite_becomes_ours(
    database: SqliteDatabase, codes: list[str], expected: type[ImageException]
) -> None:
    """By its primary code, with the cause kept and without its text."""
    for code in codes:
        cause = _raise(getattr(sqlite3, f"SQLITE_{code}"))

        with pytest.raises(expected) as raised, database.read(soon()):
            raise cause

        assert raised.value.__cause__ is cause
        assert "SQLite" not in raised.value.message


@pytest.mark.parametrize("code", ["ERROR", "MISMATCH", "RANGE", "TOOBIG", "MISUSE"])
def test_fault_of_ours_is_not_translated(database: SqliteDatabase, code: str) -> None:
    """It is no outage: whoever reads the log has to see what it was."""
    cause = _raise(getattr(sqlite3, f"SQLITE_{code}"))

    with pytest.raises(sqlite3.OperationalError) as raised, database.read(soon()):
        raise cause

    assert raised.value is cause


@pytest.mark.parametrize(
    "sql",
    ["SELECT nothing FROM images", "SELEKT 1", "SELECT :missing"],
)
def test_mistake_in_sql_is_not_swallowed(database: SqliteDatabase, sql: str) -> None:
    with pytest.raises(sqlite3.Error), database.read(soon()) as session:
        session.query(sql, {})


def test_error_behind_a_change_undoes_it(database: SqliteDatabase) -> None:
    """Whatever ends the block, if it is no error of SQLite too."""
    with (  # noqa: PT012 - the block is the transaction
        pytest.raises(RecordNotFoundError),
        database.write(soon()) as session,
    ):
        session.execute("INSERT INTO store (id, store_id) VALUES (1, 'x')", {})
        raise RecordNotFoundError("no such image")

    with database.read(soon()) as session:
        assert session.query("SELECT * FROM store", {}) == []
