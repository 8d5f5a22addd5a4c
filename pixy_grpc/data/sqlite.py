"""SQLite, the embedded default: one file, shared by threads and worker processes."""

import os
import queue
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    ConstraintViolationError,
    DBConnectionError,
    ImageException,
    StorageFullError,
    TransactionConflictError,
)
from pixy_grpc.data.database import Dialect, Parameters, Row, Session, late

CONNECTIONS = 16
"""Connections a process keeps: SQLite answers from its cache, so threads that wait for
one wait microseconds."""

OPERATION_SECONDS = 10.0
"""Cap on one borrow, for calls whose own deadline is further away."""

CONFLICT_RETRY_SECONDS = 0.5
"""When to come back after another writer held the file throughout."""

JOURNAL_BYTES = 64 * 1024 * 1024
"""What the journal is cut to once all of it is in the database: a slow reader lets it
grow, and SQLite by itself leaves it as large as it ever was."""

_INSTRUCTIONS_BETWEEN_CHECKS = 100_000
"""How often a running statement looks at its deadline: about every 2 ms."""

_DIALECT = Dialect(
    name="sqlite",
    before="(i.created_at, i.id) < (:after_time, :after_row)",
    until="(i.created_at, i.id) >= (:end_time, :end_row)",
    for_update="",
)

_UNREACHABLE = "The database is out of reach. Try again later."
_BUSY = "Another change was in the way; nothing was changed. Try again."


