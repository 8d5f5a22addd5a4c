"""Sockets that keep a deadline, plain and inside TLS, whatever the peer does."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.data.mysql.url import TLS
from pixy_grpc.data.mysql.wire import DeadlineSocket, Limit, ssl_context
from tests.integration.generators.certificates import Authority

MORE_THAN_FITS = b"x" * 8_000_000
SIP_BYTES = 16_384
SIP_SECONDS = 0.02
"""At this rate it takes ten seconds to take all of that, a little each time."""

LATE_SECONDS = 4.0


@contextmanager
def _pair(deadline: Deadline) -> Iterator[tuple[DeadlineSocket, socket.socket]]:
    """Lend a socket of ours that has that deadline, and its peer."""
    here, peer = socket.socketpair()
    with DeadlineSocket(fileno=here.detach()) as ours, peer:
        ours.limit = Limit(deadline)
        yield ours, peer


def test_answer_that_is_there_is_not_taken_late() -> None:
    """An answer that goes on and on ends by the deadline, too."""
    with _pair(Deadline.after(-1)) as (ours, peer):
        peer.sendall(b"x")

        with pytest.raises(TimeoutError):
            ours.recv_into(bytearray(1))


@pytest.mark.parametrize("method", ["send", "sendall"])
def test_nothing_is_sent_late(method: str) -> None:
    with _pair(Deadline.after(-1)) as (ours, _), pytest.raises(TimeoutError):
        getattr(ours, method)(b"x")


def test_peer_that_sips_inside_tls_holds_nobody(tmp_path: Path) -> None:
    """All of what is sent has one deadline, not each piece of it."""
    authority = Authority(tmp_path)
    context = ssl_context(TLS(ca=authority.ca_file, check_hostname=False))
    with _pair(Deadline.after(30)) as (ours, peer), ThreadPoolExecutor(1) as threads:
        stopped = threading.Event()
        sipping = threads.submit(_sip, authority, peer, stopped)
        ours.settimeout(5)
        with context.wrap_socket(ours) as wrapped:
            deadline = ours.limit.deadline = Deadline.after(0.5)
            try:
                with pytest.raises(TimeoutError):
                    wrapped.sendall(MORE_THAN_FITS)
                late_seconds = Deadline.after(0).at - deadline.at
            finally:
                stopped.set()
        sipping.result(5)

    assert late_seconds < LATE_SECONDS


def test_shut_down_leaves_tls_to_the_thread_that_uses_it(tmp_path: Path) -> None:
    """Whoever reads then finds the peer gone, not TLS taken away in the middle."""
    authority = Authority(tmp_path)
    context = ssl_context(TLS(ca=authority.ca_file, check_hostname=False))
    with _pair(Deadline.after(5)) as (ours, peer), ThreadPoolExecutor(1) as threads:
        stopped = threading.Event()
        sipping = threads.submit(_sip, authority, peer, stopped)
        ours.settimeout(5)
        with context.wrap_socket(ours) as wrapped:
            ours.limit.shut_down()

            assert wrapped.version()
        stopped.set()
        sipping.result(5)


def _sip(authority: Authority, peer: socket.socket, stopped: threading.Event) -> None:
    """Read a little at a time, until it is over."""
    context = authority.server_context()
    with context.wrap_socket(peer, server_side=True) as reading, suppress(OSError):
        while not stopped.wait(SIP_SECONDS) and reading.recv(SIP_BYTES):
            pass
