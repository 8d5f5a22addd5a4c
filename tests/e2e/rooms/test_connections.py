"""Connections that nobody is behind, or that go on for too long, are closed."""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.e2e.rooms.conftest import Limits, StartLimited
from tests.e2e.rooms.deaf import ACK, PREFACE, SETTINGS, frame
from tests.support.server import RunningServer

PING, GOAWAY = 6, 7
HEADER_BYTES = 9
MAX_CONCURRENT_STREAMS = 3
BOUND_SECONDS = 10.0
"""A fraction of what gRPC waits for by default."""


class SilentPeer:
    """An HTTP/2 client (RFC 9113) that says hello, and then nothing but what it is told to."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), BOUND_SECONDS)
        self._file = self._socket.makefile("rb")
        self.send(PREFACE + frame(SETTINGS, 0, 0, b"") + frame(SETTINGS, ACK, 0, b""))

    def send(self, data: bytes) -> None:
        """Say something."""
        self._socket.sendall(data)

    def frames(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield the kind, flags and payload of each frame until the server has closed."""
        while header := self._file.read(HEADER_BYTES):
            yield header[3], header[4], self._file.read(int.from_bytes(header[:3]))

    def close(self) -> None:
        """Go."""
        self._file.close()
        self._socket.close()


@contextmanager
def _peer(server: RunningServer) -> Iterator[SilentPeer]:
    peer = SilentPeer(server.target)
    try:
        yield peer
    finally:
        peer.close()


def test_connection_carries_a_hundred_calls_at_once(start_limited: StartLimited) -> None:
    """A burst of one connection holds up everybody: all calls pass one event thread."""
    server = start_limited()
    with _peer(server) as peer:
        settings = next(payload for kind, _, payload in peer.frames() if kind == SETTINGS)

    pairs = struct.iter_unpack(">HI", settings)
    assert dict(pairs)[MAX_CONCURRENT_STREAMS] == 100


def test_peer_that_does_not_answer_a_ping_is_closed(start_limited: StartLimited) -> None:
    """Its machine is gone, or the network behind it: nothing else would tell."""
    server = start_limited(quiet_seconds=0.2, silent_seconds=0.2)
    with _peer(server) as peer:
        kinds = [kind for kind, _, _ in peer.frames()]

    assert PING in kinds
    assert kinds[-1] == GOAWAY


@pytest.mark.parametrize("limits", [Limits(idle_seconds=0.3), Limits(connection_seconds=0.3)])
def test_connection_is_told_to_go(start_limited: StartLimited, limits: Limits) -> None:
    """Without calls it makes room; and none stays for good, whatever every limit missed."""
    server = start_limited(**limits)
    with _peer(server) as peer:
        assert GOAWAY in (kind for kind, _, _ in peer.frames())
