"""Reaches the server: name lookup and connect, neither of them past a deadline."""

import ipaddress
import socket
import threading
from concurrent.futures import Future
from typing import Any

from pixy_grpc.core.call import Deadline
from pixy_grpc.data.mysql.wire import DeadlineSocket, Limit

Addresses = list[tuple[socket.AddressFamily, Any]]
"""What a host was found under: families, and what a socket of each connects to."""


class Dialer:
    """Opens sockets to one server."""

    def __init__(self, host: str, port: int, unix_socket: str | None) -> None:
        self._unix_socket = unix_socket
        self._lookup = _Lookup(host, port)

    def dial(self, limit: Limit) -> DeadlineSocket:
        """Return a socket connected to the first address that answers, or raise OSError."""
        return dial_first(self._addresses(limit.deadline), limit)

    def _addresses(self, deadline: Deadline) -> Addresses:
        if self._unix_socket:
            return [(socket.AF_UNIX, self._unix_socket)]
        return self._lookup.addresses(deadline)


def dial_first(addresses: Addresses, limit: Limit) -> DeadlineSocket:
    """Return a socket connected to the first address that answers, or raise OSError.

    A silent one takes no more than its share of the time, so that the next is tried, too.
    """
    failure: OSError | None = None
    for number, (family, address) in enumerate(addresses):
        try:
            return _connect(family, address, limit, limit.remaining() / (len(addresses) - number))
        except OSError as error:
            failure = error
    raise failure or OSError("the host has no address")


class _Lookup:
    """Finds the addresses of a host.

    getaddrinfo takes no timeout and a dead name server holds it for half a minute, so a
    thread of its own waits for it, one for all callers.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._is_numeric = _is_address(host)
        self._lock = threading.Lock()
        self._running: Future[Addresses] | None = None

    def addresses(self, deadline: Deadline) -> Addresses:
        """Return what is found by the deadline; raise OSError."""
        if self._is_numeric:
            return self._find()
        with self._lock:
            if self._running is None or self._running.done():
                self._running = self._begun()
            running = self._running
        return running.result(deadline.remaining())

    def _begun(self) -> Future[Addresses]:
        future: Future[Addresses] = Future()
        try:
            threading.Thread(target=self._answer, args=(future,), daemon=True).start()
        except RuntimeError as error:
            raise OSError("no thread can begin to look the host up") from error
        return future

    def _answer(self, future: Future[Addresses]) -> None:
        try:
            future.set_result(self._find())
        except OSError as error:
            future.set_exception(error)

    def _find(self) -> Addresses:
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except UnicodeError as error:  # a label that is empty or too long
            raise OSError(f"no name of a host: {error}") from error
        return [(family, address) for family, _, _, _, address in found]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _connect(
    family: socket.AddressFamily, address: Any, limit: Limit, seconds: float
) -> DeadlineSocket:
    sock = DeadlineSocket(family, socket.SOCK_STREAM)
    try:
        sock.limit = limit
        limit.socket = sock
        sock.settimeout(seconds)
        sock.connect(address)
        if family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    except BaseException:
        sock.close()
        raise
    return sock
