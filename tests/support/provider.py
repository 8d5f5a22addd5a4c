"""A stand-in for OpenAI: a real HTTP server on loopback that says, or fails, as it is told."""

import base64
import json
import socket
import ssl
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Lock, Thread

JOIN_SECONDS = 10.0
"""Bound on a stop: every thread of the stand-in wakes up at once when it stops."""

_RESET = struct.pack("ii", 1, 0)
_CHUNK = b"x" * 65536


@dataclass(frozen=True)
class Asked:
    """One request as it came; header names in lower case."""

    line: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def parameters(self) -> dict[str, object]:
        """The JSON of the body."""
        parsed: dict[str, object] = json.loads(self.body)
        return parsed


class Peer:
    """One connection, from the stand-in's side."""

    def __init__(self, connected: socket.socket, provider: "Provider") -> None:
        self.socket = connected
        self.provider = provider

    def send(self, data: bytes) -> None:
        """Send; what was taken is counted."""
        self.socket.sendall(data)
        self.provider.taken_bytes += len(data)

    def drip(self, data: bytes) -> None:
        """Send a byte every 20 ms, until the data or the stand-in ends."""
        for byte in data:
            if self.provider.stopping.wait(0.02):
                return
            self.send(bytes([byte]))

    def wait(self) -> None:
        """Do nothing until the stand-in ends."""
        self.provider.stopping.wait()

    def reset(self) -> None:
        """Cut the connection hard: it is closed where it is served, with nothing after it."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        raise ConnectionResetError


Reply = Callable[[Peer], None]
"""What is done about a request, or about a connection before one is read."""


class Provider:
    """Follows its script, a reply for each request; the last one stays for all others.

    `on_connect` is what is done instead of reading a request. With `tls` it speaks it.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Asked] = []
        self.taken_bytes = 0
        self.connections = 0
        self.stopping = Event()
        self.release = Event()
        self.asked = Event()
        self.on_connect: Reply | None = None
        self._script: list[Reply] = []
        self._tls = tls
        self._lock = Lock()
        self._peers: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def port(self) -> int:
        """The port it listens on."""
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def origin(self) -> str:
        """Its URL, without a path."""
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    def will(self, *replies: Reply) -> None:
        """Set the script."""
        self._script = list(replies)

    def forget(self) -> None:
        """Be as new, for the next test, once nobody is at work here any more."""
        self.requests.clear()
        self.asked.clear()
        self.release.clear()

    def stop(self) -> None:
        """Cut every connection and return once no thread is left."""
        self.stopping.set()
        self.release.set()
        for opened in [self._listener, *self._peers]:
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(JOIN_SECONDS)
            assert not thread.is_alive()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connected = self._listener.accept()[0]
                self.connections += 1
                self._peers.append(connected)
                thread = Thread(target=self._serve, args=(connected,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connected: socket.socket) -> None:
        """Whatever the client does to the connection is the test's business, not an error."""
        with suppress(OSError), connected:
            if self.on_connect:
                self.on_connect(Peer(connected, self))
                return
            if self._tls:
                connected = self._tls.wrap_socket(connected, server_side=True)
                self._peers.append(connected)
            with connected, connected.makefile("rb") as stream:
                while line := stream.readline():
                    headers = dict(_headers(iter(stream.readline, b"\r\n")))
                    body = stream.read(int(headers.get("content-length", 0)))
                    self._next(Asked(line.decode().strip(), headers, body))(Peer(connected, self))

    def _next(self, asked: Asked) -> Reply:
        with self._lock:
            self.requests.append(asked)
            self.asked.set()
            return self._script.pop(0) if len(self._script) > 1 else self._script[0]


@contextmanager
def providing(tls: ssl.SSLContext | None = None) -> Iterator[Provider]:
    """Run a stand-in."""
    provider = Provider(tls)
    try:
        yield provider
    finally:
        provider.stop()


def _headers(lines: Iterator[bytes]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, _, value = line.decode().partition(":")
        yield name.strip().lower(), value.strip()


def answer(
    body: bytes, status: int = 200, content_type: str = "application/json", **headers: str
) -> Reply:
    """Answer whole; `retry_after` names the header retry-after."""
    return lambda peer: peer.send(head(status, content_type, len(body), **headers) + body)


def head(status: int, content_type: str, length: int, **headers: str) -> bytes:
    """Return the beginning of an answer."""
    fields = {"content-type": content_type, "content-length": str(length), **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join([f"HTTP/1.1 {status} Scripted", *lines, "", ""]).encode()


def slots(*data: object, **fields: object) -> Reply:
    """Answer as the Images API does, with these slots."""
    body = json.dumps({"created": 1, "data": list(data), **fields}).encode()
    return answer(body, x_request_id="req_42")


def image(data: bytes, **fields: object) -> Reply:
    """Answer with an image in base64."""
    return slots({"b64_json": base64.b64encode(data).decode()}, **fields)


def refusal(
    status: int, code: str | None = None, param: str | None = None, **headers: str
) -> Reply:
    """Refuse as OpenAI does; the text holds what no client of ours may see."""
    error = {"message": "SECRET provider text", "type": None, "param": param, "code": code}
    return answer(json.dumps({"error": error}).encode(), status, **headers)


def held(reply: Reply) -> Reply:
    """Reply once the test releases the stand-in."""

    def wait(peer: Peer) -> None:
        peer.provider.release.wait()
        reply(peer)

    return wait


def endless(peer: Peer) -> None:
    """Stream 200 MB of JSON that says nothing of its length before."""
    peer.send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
    peer.send(b'{"data":[{"b64_json":"')
    for _ in range(200_000_000 // len(_CHUNK)):
        peer.send(_CHUNK)


def events(*steps: Mapping[str, object] | Reply) -> Reply:
    """Answer in server-sent events, one after the other; a reply among them is done there."""

    def send(peer: Peer) -> None:
        peer.send(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
            b"x-request-id: req_42\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        for step in steps:
            if callable(step):
                step(peer)
            else:
                peer.send(chunk(event(step)))
        peer.send(b"0\r\n\r\n")

    return send


def event(fields: Mapping[str, object]) -> bytes:
    """Return an event as OpenAI sends it."""
    return f"event: {fields.get('type', '')}\ndata: {json.dumps(fields)}\n\n".encode()


def chunk(data: bytes) -> bytes:
    """Return a chunk of a body (RFC 9112, 7.1)."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def partial(data: bytes, index: int = 0) -> Mapping[str, object]:
    """Return the event of an unfinished image."""
    return {
        "type": "image_generation.partial_image",
        "b64_json": base64.b64encode(data).decode(),
        "partial_image_index": index,
    }


def completed(data: bytes, **fields: object) -> Mapping[str, object]:
    """Return the event of the finished image."""
    encoded = base64.b64encode(data).decode()
    return {"type": "image_generation.completed", "b64_json": encoded, **fields}


def fault(
    code: str | None, kind: str = "server_error", param: str | None = None
) -> dict[str, object]:
    """Return the event that ends a stream without an image."""
    error = {"message": "SECRET provider text", "type": kind, "param": param, "code": code}
    return {"type": "error", "error": error}
