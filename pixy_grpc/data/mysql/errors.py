"""Turns the error numbers of MySQL, MariaDB and PyMySQL into our exceptions, in one table."""

from enum import Enum

import pymysql

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    ConstraintViolationError,
    DBConnectionError,
    ImageException,
    StorageFullError,
    TransactionConflictError,
)
from pixy_grpc.data.database import late

CONFLICT_RETRY_SECONDS = 0.5
"""When to come back after another transaction was in the way."""

UNREACHABLE = "The database is out of reach. Try again later."
COMMIT_LOST = "The database's answer to the commit is lost: read again to see what it kept."
_BUSY = "Another change was in the way; nothing was changed. Try again."
_FULL = "The database has no room left; nothing was changed."
_TAKEN = "The database holds such a row already."


class Kind(Enum):
    """What an error number means for a caller."""

    TAKEN = "a row that is there rules this one out"
    CONFLICT = "another transaction was in the way"
    FULL = "there is no room left"
    LATE = "the server gave up on a statement of ours that took too long"
    REFUSED = "the server is there, but does not serve us now"
    LOST = "the connection is gone"


KINDS: dict[int, Kind] = {
    # The numbers below 1000 are of the server's file layer.
    3: Kind.FULL,  # EE_WRITE, see _NOT_FULL
    20: Kind.FULL,  # EE_DISK_FULL
    1020: Kind.CONFLICT,  # CHECKREAD: changed since it was read
    1021: Kind.FULL,  # DISK_FULL
    1022: Kind.TAKEN,  # DUP_KEY
    1026: Kind.FULL,  # ERROR_ON_WRITE, see _NOT_FULL
    1030: Kind.FULL,  # GET_ERRNO, see _NOT_FULL
    1037: Kind.REFUSED,  # OUTOFMEMORY
    1038: Kind.REFUSED,  # OUT_OF_SORTMEMORY
    1040: Kind.REFUSED,  # CON_COUNT_ERROR: max_connections are in use
    1041: Kind.REFUSED,  # OUT_OF_RESOURCES
    1042: Kind.REFUSED,  # BAD_HOST_ERROR
    1043: Kind.REFUSED,  # HANDSHAKE_ERROR
    1044: Kind.REFUSED,  # DBACCESS_DENIED_ERROR
    1045: Kind.REFUSED,  # ACCESS_DENIED_ERROR
    1046: Kind.REFUSED,  # NO_DB_ERROR
    1047: Kind.REFUSED,  # UNKNOWN_COM_ERROR: a Galera node without quorum
    1049: Kind.REFUSED,  # BAD_DB_ERROR
    1053: Kind.LOST,  # SERVER_SHUTDOWN
    1062: Kind.TAKEN,  # DUP_ENTRY
    1079: Kind.LOST,  # SHUTDOWN_COMPLETE
    1080: Kind.LOST,  # FORCING_CLOSE
    1114: Kind.FULL,  # RECORD_FILE_FULL
    1129: Kind.REFUSED,  # HOST_IS_BLOCKED
    1130: Kind.REFUSED,  # HOST_NOT_PRIVILEGED
    1135: Kind.REFUSED,  # CANT_CREATE_THREAD
    1142: Kind.REFUSED,  # TABLEACCESS_DENIED_ERROR
    1143: Kind.REFUSED,  # COLUMNACCESS_DENIED_ERROR
    1146: Kind.REFUSED,  # NO_SUCH_TABLE: a database that is empty, or not ours
    1152: Kind.LOST,  # ABORTING_CONNECTION
    1158: Kind.LOST,  # NET_READ_ERROR
    1159: Kind.LOST,  # NET_READ_INTERRUPTED
    1160: Kind.LOST,  # NET_ERROR_ON_WRITE
    1161: Kind.LOST,  # NET_WRITE_INTERRUPTED
    1169: Kind.TAKEN,  # DUP_UNIQUE
    1180: Kind.REFUSED,  # ERROR_DURING_COMMIT
    1184: Kind.LOST,  # NEW_ABORTING_CONNECTION
    1203: Kind.REFUSED,  # TOO_MANY_USER_CONNECTIONS
    1205: Kind.CONFLICT,  # LOCK_WAIT_TIMEOUT: only the statement was rolled back
    1206: Kind.REFUSED,  # LOCK_TABLE_FULL
    1213: Kind.CONFLICT,  # LOCK_DEADLOCK; with Galera it comes at COMMIT
    1226: Kind.REFUSED,  # USER_LIMIT_REACHED
    1290: Kind.REFUSED,  # OPTION_PREVENTS_STATEMENT: read_only
    1317: Kind.REFUSED,  # QUERY_INTERRUPTED: somebody killed the statement
    1412: Kind.CONFLICT,  # TABLE_DEF_CHANGED
    1586: Kind.TAKEN,  # DUP_ENTRY_WITH_KEY_NAME
    1614: Kind.CONFLICT,  # XA_RBDEADLOCK
    1637: Kind.REFUSED,  # TOO_MANY_CONCURRENT_TRXS
    1698: Kind.REFUSED,  # ACCESS_DENIED_NO_PASSWORD_ERROR
    1792: Kind.REFUSED,  # CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
    1836: Kind.REFUSED,  # READ_ONLY_MODE
    1927: Kind.LOST,  # CONNECTION_KILLED
    1969: Kind.LATE,  # STATEMENT_TIMEOUT, of MariaDB
    3024: Kind.LATE,  # QUERY_TIMEOUT, of MySQL
    3032: Kind.REFUSED,  # SERVER_OFFLINE_MODE
    3101: Kind.CONFLICT,  # TRANSACTION_ROLLBACK_DURING_COMMIT, of group replication
    3118: Kind.REFUSED,  # ACCOUNT_HAS_BEEN_LOCKED
    3168: Kind.REFUSED,  # SERVER_ISNT_AVAILABLE
    3572: Kind.CONFLICT,  # LOCK_NOWAIT
    3819: Kind.TAKEN,  # CHECK_CONSTRAINT_VIOLATED, of MySQL
    4025: Kind.TAKEN,  # CONSTRAINT_FAILED, of MariaDB
    4031: Kind.LOST,  # CLIENT_INTERACTION_TIMEOUT
    4151: Kind.REFUSED,  # ACCOUNT_HAS_BEEN_LOCKED, of MariaDB
    # The driver's own: it is no longer, or was never, connected.
    0: Kind.LOST,
    2002: Kind.LOST,
    2003: Kind.LOST,
    2005: Kind.LOST,
    2006: Kind.LOST,
    2012: Kind.LOST,
    2013: Kind.LOST,
    2014: Kind.LOST,
    2026: Kind.LOST,
    2027: Kind.LOST,
    2055: Kind.LOST,
    2059: Kind.LOST,
    2061: Kind.LOST,
}
"""What each number means. One that is not here is a fault of ours, and raised as it is."""

