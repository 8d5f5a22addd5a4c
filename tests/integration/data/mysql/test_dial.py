"""Reaching a server that has several addresses, or none, or that is no MySQL."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import DBConnectionError
from pixy_grpc.data.mysql import MySQLDatabase, parse_url
from pixy_grpc.data.mysql.dial import dial_first
from pixy_grpc.data.mysql.wire import Limit
from tests.integration.data.examples import soon
from tests.integration.data.mysql.faults import PAST_DEADLINE_SECONDS, call, call_at_once


@contextmanager
def _full_listener() -> Iterator[int]:
    """Listen where the kernel answers no more connections; yield the port."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(listener.getsockname())
        yield int(listener.getsockname()[1])


def test_address_that_is_silent_leaves_time_for_the_next() -> None:
    with _full_listener() as silent, socket.create_server(("127.0.0.1", 0)) as listening:
        addresses = [
            (socket.AF_INET, ("127.0.0.1", silent)),
            (socket.AF_INET, listening.getsockname()),
        ]
        with dial_first(addresses, Limit(Deadline.after(2))) as connected:
            assert connected.getpeername() == listening.getsockname()


def test_connection_waits_for_no_packet_to_fill_and_is_kept_alive() -> None:
    """A peer that is gone without a word is found out by the kernel, however quiet it is."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        addresses = [(socket.AF_INET, listening.getsockname())]
        with dial_first(addresses, Limit(soon())) as connected:
            assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert connected.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def test_silent_addresses_end_by_the_deadline() -> None:
    with _full_listener() as silent:
        addresses = [(socket.AF_INET, ("127.0.0.1", silent))] * 3
        deadline = Deadline.after(0.3)

        with pytest.raises(TimeoutError):
            dial_first(addresses, Limit(deadline))

    assert Deadline.after(0).at - deadline.at < PAST_DEADLINE_SECONDS


class NameServer:
    """Stands for one that answers late, or that it knows no such host."""

    def __init__(self) -> None:
        self.asked = 0
        self.answers = threading.Event()

    def look_up(self, *_: object, **__: object) -> None:
        """Answer as getaddrinfo does, when it is time."""
        self.asked += 1
        self.answers.wait(30)
        raise socket.gaierror(socket.EAI_NONAME, "no such host")


@pytest.fixture
def name_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    """Have the names of this process looked up there."""
    server = NameServer()
    monkeypatch.setattr(socket, "getaddrinfo", server.look_up)
    yield server
    server.answers.set()


def test_name_server_that_is_silent_holds_nobody(name_server: NameServer) -> None:
    """It is asked once, for all who wait; and again once it has answered."""
    with closing(MySQLDatabase(parse_url("mysql://root@db.example/mysql"))) as database:
        silent = call_at_once(lambda deadline: _read(database, deadline), 8, 0.2)
        asked = name_server.asked
        name_server.answers.set()
        for _ in range(3):
            call(lambda deadline: _read(database, deadline), soon())

    silent.require_in_time()
    assert silent.kinds == {DBConnectionError}
    assert asked == 1
    assert name_server.asked > 2


def test_lookup_that_no_thread_can_begin_for_is_not_waited_for(
    name_server: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is unavailable at once, and looked up as soon as there is one."""

    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    name_server.answers.set()
    with closing(MySQLDatabase(parse_url("mysql://root@db.example/mysql"))) as database:
        with monkeypatch.context() as exhausted:
            exhausted.setattr(threading.Thread, "start", no_thread)
            with pytest.raises(DBConnectionError):
                _read(database, soon())
        with pytest.raises(DBConnectionError):
            _read(database, soon())

    assert name_server.asked == 1


def _read(database: MySQLDatabase, deadline: Deadline) -> None:
    with database.read(deadline) as session:
        session.query("SELECT 1", {})


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".example"])
def test_host_that_no_name_can_be_is_unavailable(host: str) -> None:
    """Each time, and at once."""
    with closing(MySQLDatabase(parse_url(f"mysql://root@{host}/mysql"))) as database:
        for _ in range(2):
            deadline = Deadline.after(5)
            with pytest.raises(DBConnectionError), database.read(deadline):
                pass
            assert deadline.remaining() > 2


@pytest.mark.parametrize(
    "greeting", [b"SSH-2.0-OpenSSH_9.9\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n"]
)
def test_port_of_another_protocol_is_unavailability(greeting: bytes) -> None:
    """What answers there is no fault of ours: the URL may be, or what stands in between."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as threads:
        answering = threads.submit(_greet, listener, greeting)
        url = f"mysql://root@127.0.0.1:{listener.getsockname()[1]}/mysql"
        with closing(MySQLDatabase(parse_url(url))) as database:  # noqa: SIM117 - what raises is inside
            with pytest.raises(DBConnectionError), database.read(soon()):
                pass
        answering.result(10)


def _greet(listener: socket.socket, greeting: bytes) -> None:
    with listener.accept()[0] as accepted:
        accepted.sendall(greeting)
        threading.Event().wait(0.1)
