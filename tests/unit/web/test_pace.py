"""Who is cut for being slow: a reader that takes nothing, and nobody for the store's sake."""

import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import replace

import pytest

from pixy_grpc.web.pace import Pace, Responses
from pixy_grpc.web.watchdog import PRECISION_SECONDS, Watchdog

STALL_SECONDS = 0.1
LATE_SECONDS = STALL_SECONDS + 2 * PRECISION_SECONDS
"""By then the watchdog has cut what it had to."""

WAIT_SECONDS = 20.0


class Context:
    """The part of a call's context that cuts it."""

    def __init__(self) -> None:
        self.cut = threading.Event()

    def cancel(self) -> None:
        """Cut the call."""
        self.cut.set()


@pytest.fixture
def pace() -> Iterator[Pace]:
    """Return a pace of little patience."""
    watchdog = Watchdog()
    watchdog.start()
    yield Pace(watchdog, STALL_SECONDS, least_bytes_per_second=1_000)
    watchdog.stop()


def kept(pace: Pace, chunks: Iterator[bytes], context: Context) -> Responses:
    """Yield chunks to a reader that has to keep the pace."""
    return pace.kept(chunks, context)  # type: ignore[arg-type]  # it cancels, and no more


def slowly(chunks: int) -> Iterator[bytes]:
    """Yield chunks as a store that has to be waited for."""
    for _ in range(chunks):
        time.sleep(LATE_SECONDS)
        yield b"x"


def test_reader_of_a_slow_store_is_not_cut(pace: Pace) -> None:
    """What the store takes over a chunk is not the reader's time, however often it does."""
    context = Context()

    taken = list(kept(pace, slowly(2), context))

    assert taken == [b"x", b"x"]
    assert not context.cut.is_set()


def test_reader_that_takes_nothing_is_cut(pace: Pace) -> None:
    """It holds a thread and a message."""
    context = Context()
    responses = kept(pace, iter([b"x", b"x"]), context)
    next(responses)

    assert context.cut.wait(WAIT_SECONDS)
    assert isinstance(responses, Generator)
    responses.close()


def test_reader_below_the_least_rate_is_cut(pace: Pace) -> None:
    """One that takes each message in time, and yet would take for ever."""
    context = Context()
    began = time.monotonic()

    for _ in kept(pace, iter([b"x"] * 1_000), context):
        if context.cut.wait(STALL_SECONDS / 4):
            break

    assert context.cut.is_set()
    assert time.monotonic() - began < WAIT_SECONDS


def test_reader_above_the_least_rate_is_not_cut(pace: Pace) -> None:
    """It has the time that the least rate would take, beside its patience."""
    context = Context()
    patient = replace(pace, stall_seconds=2.4)
    chunk = b"x" * 1_000

    for _ in kept(patient, iter([chunk] * 6), context):
        context.cut.wait(0.45)  # in all longer than its patience

    assert not context.cut.is_set()