_WRITE_FAILED = frozenset({3, 1026, 1030})
"""These say what failed in words alone."""

_NO_SPACE = ("No space left", "quota exceeded")

_MISDIRECTED = frozenset({1044, 1045, 1046, 1049, 1130, 1142, 1143, 1146, 1698})
"""What a server says that is there, and has no such account, database or table."""

_INDEX_THERE = 1061  # DUP_KEYNAME

_REFUSALS = (Kind.REFUSED, Kind.LOST)


def kind_of(error: pymysql.Error) -> Kind | None:
    """Return what an error means, None for what can only be a fault of ours."""
    number = error.args[0] if error.args else None
    kind = KINDS.get(number) if isinstance(number, int) else None
    if number in _WRITE_FAILED and not any(text in str(error) for text in _NO_SPACE):
        return None
    return kind


def is_misdirected(cause: BaseException | None) -> bool:
    """Tell whether the server is there, and not what we were told it is."""
    return isinstance(cause, pymysql.Error) and not _MISDIRECTED.isdisjoint(cause.args[:1])


def is_done_before(error: pymysql.Error) -> bool:
    """Tell whether a statement was to add an index that is there.

    MySQL has no CREATE INDEX IF NOT EXISTS, and keeps what was added right before a crash.
    """
    return error.args[:1] == (_INDEX_THERE,)


def ends_connection(error: pymysql.Error) -> bool:
    """Tell whether the connection is not to be used again.

    Also one that was refused: behind a balancer the next one may reach a server that
    serves.
    """
    return kind_of(error) in _REFUSALS


def translate(error: pymysql.Error, deadline: Deadline) -> ImageException | None:
    """Return our error for one of the driver's, None for what can only be a fault of ours."""
    kind = kind_of(error)
    if kind is Kind.TAKEN:
        return ConstraintViolationError(_TAKEN)
    if kind is Kind.CONFLICT:
        return TransactionConflictError(_BUSY, retry_delay_seconds=CONFLICT_RETRY_SECONDS)
    if kind is Kind.FULL:
        return StorageFullError(_FULL)
    if kind is Kind.LATE or (kind is Kind.LOST and not deadline.remaining()):
        return late(deadline)
    return DBConnectionError(UNREACHABLE) if kind else None


def translate_read(error: pymysql.Error, deadline: Deadline) -> ImageException | None:
    """Return the same for a read, which has no row to be in the way of and none to store.

    A node that waits in vain for the others' commits says 1205, a full disk for
    temporary tables 1021.
    """
    ours = translate(error, deadline)
    reads_may_raise = ours is None or isinstance(ours, DBConnectionError)
    return ours if reads_may_raise else DBConnectionError(UNREACHABLE)