class SqliteDatabase:
    """A Database in one file, in WAL mode with synchronous=FULL."""

    dialect = _DIALECT

    def __init__(self, path: Path, *, connections: int = CONNECTIONS) -> None:
        self._path = path
        self._free: queue.LifoQueue[_Connection] = queue.LifoQueue()
        self._places = threading.BoundedSemaphore(connections)
        self._writing = threading.Lock()
        self._connections = connections
        self._closed = False

    @property
    def connections(self) -> int:
        """The most sessions that are lent at a time."""
        return self._connections

    def read(self, deadline: Deadline) -> AbstractContextManager[Session]:
        """Lend a session; see Database."""
        return self._borrow(deadline)

    @contextmanager
    def write(self, deadline: Deadline) -> Iterator[Session]:
        """Lend a session in a transaction; see Database.

        BEGIN IMMEDIATE takes the write lock before anything is read: a transaction that
        has read cannot wait for the lock, whatever the busy timeout. One thread of this
        process waits for it; the others have no connection yet, and leave them to reads.
        """
        bounded = deadline.within(OPERATION_SECONDS)
        with self._turn_to_write(bounded), self._borrow(bounded) as connection:
            connection.run("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.run("COMMIT")
            except BaseException:
                connection.roll_back()
                raise

    @contextmanager
    def _turn_to_write(self, deadline: Deadline) -> Iterator[None]:
        seconds = deadline.remaining()
        if not seconds:
            raise late(deadline)
        if not self._writing.acquire(timeout=seconds):
            raise _conflict()
        try:
            yield
        finally:
            self._writing.release()

    def close(self) -> None:
        """Close what is not lent; what is lent closes when it comes back."""
        self._closed = True
        while True:
            try:
                self._free.get_nowait().close()
            except queue.Empty:
                return

    @contextmanager
    def _borrow(self, deadline: Deadline) -> Iterator["_Connection"]:
        bounded = deadline.within(OPERATION_SECONDS)
        seconds = bounded.remaining()
        if not seconds or not self._places.acquire(timeout=seconds):
            raise late(bounded)
        try:
            connection = self._connection(bounded)
            try:
                connection.bound(bounded)
                yield connection
            except sqlite3.IntegrityError:
                raise
            except sqlite3.Error:
                connection.usable = False
                raise
            finally:
                self._give_back(connection)
        except sqlite3.Error as error:
            ours = _translate(error, bounded)
            if ours is None:
                raise
            raise ours from error
        finally:
            self._places.release()

    def _connection(self, deadline: Deadline) -> "_Connection":
        if self._closed:
            raise DBConnectionError(_UNREACHABLE)
        while True:
            try:
                connection = self._free.get_nowait()
            except queue.Empty:
                return _Connection(self._path, deadline)
            if connection.is_current():
                return connection
            connection.close()

    def _give_back(self, connection: "_Connection") -> None:
        if not connection.usable:
            connection.close()
            return
        self._free.put(connection)
        if self._closed:  # perhaps since this connection was lent
            self.close()


class _Connection:
    """A Session on one connection to the file."""

    def __init__(self, path: Path, deadline: Deadline) -> None:
        self.usable = True
        self._path = str(path)
        self._raw = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",  # never makes a file that was deleted
            timeout=deadline.remaining(),
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            self._raw.row_factory = sqlite3.Row
            self.run("PRAGMA journal_mode = WAL")
            self.run("PRAGMA synchronous = FULL")
            self.run(f"PRAGMA journal_size_limit = {JOURNAL_BYTES}")
            self._file = _identity(self._path)
        except BaseException:
            self._raw.close()
            raise

    def is_current(self) -> bool:
        """Tell whether the path still names the file that was opened.

        SQLite goes on with a file that was deleted or replaced, and what it commits
        there is lost.
        """
        return self._file is not None and _identity(self._path) == self._file

    def bound(self, deadline: Deadline) -> None:
        """Make waits for locks and running statements end by the deadline."""
        self.run(f"PRAGMA busy_timeout = {int(deadline.remaining() * 1000)}")
        self._raw.set_progress_handler(
            lambda: not deadline.remaining(), _INSTRUCTIONS_BETWEEN_CHECKS
        )

    def run(self, sql: str) -> None:
        self._raw.execute(sql).close()

    def roll_back(self) -> None:
        """End the transaction, if the error that came has not ended it already."""
        self._raw.set_progress_handler(None, 0)
        if self._raw.in_transaction:
            self.run("ROLLBACK")

    def close(self) -> None:
        self._raw.close()

    def query(self, sql: str, parameters: Parameters) -> list[Row]:
        with closing(self._raw.execute(sql, dict(parameters))) as cursor:
            return [dict(row) for row in cursor]

    def execute(self, sql: str, parameters: Parameters) -> int:
        with closing(self._raw.execute(sql, dict(parameters))) as cursor:
            return cursor.rowcount

    def insert(self, sql: str, parameters: Parameters) -> int:
        with closing(self._raw.execute(sql, dict(parameters))) as cursor:
            return cursor.lastrowid or 0

    def execute_many(self, sql: str, parameters: Sequence[Parameters]) -> None:
        with closing(self._raw.executemany(sql, [dict(each) for each in parameters])):
            pass


def _identity(path: str) -> tuple[int, int] | None:
    """Return which file a path names; None where it leads to none, for whatever reason."""
    try:
        status = os.stat(path)  # noqa: PTH116 - a third of the time of Path.stat, on every borrow
    except OSError:  # whoever opens it hears why
        return None
    return status.st_dev, status.st_ino


def _translate(error: sqlite3.Error, deadline: Deadline) -> ImageException | None:
    """Return our error for one of SQLite's, by its primary result code.

    None for what can only be a fault of ours, such as SQL that does not parse.
    """
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_CONSTRAINT:
        return ConstraintViolationError("The database holds such a row already.")
    if code == sqlite3.SQLITE_FULL:
        return StorageFullError("The database has no room left; nothing was changed.")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return _conflict()
    if code == sqlite3.SQLITE_INTERRUPT:
        return late(deadline)
    if code in _LOST or str(error).startswith(_NO_TABLE):
        return DBConnectionError(_UNREACHABLE)
    return None


def is_misdirected(cause: BaseException | None) -> bool:
    """Tell whether there is no such file, or it is no database of ours."""
    if not isinstance(cause, sqlite3.Error):
        return False
    code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return code in _MISDIRECTED or str(cause).startswith(_NO_TABLE)


_NO_TABLE = "no such table"
"""What SQLite says, under no code of its own, of a file that is empty, or not ours."""

_LOST = frozenset(
    {
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_PROTOCOL,
    }
)


_MISDIRECTED = frozenset(
    {
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
    }
)


def _conflict() -> TransactionConflictError:
    return TransactionConflictError(_BUSY, retry_delay_seconds=CONFLICT_RETRY_SECONDS)
