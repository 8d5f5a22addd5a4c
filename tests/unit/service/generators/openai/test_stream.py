"""The clock under an exchange, which refuses to be left out."""

import socket
from collections.abc import Iterator

import httpcore2
import pytest

from pixy_grpc.service.generators.openai.stream import DeadlineStream, Sending, TimeLeft


@pytest.fixture
def pair() -> Iterator[tuple[DeadlineStream, socket.socket]]:
    """Connect a stream to a peer."""
    ours, peer = socket.socketpair()
    stream = DeadlineStream(ours)
    yield stream, peer
    stream.close()
    peer.close()


def test_read_without_the_clock_is_refused(pair: tuple[DeadlineStream, socket.socket]) -> None:
    """A version of httpcore2 that handed on something else would fail, not hang."""
    with pytest.raises(TypeError):
        pair[0].read(1, 5.0)


def test_write_that_is_not_watched_is_refused(pair: tuple[DeadlineStream, socket.socket]) -> None:
    """Nothing that may be billed leaves without being noted."""
    with pytest.raises(TypeError):
        pair[0].write(b"x", TimeLeft(5.0))


def test_first_write_is_noted_before_it_happens(pair: tuple[DeadlineStream, socket.socket]) -> None:
    """Whoever is told can still say no."""
    stream, peer = pair
    peer.settimeout(0.0)
    told: list[bool] = []

    def before() -> None:
        with pytest.raises(BlockingIOError):
            peer.recv(1)
        told.append(True)

    sending = Sending(5.0, before)
    stream.write(b"a", sending)
    stream.write(b"b", sending)

    assert (told, sending.begun, peer.recv(2)) == ([True], True, b"ab")


def test_write_after_the_end_leaves_unsent(pair: tuple[DeadlineStream, socket.socket]) -> None:
    """A connection that stood too late is not used."""
    sending = Sending(0.0, lambda: None)

    with pytest.raises(httpcore2.WriteTimeout):
        pair[0].write(b"a", sending)

    assert not sending.begun


def test_write_to_a_peer_that_reads_nothing_ends_in_time(
    pair: tuple[DeadlineStream, socket.socket],
) -> None:
    """What does not fit into the buffers waits no longer than the clock runs."""
    with pytest.raises(httpcore2.WriteTimeout):
        pair[0].write(b"x" * (32 << 20), Sending(0.2, lambda: None))


def test_closed_stream_is_readable(pair: tuple[DeadlineStream, socket.socket]) -> None:
    """The pool takes a connection that is gone for one that has hung up."""
    stream, peer = pair

    assert stream.get_extra_info("is_readable") is False
    peer.close()
    assert stream.get_extra_info("is_readable") is True
    stream.close()
    assert stream.get_extra_info("is_readable") is True
    assert stream.get_extra_info("server_addr") is None
