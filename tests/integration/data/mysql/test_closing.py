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
from pixy_grpc.data.mysql.pool import CONNECT_SECONDS
from tests.integration.data.examples import soon
from tests.integration.data.mysql.faults import silent_listener
from tests.support.mariadb import MariaDBServer

AT_ONCE_SECONDS = CONNECT_SECONDS - 0.5
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
    _poll_until(lambda: _others(other) == 0)  # those of tests before this have gone, and count
    aborted = _aborted(other)
    _read(single)
    deadline = Deadline.after(0.5)
    with single.read(deadline):
        pass
    threading.Event().wait(deadline.remaining() + 0.02)

    single.close()

    _poll_until(lambda: _others(other) == 0)
    assert _aborted(other) == aborted


def test_what_is_given_back_after_close_is_closed(single: MySQLDatabase) -> None:
    """A socket of ours is left to nobody."""
    before = _sockets()

    with single.read(soon()):
        ours = _sockets() - before
        single.close()

    assert ours
    assert not ours & _sockets()


def test_close_ends_who_waits_for_a_place(single: MySQLDatabase) -> None:
    """The place that comes back is not lent again."""
    with ThreadPoolExecutor(1) as threads:
        with single.read(soon()):
            waiting = threads.submit(_read, single)
            threading.Event().wait(0.1)  # it waits by now, or comes too late anyway
            single.close()

        assert isinstance(waiting.exception(20), DBConnectionError)


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


def _others(connection: Connection) -> int:
    """Count the connections of the server beside this one."""
    return connection.query(
        "SELECT 1 FROM information_schema.processlist"
        " WHERE id != CONNECTION_ID() AND command != 'Daemon'"
    )


def _aborted(connection: Connection) -> object:
    cursor = connection.cursor()
    cursor.execute("SHOW GLOBAL STATUS LIKE 'Aborted_clients'")
    return cursor.fetchall()


def _sockets() -> set[str]:
    """Return the sockets of this process, by their inodes: others of it come and go too."""
    links = (_link(path) for path in Path("/proc/self/fd").iterdir())
    return {link for link in links if link.startswith("socket:")}


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except FileNotFoundError:  # it was closed meanwhile
        return ""


def _poll_until(condition: Callable[[], bool]) -> None:
    end = Deadline.after(20)
    while not condition():
        assert end.remaining(), "it did not come to pass"
