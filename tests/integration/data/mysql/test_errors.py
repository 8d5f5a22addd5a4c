"""Walks the table of error numbers, as a server sends them where it can."""

import pymysql
import pytest
from pymysql.constants import CR, ER

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
from pixy_grpc.data.mysql.errors import KINDS, UNREACHABLE, translate, translate_read
from tests.integration.data.examples import soon

TAKEN = {ER.DUP_KEY, ER.DUP_ENTRY, ER.DUP_UNIQUE, ER.CONSTRAINT_FAILED, 1586, 3819}
CONFLICT = {
    *(ER.CHECKREAD, ER.LOCK_WAIT_TIMEOUT, ER.LOCK_DEADLOCK, ER.TABLE_DEF_CHANGED),
    *(1614, 3101, 3572),
}
FULL = {ER.DISK_FULL, ER.ERROR_ON_WRITE, ER.GET_ERRNO, ER.RECORD_FILE_FULL, 3, 20}
LATE = {ER.STATEMENT_TIMEOUT, ER.QUERY_TIMEOUT}
REFUSED = {
    *(ER.OUTOFMEMORY, ER.OUT_OF_SORTMEMORY, ER.OUT_OF_RESOURCES, ER.LOCK_TABLE_FULL),
    *(ER.CON_COUNT_ERROR, ER.TOO_MANY_USER_CONNECTIONS, ER.USER_LIMIT_REACHED),
    *(ER.BAD_HOST_ERROR, ER.HANDSHAKE_ERROR, ER.HOST_IS_BLOCKED, ER.HOST_NOT_PRIVILEGED),
    *(ER.DBACCESS_DENIED_ERROR, ER.ACCESS_DENIED_ERROR, ER.TABLEACCESS_DENIED_ERROR),
    *(ER.COLUMNACCESS_DENIED_ERROR, ER.NO_DB_ERROR, ER.BAD_DB_ERROR, ER.NO_SUCH_TABLE),
    *(ER.UNKNOWN_COM_ERROR, ER.CANT_CREATE_THREAD, ER.ERROR_DURING_COMMIT),
    *(ER.OPTION_PREVENTS_STATEMENT, ER.QUERY_INTERRUPTED),
    *(1637, 1698, 1792, 1836, 3032, 3118, 3168, 4151),
}
LOST = {
    *(ER.SERVER_SHUTDOWN, ER.SHUTDOWN_COMPLETE, ER.FORCING_CLOSE, ER.ABORTING_CONNECTION),
    *(ER.NET_READ_ERROR, ER.NET_READ_INTERRUPTED, ER.NET_ERROR_ON_WRITE),
    *(ER.NET_WRITE_INTERRUPTED, ER.NEW_ABORTING_CONNECTION, 1927, 4031),
    *(CR.CR_CONNECTION_ERROR, CR.CR_CONN_HOST_ERROR, CR.CR_UNKNOWN_HOST),
    *(CR.CR_SERVER_GONE_ERROR, CR.CR_SERVER_HANDSHAKE_ERR, CR.CR_SERVER_LOST),
    *(CR.CR_COMMANDS_OUT_OF_SYNC, CR.CR_SSL_CONNECTION_ERROR, CR.CR_MALFORMED_PACKET),
    *(CR.CR_SERVER_LOST_EXTENDED, CR.CR_AUTH_PLUGIN_CANNOT_LOAD, CR.CR_AUTH_PLUGIN_ERR, 0),
}
"""By the names that PyMySQL has for them, else by number: said a second time, so that a
line of the table that is lost or wrong is missed here."""

EXPECTED: dict[int, type[ImageException]] = {
    **dict.fromkeys(TAKEN, ConstraintViolationError),
    **dict.fromkeys(CONFLICT, TransactionConflictError),
    **dict.fromkeys(FULL, StorageFullError),
    **dict.fromkeys(LATE | REFUSED | LOST, DBConnectionError),
}

OF_A_SERVER = sorted(each for each in EXPECTED if 1000 <= each < 2000 or each >= 3000)

NO_SPACE = 'Got error 28 "No space left on device" from storage engine InnoDB'

SIGNAL = "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = {}, MESSAGE_TEXT = :message"


def test_table_has_no_number_that_is_not_expected() -> None:
    assert KINDS.keys() == EXPECTED.keys()


@pytest.mark.parametrize("number", OF_A_SERVER)
def test_error_of_a_server_in_a_write_becomes_ours(database: MySQLDatabase, number: int) -> None:
    """With its cause; the change before it is undone, and the next call works.

    A connection that was refused or lost is not used again: behind a balancer the next
    one may reach a server that serves.
    """
    before = _connection_id(database)

    with pytest.raises(EXPECTED[number]) as caught:
        _fail(database, number)

    assert isinstance(caught.value.__cause__, pymysql.Error)
    assert _stores(database) == 0
    assert (_connection_id(database) != before) is (number in REFUSED | LOST)


@pytest.mark.parametrize("number", OF_A_SERVER)
def test_error_of_a_server_in_a_read_is_unavailability(
    database: MySQLDatabase, number: int
) -> None:
    """A read has no conflicts, no rows in its way, and nothing to find room for."""
    with pytest.raises(DBConnectionError), database.read(soon()) as session:
        session.execute(SIGNAL.format(number), {"message": NO_SPACE})

    assert _stores(database) == 0


@pytest.mark.parametrize("number", EXPECTED)
def test_error_of_the_driver_becomes_ours(number: int) -> None:
    ours = translate(pymysql.OperationalError(number, NO_SPACE), soon())

    assert ours
    assert type(ours) is EXPECTED[number]
    assert (ours.message == UNREACHABLE) is (number in REFUSED | LOST)


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
    before = _connection_id(database)

    with pytest.raises(pymysql.ProgrammingError), database.read(soon()) as session:
        session.query("SELECT from", {})

    assert _connection_id(database) == before


@pytest.mark.parametrize(
    ("error", "is_kept"),
    [(RecordNotFoundError("no such image"), True), (KeyboardInterrupt(), False)],
)
def test_other_errors_pass_and_undo_the_change(
    database: MySQLDatabase, error: ImageException | KeyboardInterrupt, *, is_kept: bool
) -> None:
    """Nobody knows what is on a connection that was interrupted: it is not used again."""
    before = _connection_id(database)

    with pytest.raises(type(error)):
        _insert_and_raise(database, error)

    assert _stores(database) == 0
    assert (_connection_id(database) == before) is is_kept


@pytest.mark.parametrize("number", sorted(LOST | LATE))
def test_loss_past_the_callers_deadline_is_the_callers(number: int) -> None:
    error = pymysql.OperationalError(number, "Lost connection")

    with pytest.raises(DeadlineTooShortError):
        translate(error, Deadline.after(0, from_caller=True))


@pytest.mark.parametrize("number", sorted(EXPECTED.keys() - LOST - LATE))
def test_other_error_past_the_callers_deadline_is_told(number: int) -> None:
    """The server has answered: what it said is worth more than that it was late."""
    error = pymysql.OperationalError(number, NO_SPACE)

    assert type(translate(error, Deadline.after(0, from_caller=True))) is EXPECTED[number]


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


def _connection_id(database: MySQLDatabase) -> object:
    with database.read(soon()) as session:
        return session.query("SELECT CONNECTION_ID() AS id", {})[0]["id"]
