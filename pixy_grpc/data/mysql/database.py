"""MySQL and MariaDB, behind a pool whose every wait has a deadline."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from types import TracebackType
from typing import NoReturn

import pymysql
from pymysql.cursors import Cursor

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    DBConnectionError,
    ImageException,
)
from pixy_grpc.data.database import Dialect, Parameters, Row, Session, late
from pixy_grpc.data.mysql.errors import (
    COMMIT_LOST,
    ends_connection,
    is_done_before,
    translate,
    translate_read,
)
from pixy_grpc.data.mysql.pool import Loan, Pool
from pixy_grpc.data.mysql.sql import pyformat
from pixy_grpc.data.mysql.url import MySQLAddress

OPERATION_SECONDS = 10.0
"""Cap on one borrow, for calls whose own deadline is further away."""

END_SECONDS = 1.0
"""Time a COMMIT or ROLLBACK has, even if the deadline is nearer: to know how a
transaction ended is worth a second, and a borrow may outlive its deadline by two."""

_DIALECT = Dialect(
    name="mysql",
    # Not as rows, (a, b) < (c, d): that is looked through from the start of the index. Each
    # of these is two ranges of Images_I2, which ends with the id without saying so.
    before="(i.created_at < :after_time OR (i.created_at = :after_time AND i.id < :after_row))",
    until="(i.created_at > :end_time OR (i.created_at = :end_time AND i.id >= :end_row))",
    for_update=" FOR UPDATE",
)


class MySQLDatabase:
    """A Database on a MySQL or MariaDB server, or on a Galera cluster of them.

    Every borrow ends within two seconds of its deadline, whatever the server does. No
    statement is run twice. Where the answer to a COMMIT is lost, `write` raises
    DBConnectionError and may have changed everything: read again, on what is then
    another connection, to see which.
    """

    dialect = _DIALECT

    def __init__(self, address: MySQLAddress) -> None:
        self._pool = Pool(address)
        self._connections = address.pool_size

    @property
    def connections(self) -> int:
        """The most sessions that are lent at a time."""
        return self._connections

    def read(self, deadline: Deadline) -> AbstractContextManager[Session]:
        """Lend a session; see Database. Each statement is a transaction of its own."""
        return _Borrowed(self._pool, deadline.within(OPERATION_SECONDS), translate_read)

    @contextmanager
    def write(self, deadline: Deadline) -> Iterator[Session]:
        """Lend a session in a transaction; see Database."""
        bounded = deadline.within(OPERATION_SECONDS)
        with _Borrowed(self._pool, bounded, translate) as session:
            try:
                session.begin()
                yield session
                session.commit()
            except BaseException:
                session.roll_back()
                raise

    def close(self) -> None:
        """Close every connection; see Database."""
        self._pool.close()


class _Borrowed:
    """A loan for the length of a `with` block, its errors made ours."""

    __slots__ = ("_deadline", "_loan", "_pool", "_translate")

    def __init__(
        self,
        pool: Pool,
        deadline: Deadline,
        translate: Callable[[pymysql.Error, Deadline], ImageException | None],
    ) -> None:
        self._pool = pool
        self._deadline = deadline
        self._translate = translate

    def __enter__(self) -> "_Session":
        try:
            self._loan = self._pool.take(self._deadline)
        except pymysql.Error as error:
            self._raise(error)
        return _Session(self._loan)

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        try:
            if error is not None:
                self._settle(error)
        finally:
            self._pool.give_back(self._loan)
        if isinstance(error, pymysql.Error):
            self._raise(error)

    def _settle(self, error: BaseException) -> None:
        """Close the connection unless what is on it is known: whole statements."""
        connection = self._loan.connection
        cause = error.__cause__ if isinstance(error, DBConnectionError) else error
        if isinstance(cause, pymysql.Error):
            self._pool.suspect(connection, cause)
            if ends_connection(cause):
                connection.close()
        elif not isinstance(error, ImageException):
            connection.close()

    def _raise(self, error: pymysql.Error) -> NoReturn:
        ours = self._translate(error, self._deadline)
        if ours is None:
            raise error
        raise ours from error


class _Session:
    """A Session on a connection of the pool."""

    def __init__(self, loan: Loan) -> None:
        self._loan = loan

    def query(self, sql: str, parameters: Parameters) -> list[Row]:
        cursor = self._run(sql, parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=False)) for row in cursor.fetchall()]

    def execute(self, sql: str, parameters: Parameters) -> int:
        """Run a statement; one that adds an index may run again."""
        try:
            return int(self._run(sql, parameters).rowcount)
        except pymysql.Error as error:
            if not is_done_before(error):
                raise
            return 0

    def insert(self, sql: str, parameters: Parameters) -> int:
        return int(self._run(sql, parameters).lastrowid)

    def execute_many(self, sql: str, parameters: Sequence[Parameters]) -> None:
        """Run a statement for each set; PyMySQL joins rows of an INSERT, up to 1 MB."""
        self._require_time()
        cursor = self._loan.connection.cursor()
        cursor.executemany(pyformat(sql), [dict(each) for each in parameters])

    def begin(self) -> None:
        self._loan.steady.begin()

    def commit(self) -> None:
        """Commit, unless it is late; where the connection ends on it, nobody knows how."""
        self._require_time()
        self._allow_end()
        try:
            self._loan.steady.commit()
        except pymysql.Error as error:
            if ends_connection(error):
                raise DBConnectionError(COMMIT_LOST) from error
            raise

    def roll_back(self) -> None:
        """End the transaction, by the end of the connection if need be."""
        self._allow_end()
        with suppress(pymysql.Error):
            self._loan.steady.rollback()

    def _require_time(self) -> None:
        """Begin nothing that is late: cut off, it would cost the connection."""
        deadline = self._loan.connection.limit.deadline
        if not deadline.remaining():
            raise late(deadline)

    def _allow_end(self) -> None:
        limit = self._loan.connection.limit
        end = Deadline.after(END_SECONDS)
        limit.deadline = max(limit.deadline, end, key=lambda deadline: deadline.at)

    def _run(self, sql: str, parameters: Parameters) -> Cursor:
        """Run a statement on a cursor of PyMySQL: DBUtils' own runs a failed one again."""
        self._require_time()
        cursor = self._loan.connection.cursor()
        cursor.execute(pyformat(sql), dict(parameters))
        return cursor
