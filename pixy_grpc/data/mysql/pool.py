"""A DBUtils pool that never makes a caller wait past its deadline.

PooledDB connects, pings and rolls back under its one lock, without a timeout. Here it does
none of that: it is asked for connections that are not connected yet (no I/O), and does
not ping or reset. What waits is done by the borrower, outside that lock, on a socket that
knows the borrower's deadline; in front of it all stands a semaphore with the same one.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Any

import pymysql
from dbutils.pooled_db import PooledDB

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import DBConnectionError
from pixy_grpc.data.database import late
from pixy_grpc.data.mysql.connection import Connection, Server
from pixy_grpc.data.mysql.errors import UNREACHABLE, Kind, kind_of
from pixy_grpc.data.mysql.url import MySQLAddress

CONNECT_SECONDS = 3.0
"""Longest attempt to connect: after a silent network has come back, none is held up by a
SYN that is sent again only after 7 s."""

LEAST_CONNECT_SECONDS = 1.0
"""Time an attempt has even for a caller in a hurry, who would else never leave the
next one a connection. It stays within the 2 s that a borrow may outlive its deadline."""

PING_SECONDS = 1.0
"""How long a connection under suspicion may take to answer."""

IDLE_SECONDS = 30.0
"""After this long unused a connection is pinged first: balancers and firewalls forget
quiet ones without a word."""

SILENT_SECONDS = 1.0
"""A server that is silent for so long may be gone; less only shows a caller in a hurry."""


class Loan:
    """A connection lent to one thread: `steady` is of DBUtils, `connection` of PyMySQL."""

    __slots__ = ("connection", "steady")

    def __init__(self, steady: Any) -> None:
        self.steady = steady
        self.connection: Connection = steady.dbapi_connection


class Pool:
    """Lends connections that were alive a moment ago. See MySQLDatabase for the errors."""

    def __init__(self, address: MySQLAddress) -> None:
        self._server = Server(address)
        self._places = _Places(address.pool_size)
        self._gate = _Gate()
        self._lent: set[Loan] = set()
        self._suspected_at = 0.0
        self._closed = False
        self._pool = PooledDB(
            lambda: Connection(self._server),
            maxcached=address.pool_size,
            ping=0,
            reset=False,
            isfatal=lambda _: False,  # no statement is run a second time, by anyone
        )

    def take(self, deadline: Deadline) -> Loan:
        """Lend a connection; raise pymysql.Error where there is none to be had."""
        seconds = deadline.remaining()
        if not seconds or not self._places.take(seconds):  # nothing is begun past it
            raise late(deadline)
        try:
            loan = Loan(self._pool.connection(shareable=False))
        except BaseException:
            self._places.give_back()
            raise
        self._lent.add(loan)
        try:
            self._make_ready(loan.connection, deadline)
        except BaseException:
            self.give_back(loan)
            raise
        return loan

    def give_back(self, loan: Loan) -> None:
        """Take a connection back, whatever state it is in."""
        self._lent.discard(loan)
        try:
            if self._closed:
                loan.connection.close()
            loan.steady.close()
        finally:
            self._places.give_back()

    def suspect(self, connection: Connection, error: pymysql.Error) -> None:
        """Have every connection pinged before its next use, if an error gives reason to."""
        waited = time.monotonic() - connection.taken_at
        in_a_hurry = waited < SILENT_SECONDS and isinstance(error.__context__, TimeoutError)
        if kind_of(error) is Kind.LOST and not in_a_hurry:
            self._suspected_at = time.monotonic()

    def close(self) -> None:
        """Close what is not lent, and cut what is."""
        self._closed = True
        for loan in list(self._lent):
            loan.connection.limit.shut_down()
        self._pool.close()

    def _make_ready(self, connection: Connection, deadline: Deadline) -> None:
        """Hand the borrower's deadline to a connection that is alive, as far as is known."""
        self._require_open()
        now = time.monotonic()
        seen_at, connection.taken_at = connection.taken_at, now
        if connection.open and connection.has_news():
            connection.close()
        if not connection.open or seen_at < self._suspected_at or seen_at < now - IDLE_SECONDS:
            self._revive(connection, deadline)
        connection.limit.deadline = deadline

    def _revive(self, connection: Connection, deadline: Deadline) -> None:
        """Ping a connection, or make it anew: what takes time, in which much may happen."""
        if not (connection.open and connection.answers_by(deadline.within(PING_SECONDS))):
            self._connect(connection, deadline)
        if not deadline.remaining():
            raise late(deadline)

    def _connect(self, connection: Connection, deadline: Deadline) -> None:
        seconds = min(CONNECT_SECONDS, max(LEAST_CONNECT_SECONDS, deadline.remaining()))
        with self._gate.passing(is_whole=seconds == CONNECT_SECONDS):
            try:
                connection.connect_by(Deadline.after(seconds))
            except pymysql.Error as error:
                self.suspect(connection, error)
                raise

    def _require_open(self) -> None:
        if self._closed:
            raise DBConnectionError(UNREACHABLE)


class _Places:
    """A semaphore of tokens in a queue, which is written in C: Python's own is not, and
    was a fifth of what a borrow took.
    """

    def __init__(self, places: int) -> None:
        self._free: SimpleQueue[None] = SimpleQueue()
        for _ in range(places):
            self._free.put(None)

    def take(self, seconds: float) -> bool:
        """Take a place within that time; tell whether there was one. No time: no place."""
        if not seconds:
            return False
        try:
            self._free.get(timeout=seconds)
        except Empty:
            return False
        return True

    def give_back(self) -> None:
        """Free a place."""
        self._free.put(None)


class _Gate:
    """Lets one thread at a time try to reach a server that is down, and the others go.

    They would only queue for it, and each attempt that breaks off counts towards the
    server's max_connect_errors, after which it refuses this host until FLUSH HOSTS. An
    attempt that was cut short for its caller's deadline shows nothing of the server.
    """

    def __init__(self) -> None:
        self._is_down = False
        self._trying = threading.Lock()

    @contextmanager
    def passing(self, *, is_whole: bool) -> Iterator[None]:
        """Run an attempt to connect; raise DBConnectionError where another is under way."""
        alone = self._is_down
        if alone and not self._trying.acquire(blocking=False):
            raise DBConnectionError(UNREACHABLE)
        try:
            yield
            self._is_down = False
        except pymysql.Error as error:
            if is_whole or not isinstance(error.__context__, TimeoutError):
                self._is_down = kind_of(error) is Kind.LOST
            raise
        finally:
            if alone:
                self._trying.release()
