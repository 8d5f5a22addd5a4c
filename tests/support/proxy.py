"""A TCP proxy that cuts connections, as networks and restarts do."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

PIECE_BYTES = 64 * 1024
JOIN_SECONDS = 10.0


class CuttingProxy:
    """Passes bytes on to a target; knows nothing of what they mean.

    Each connection is cut once so many bytes have come back through it; None: never.
    """

    def __init__(self, target: str, cut_after: int | None = None) -> None:
        self.upstream = target
        self.connections = 0
        self._cut_after = cut_after
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.target = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._start(self._accept)

    def cut(self) -> None:
        """Cut every connection there is; new ones are let in."""
        for each in tuple(self._open):
            _shut(each)

    def close(self) -> None:
        """Cut everything and let nobody in."""
        _shut(self._listener)
        self._threads[0].join(JOIN_SECONDS)
        self.cut()
        for thread in self._threads:
            thread.join(JOIN_SECONDS)
        for each in (*self._open, self._listener):
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was shut
            while True:
                client, _ = self._listener.accept()
                self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        self.connections += 1
        self._open.append(client)
        host, _, port = self.upstream.rpartition(":")
        try:
            server = socket.create_connection((host, int(port)))
        except ConnectionRefusedError:
            _shut(client)
            return
        self._open.append(server)
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._start(lambda: _pass_on(client, server, None))
        self._start(lambda: _pass_on(server, client, self._cut_after))

    def _start(self, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run)
        self._threads.append(thread)
        thread.start()


@contextmanager
def cutting_proxy(target: str, cut_after: int | None = None) -> Iterator[CuttingProxy]:
    """Lend a proxy in front of a target."""
    proxy = CuttingProxy(target, cut_after)
    try:
        yield proxy
    finally:
        proxy.close()


def _pass_on(source: socket.socket, sink: socket.socket, most: int | None) -> None:
    """Pass bytes on until one side ends, or there were as many as may pass; then cut both."""
    left = PIECE_BYTES if most is None else most
    with suppress(OSError):
        while left and (piece := source.recv(min(PIECE_BYTES, left))):
            sink.sendall(piece)
            left -= 0 if most is None else len(piece)
    _shut(source)
    _shut(sink)


def _shut(each: socket.socket) -> None:
    with suppress(OSError):  # it has ended already
        each.shutdown(socket.SHUT_RDWR)
