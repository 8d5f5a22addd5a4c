"""Walks the table of error numbers, as a server sends them where it can."""

import pymysql
import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    ConstraintViolationError,
    DBConnectionError,
    DeadlineTooShortError,
    ImageException,
    RecordNotFoundError,
    StorageFullError,
    TransactionConflictError,
)
from pixy_grpc.data.mysql import MySQLDatabase
from pixy_grpc.data.mysql.errors import KINDS, Kind, translate, translate_read
from tests.integration.data.examples import soon

EXPECTED = {
    Kind.TAKEN: ConstraintViolationError,
    Kind.CONFLICT: TransactionConflictError,
    Kind.FULL: StorageFullError,
    Kind.LATE: DBConnectionError,
    Kind.REFUSED: DBConnectionError,
    Kind.LOST: DBConnectionError,
}

OF_A_SERVER = [number for number in KINDS if 1000 <= number < 2000 or number >= 3000]

NO_SPACE = 'Got error 28 "No space left on device" from storage engine InnoDB'

SIGNAL = "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = {}, MESSAGE_TEXT = :message"


@pytest.mark.parametrize("number", OF_A_SERVER)
def test_error_of_a_server_in_a_write_becomes_ours(database: MySQLDatabase, number: int) -> None:
    """With its cause; the change before it is undone, and the next call works."""
    with pytest.raises(EXPECTED[KINDS[number]]) as caught:
        _fail(database, number)

    assert isinstance(caught.value.__cause__, pymysql.Error)
    assert _stores(database) == 0


@pytest.mark.parametrize("number", OF_A_SERVER)
def test_error_of_a_server_in_a_read_is_unavailability(
    database: MySQLDatabase, number: int
) -> None:
    """A read has no conflicts, no rows in its way, and nothing to find room for."""
    with pytest.raises(DBConnectionError), database.read(soon()) as session:
        session.execute(SIGNAL.format(number), {"message": NO_SPACE})

    assert _stores(database) == 0


@pytest.mark.parametrize("number", KINDS)
def test_error_of_the_driver_becomes_ours(number: int) -> None:
    ours = translate(pymysql.OperationalError(number, NO_SPACE), soon())

    assert type(ours) is EXPECTED[KINDS[number]]


@pytest.mark.parametrize("number", [3, 1026, 1030])
def test_failed_write_that_names_another_cause_is_not_a_full_disk(number: int) -> None:
    error = pymysql.OperationalError(number, 'Got error 5 "Input/output error"')

    assert translate(error, soon()) is None


@pytest.mark.parametrize(
    "error",
    [
        pymysql.OperationalError(1064, "You have an error in your SQL syntax"),
        pymysql.DataError(1406, "Data too long"),
        pymysql.ProgrammingError("not all arguments converted"),
        pymysql.Error(),
    ],
)
def test_fault_of_ours_is_not_translated(error: pymysql.Error) -> None:
    assert translate(error, soon()) is None
    assert translate_read(error, soon()) is None


def test_fault_of_ours_is_raised_as_it_is(database: MySQLDatabase) -> None:
    """And the connection it came over is good for the next call."""
    with pytest.raises(pymysql.ProgrammingError), database.read(soon()) as session:
        session.query("SELECT from", {})

    assert _stores(database) == 0


def test_other_errors_pass_and_undo_the_change(database: MySQLDatabase) -> None:
    with pytest.raises(RecordNotFoundError):
        _insert_and_raise(database, RecordNotFoundError("no such image"))
    with pytest.raises(KeyboardInterrupt):
        _insert_and_raise(database, KeyboardInterrupt())

    assert _stores(database) == 0


@pytest.mark.parametrize("number", [2013, 1969])
def test_loss_past_the_callers_deadline_is_the_callers(number: int) -> None:
    error = pymysql.OperationalError(number, "Lost connection")

    with pytest.raises(DeadlineTooShortError):
        translate(error, Deadline.after(0, from_caller=True))


def test_loss_past_a_cap_of_ours_is_unavailability() -> None:
    ours = translate(pymysql.OperationalError(2013, "Lost connection"), Deadline.after(0))

    assert type(ours) is DBConnectionError


def _fail(database: MySQLDatabase, number: int) -> None:
    with database.write(soon()) as session:
        session.execute("INSERT INTO store (id, store_id) VALUES (1, 'x')", {})
        session.execute(SIGNAL.format(number), {"message": NO_SPACE})


def _insert_and_raise(database: MySQLDatabase, error: ImageException | KeyboardInterrupt) -> None:
    with database.write(soon()) as session:
        session.execute("INSERT INTO store (id, store_id) VALUES (1, 'x')", {})
        raise error


def _stores(database: MySQLDatabase) -> int:
    with database.read(soon()) as session:
        return len(session.query("SELECT store_id FROM store", {}))
