"""One block is read ahead, in order, and nothing is at work once it is closed."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pixy_grpc.core.exceptions import ImageCorruptError
from pixy_grpc.service.readahead import ReadAhead

WAIT_SECONDS = 30.0


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Read ahead in these."""
    with ThreadPoolExecutor(4) as pool:
        yield pool


def test_blocks_come_in_their_order(threads: ThreadPoolExecutor) -> None:
    """What is read ahead is read once, by one thread after the other."""
    blocks = [bytes([number]) for number in range(100)]

    assert list(ReadAhead(iter(blocks), threads)) == blocks


def test_next_block_is_read_while_one_is_sent(threads: ThreadPoolExecutor) -> None:
    """One and no more: a reader that stalls holds two blocks."""
    second, third = threading.Event(), threading.Event()

    def blocks() -> Iterator[bytes]:
        yield b"1"
        second.set()
        yield b"2"
        third.set()
        yield b"3"

    ahead = ReadAhead(blocks(), threads)

    assert next(iter(ahead)) == b"1"
    assert second.wait(WAIT_SECONDS)
    ahead.close()
    assert not third.is_set()


def test_error_comes_in_its_place(threads: ThreadPoolExecutor) -> None:
    """What was read before it is right, and is given out."""

    def blocks() -> Iterator[bytes]:
        yield b"1"
        raise ImageCorruptError("changed")

    taken = []
    with pytest.raises(ImageCorruptError):
        taken.extend(ReadAhead(blocks(), threads))

    reading = iter(ReadAhead(blocks(), threads))
    assert next(reading) == b"1"
    with pytest.raises(ImageCorruptError):
        next(reading)


def test_close_waits_for_the_read_that_runs(threads: ThreadPoolExecutor) -> None:
    """The file is closed next: nobody may still read from it."""
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def blocks() -> Iterator[bytes]:
        begun.set()
        go_on.wait(WAIT_SECONDS)
        ended.set()
        yield b"1"

    ahead = ReadAhead(blocks(), threads)
    assert begun.wait(WAIT_SECONDS)
    closing = threads.submit(ahead.close)
    go_on.set()

    closing.result(WAIT_SECONDS)
    assert ended.is_set()
