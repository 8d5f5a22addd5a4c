"""A client on raw HTTP/2 (RFC 9113) that asks, and never takes an answer."""

import socket
import struct
from typing import Self

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS = 0, 1, 3, 4
HEADER_BYTES = 9
WAIT_SECONDS = 60.0
END_STREAM, END_HEADERS, ACK = 1, 4, 1
INITIAL_WINDOW_SIZE = 4


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """Return a frame: 24 bits of length, kind, flags, stream, payload."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literal(name: str, value: str) -> bytes:
    """Return a header field, neither indexed nor Huffman coded (RFC 7541, 6.2.2)."""
    return b"\0" + b"".join(bytes([len(text)]) + text.encode() for text in (name, value))


class DeafClient:
    """Opens a window of no bytes for every stream, so that no message fits."""

    def __init__(self, target: str, token: str) -> None:
        host, _, port = target.rpartition(":")
        self._token = token
        self._stream = -1
        self._socket = socket.create_connection((host, int(port)), WAIT_SECONDS)
        self._file = self._socket.makefile("rb")
        no_window = struct.pack(">HI", INITIAL_WINDOW_SIZE, 0)
        self._socket.sendall(PREFACE + frame(SETTINGS, 0, 0, no_window))
        self._socket.sendall(frame(SETTINGS, ACK, 0, b""))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def ask(self, method: str, message: bytes, **headers: str) -> None:
        """Send a whole unary request, with more headers by their names."""
        self._socket.sendall(self._request(method, message, **headers))

    def ask_often(self, count: int, method: str) -> None:
        """Send so many empty requests at once."""
        self._socket.sendall(b"".join(self._request(method, b"") for _ in range(count)))

    def _request(self, method: str, message: bytes, **headers: str) -> bytes:
        self._stream += 2
        fields = {
            ":method": "POST",
            ":scheme": "http",
            ":path": method,
            ":authority": "localhost",
            "te": "trailers",
            "content-type": "application/grpc",
            "authorization": f"Bearer {self._token}",
            **headers,
        }
        block = b"".join(literal(name, value) for name, value in fields.items())
        body = b"\0" + struct.pack(">I", len(message)) + message
        return frame(HEADERS, END_HEADERS, self._stream, block) + frame(
            DATA, END_STREAM, self._stream, body
        )

    def await_cut(self) -> int:
        """Wait until the server ends a call by a reset; return which one it was, from 0."""
        while True:
            header = self._file.read(HEADER_BYTES)
            self._file.read(int.from_bytes(header[:3]))
            if header[3] == RST_STREAM:
                return int.from_bytes(header[5:]) // 2
