"""What a database leaves behind when it is closed: no connection, and nobody who waits."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from pymysql.connections import Connection

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import DBConnectionError
from pixy_grpc.data.mysql import MySQLDatabase, parse_url
from tests.integration.data.examples import soon
from tests.integration.data.mysql.faults import silent_listener
from tests.support.mariadb import MariaDBServer

AT_ONCE_SECONDS = 1.5
"""Less than an attempt to connect takes that is not cut."""


@pytest.fixture
def other(private_server: MariaDBServer) -> Iterator[Connection]:
    """Look at the server's connections."""
    with closing(private_server.connect()) as connection:
        yield connection


@pytest.fixture
def single(private_server: MariaDBServer) -> Iterator[MySQLDatabase]:
    """Open a database with one connection."""
    address = parse_url(f"{private_server.url}/mysql?pool_size=1")
    with closing(MySQLDatabase(address)) as database:
        yield database


def test_close_says_goodbye_on_what_is_idle(single: MySQLDatabase, other: Connection) -> None:
    """Past the deadline of its last borrower too: else the server counts an abortion."""
    aborted = _aborted(other)
    deadline = Deadline.after(0.1)
    with single.read(deadline):
        pass
    threading.Event().wait(deadline.remaining() + 0.02)
    _poll_until(lambda: _connections(other) == 1)  # those of tests before this are going

    single.close()

    _poll_until(lambda: _connections(other) == 0)
    assert _aborted(other) == aborted


def test_what_is_given_back_after_close_is_closed(single: MySQLDatabase) -> None:
    """A socket of ours is left to nobody."""
    before = _sockets()

    with single.read(soon()):
        single.close()

    assert _sockets() == before


def test_close_ends_who_waits_for_a_place(single: MySQLDatabase) -> None:
    """The place that comes back is not lent again."""
    with ThreadPoolExecutor(1) as threads:
        with single.read(soon()):
            waiting = threads.submit(_read, single)
            threading.Event().wait(0.1)  # it waits by now, or comes too late anyway
            single.close()

        assert isinstance(waiting.exception(5), DBConnectionError)


def test_call_on_what_is_closed_connects_no_more() -> None:
    with silent_listener() as listener:
        database = MySQLDatabase(parse_url(f"mysql://root@127.0.0.1:{listener.port}/mysql"))
        database.close()

        with pytest.raises(DBConnectionError):
            _read(database)
        assert listener.connections == 0


def test_close_ends_who_connects() -> None:
    """At once, where a server that says nothing would hold them for longer."""
    with silent_listener() as listener, ThreadPoolExecutor(1) as threads:
        database = MySQLDatabase(parse_url(f"mysql://root@127.0.0.1:{listener.port}/mysql"))
        waiting = threads.submit(_read, database)
        _poll_until(lambda: listener.connections == 1)
        closed = Deadline.after(AT_ONCE_SECONDS)
        database.close()

        assert isinstance(waiting.exception(10), DBConnectionError)
        assert closed.remaining()


def _read(database: MySQLDatabase) -> object:
    with database.read(soon()) as session:
        return session.query("SELECT 1", {})


def _connections(connection: Connection) -> int:
    return connection.query("SELECT 1 FROM information_schema.processlist WHERE db = 'mysql'")


def _aborted(connection: Connection) -> object:
    cursor = connection.cursor()
    cursor.execute("SHOW GLOBAL STATUS LIKE 'Aborted_clients'")
    return cursor.fetchall()


def _sockets() -> int:
    links = [path.readlink() for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    return sum(str(link).startswith("socket:") for link in links)


def _poll_until(condition: Callable[[], bool]) -> None:
    end = Deadline.after(10)
    while not condition():
        assert end.remaining(), "it did not come to pass"
