"""Sockets under one wall clock: whatever the peer does, no exchange outlives it.

httpcore2 has a timeout for each read, which a peer that drips bytes outlives. It hands
the number it was given to every call below, so the number itself knows when it ends.
"""

import select
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Self

import httpcore2

from pixy_grpc.service.generators.openai.network import Connect, Lookups, Network


class TimeLeft(float):
    """A timeout in seconds that shrinks from the moment it is made."""

    ends_at: float

    def __new__(cls, seconds: float) -> Self:
        """Start the clock."""
        made = super().__new__(cls, seconds)
        made.ends_at = time.monotonic() + seconds
        return made


class Sending(TimeLeft):
    """The clock of a request that is sent: it knows whether any of it has begun to leave."""

    def __new__(cls, seconds: float, before: Callable[[], None]) -> Self:
        """Start the clock; `before` is called ahead of the first write."""
        made = super().__new__(cls, seconds)
        made._before = before
        made.begun = False
        return made

    begun: bool
    _before: Callable[[], None]

    def begin(self) -> None:
        """Take note of a write."""
        if not self.begun:
            self._before()
            self.begun = True


def seconds_left(timeout: float | None) -> float:
    """Return what is left, never 0, which means "do not block"; raise TimeoutError after."""
    if not isinstance(timeout, TimeLeft):
        raise TypeError("an exchange runs under one clock")
    left = timeout.ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


@contextmanager
def _mapped(timeout: type[Exception], failure: type[Exception]) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise timeout from error
    except OSError as error:
        raise failure from error


class DeadlineStream(httpcore2.NetworkStream):
    """A connected socket, plain or TLS. The handshake, each read and each write end in time."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what comes, empty at the end."""
        with _mapped(httpcore2.ReadTimeout, httpcore2.ReadError):
            self._socket.settimeout(seconds_left(timeout))
            return self._socket.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of it. The clock has to be a request's, so that it cannot leave unnoticed."""
        if not isinstance(timeout, Sending):
            raise TypeError("what is sent is watched")
        with _mapped(httpcore2.WriteTimeout, httpcore2.WriteError):
            seconds_left(timeout)
        timeout.begin()
        view = memoryview(buffer)
        with _mapped(httpcore2.WriteTimeout, httpcore2.WriteError):
            while view:
                self._socket.settimeout(seconds_left(timeout))
                view = view[self._socket.send(view) :]

    def close(self) -> None:
        """Close it; a thread that waits for its peer wakes up."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        """Shake hands. A socket's timeout bounds the whole of it in CPython, not each read."""
        with _mapped(httpcore2.ConnectTimeout, httpcore2.ConnectError):
            try:
                self._socket.settimeout(seconds_left(timeout))
                return DeadlineStream(
                    ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
                )
            except OSError:
                self.close()
                raise

    def get_extra_info(self, info: str) -> Any:
        """Tell what httpcore2 asks: is it TLS, and has an idle peer hung up."""
        if info == "ssl_object":
            return self._socket if isinstance(self._socket, ssl.SSLSocket) else None
        if info == "is_readable":
            return _is_readable(self._socket)
        return None


class Admission:
    """Which addresses may be connected to; here all of them: the base URL is a setting."""

    def check(self, host: str, port: int, addresses: Sequence[str]) -> None:
        """Raise where the host, on that port, may not have one of these addresses."""


class DeadlineBackend(httpcore2.NetworkBackend):
    """Finds, admits and connects. The address checked is the address connected to, so a
    name that changes its mind in between gains nothing.
    """

    def __init__(self, network: Network, admission: Admission) -> None:
        self._lookups = Lookups(network.resolve)
        self._connect = network.connect
        self._admission = admission

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002 - the signature is httpcore2's
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,  # noqa: ARG002 - likewise
    ) -> httpcore2.NetworkStream:
        """Connect to the first address of the host that answers."""
        with _mapped(httpcore2.ConnectTimeout, httpcore2.ConnectError):
            addresses = self._lookups.addresses(host, port, seconds_left(timeout))
            self._admission.check(host, port, addresses)
            connected = _first(self._connect, addresses, port, timeout)
        with suppress(OSError):  # a connection that is gone already says so when it is used
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return DeadlineStream(connected)


def _first(
    connect: Connect, addresses: Sequence[str], port: int, timeout: float | None
) -> socket.socket:
    """Give each address its share of the time that is left."""
    failure = OSError("The host has no address.")
    for place, address in enumerate(addresses):
        try:
            return connect((address, port), seconds_left(timeout) / (len(addresses) - place))
        except OSError as error:
            failure = error
    raise failure


def _is_readable(idle: socket.socket) -> bool:
    if idle.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(idle, select.POLLIN)
    return bool(poll.poll(0))
