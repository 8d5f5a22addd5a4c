"""Names and sockets, bounded: what the operating system does for an exchange."""

import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from threading import BoundedSemaphore, Thread

from pixy_grpc.core.call import Deadline

MAX_LOOKUPS = 64
"""Lookups at once: each holds a thread for as long as the resolver lets it hang."""

Resolve = Callable[[str, int], Sequence[str]]
"""Returns the addresses of a host, the best first; may block, raises OSError."""

Connect = Callable[[tuple[str, int], float], socket.socket]
"""Connects to an address and port within that many seconds, or raises OSError."""


def system_addresses(host: str, port: int) -> Sequence[str]:
    """Return what the system's resolver says."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label that is empty or too long
        raise OSError("The host is no host name.") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True)
class Network:
    """How hosts are found and connected to: the system's way."""

    resolve: Resolve = system_addresses
    connect: Connect = socket.create_connection


class Lookups:
    """Resolves hosts within a time. getaddrinfo knows no limit, so a thread waits for it."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._room = BoundedSemaphore(MAX_LOOKUPS)

    def addresses(self, host: str, port: int, seconds: float) -> Sequence[str]:
        """Return the addresses; raise OSError, TimeoutError when there are none in time."""
        with suppress(ValueError):
            return [str(ip_address(host))]
        until = Deadline.after(seconds)
        if not self._room.acquire(timeout=seconds):
            raise TimeoutError
        future: Future[Sequence[str]] = Future()
        try:
            Thread(target=self._run, args=(host, port, future), daemon=True).start()
        except RuntimeError as error:
            self._room.release()
            raise OSError("No thread can begin to look the host up.") from error
        return future.result(timeout=until.remaining())

    def _run(self, host: str, port: int, future: Future[Sequence[str]]) -> None:
        try:
            future.set_result(self._resolve(host, port))
        except OSError as error:
            future.set_exception(error)
        finally:
            self._room.release()
