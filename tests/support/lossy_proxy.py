"""What stands between us and a bucket: it counts what passes, and can lose or spoil it."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

_REQUEST = re.compile(rb"^(GET|PUT|POST|HEAD|DELETE) \S+ HTTP/1\.1\r\n", re.MULTILINE)
_RANGE = re.compile(rb"\r\nrange: bytes=(\d+-\d+)\r\n", re.IGNORECASE)


class Proxy:
    """Carries bytes both ways.

    `requests` are the methods that passed, with their ranges. After `lose_answers(n)` the
    next n answers to a method never arrive: their connections are cut. While `spoils` is set, the
    last byte of what is sent to the server in large pieces is changed.
    """

    def __init__(self, server_port: int) -> None:
        self.requests: list[str] = []
        self.spoils = False
        self.cut = threading.Event()
        self._server_port = server_port
        self._to_lose = 0
        self._method = ""
        self._asked: dict[socket.socket, str] = {}
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def endpoint(self) -> str:
        """The URL of the bucket's server, by way of here."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def lose_answers(self, count: int, method: str = "PUT") -> None:
        """Lose that many."""
        with self._lock:
            self._to_lose = count
            self._method = method

    def close(self) -> None:
        """Cut everything."""
        for sock in (self._listener, *self._open):
            _shut(sock)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                server = socket.create_connection(("127.0.0.1", self._server_port))
                self._open |= {client, server}
                for work in (self._carry_requests, self._carry_answers):
                    self._threads.append(threading.Thread(target=work, args=(client, server)))
                    self._threads[-1].start()

    def _carry_requests(self, client: socket.socket, server: socket.socket) -> None:
        with client, suppress(OSError):
            while data := client.recv(1 << 16):
                self._note(data, server)
                if self.spoils and len(data) > 1 << 12:
                    data = data[:-1] + bytes([data[-1] ^ 1])
                server.sendall(data)
        self.cut.set()
        _shut(server)

    def _carry_answers(self, client: socket.socket, server: socket.socket) -> None:
        with server, suppress(OSError):
            while data := server.recv(1 << 16):
                if self._loses(server):
                    break
                client.sendall(data)
        _shut(client)

    def _note(self, data: bytes, server: socket.socket) -> None:
        for found in _REQUEST.finditer(data):
            span = _RANGE.search(data, found.start())
            parts = [found[1], span[1]] if span else [found[1]]
            self.requests.append(b" ".join(parts).decode())
            self._asked[server] = found[1].decode()

    def _loses(self, server: socket.socket) -> bool:
        with self._lock:
            if self._asked[server] != self._method:
                return False
            self._to_lose -= 1
            return self._to_lose >= 0


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy(server_port: int) -> Iterator[Proxy]:
    """Stand in between until the block ends."""
    with closing(Proxy(server_port)) as standing:
        yield standing
