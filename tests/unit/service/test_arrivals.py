"""Few images come in at once, and none of them holds up the others."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from concurrent.futures import TimeoutError as NotYetError
from contextlib import ExitStack

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.service.creation.arrivals import Arrivals

WAIT_SECONDS = 30.0
SHORT_SECONDS = 0.05
NEVER_SLOW = 3600.0


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Run those who wait."""
    with ThreadPoolExecutor(8) as pool:
        yield pool


def enter(
    threads: ThreadPoolExecutor,
    arrivals: Arrivals,
    seconds: float = WAIT_SECONDS,
    caller: str = "alice",
) -> "tuple[ExitStack, Future[None]]":
    """Have one come in; return what sends it away again, and when it is inside."""
    inside = ExitStack()
    arrival = inside.enter_context(arrivals.arrival(caller))
    return inside, threads.submit(arrival.enter, Deadline.after(seconds))


def test_next_comes_in_when_one_leaves(threads: ThreadPoolExecutor) -> None:
    """There is a place for each, one after the other."""
    arrivals = Arrivals(1, NEVER_SLOW)
    first, is_in = enter(threads, arrivals)
    is_in.result(WAIT_SECONDS)
    second, waits = enter(threads, arrivals)

    with pytest.raises(NotYetError):
        waits.result(SHORT_SECONDS)
    first.close()

    waits.result(WAIT_SECONDS)
    second.close()


def test_caller_with_fewest_inside_is_next(threads: ThreadPoolExecutor) -> None:
    """Whoever has come for many images is behind whoever has come for one."""
    arrivals = Arrivals(2, NEVER_SLOW)
    inside = [enter(threads, arrivals, caller="alice") for _ in range(2)]
    wait([is_in for _, is_in in inside], WAIT_SECONDS)
    behind, waits = enter(threads, arrivals, caller="alice")
    with pytest.raises(NotYetError):
        waits.result(SHORT_SECONDS)  # so that it was first
    bobs, comes = enter(threads, arrivals, caller="bob")
    with pytest.raises(NotYetError):
        comes.result(SHORT_SECONDS)

    inside[0][0].close()
    comes.result(WAIT_SECONDS)

    with pytest.raises(NotYetError):
        waits.result(SHORT_SECONDS)
    bobs.close()
    waits.result(WAIT_SECONDS)
    behind.close()
    inside[1][0].close()


def test_slow_one_gives_its_place_to_the_next(threads: ThreadPoolExecutor) -> None:
    """An answer that drips costs the next a moment, not its turn; leaving is no second time."""
    arrivals = Arrivals(1, SHORT_SECONDS)
    slow, is_in = enter(threads, arrivals)
    is_in.result(WAIT_SECONDS)

    quick, came = enter(threads, arrivals)
    came.result(WAIT_SECONDS)
    slow.close()
    third, waits = enter(threads, arrivals, NEVER_SLOW)

    quick.close()
    waits.result(WAIT_SECONDS)
    third.close()


def test_wait_ends_at_half_of_the_time_left(threads: ThreadPoolExecutor) -> None:
    """What is paid for comes in without a place rather than not at all."""
    arrivals = Arrivals(1, NEVER_SLOW)
    first, is_in = enter(threads, arrivals)
    is_in.result(WAIT_SECONDS)
    began = time.monotonic()

    second, came = enter(threads, arrivals, seconds=3.0)
    came.result(WAIT_SECONDS)

    assert 1.5 <= time.monotonic() - began < 3.0
    first.close()
    second.close()


def test_who_is_inside_does_not_wait_again(threads: ThreadPoolExecutor) -> None:
    """An answer may hold a url, whose answer is another: one image, one place."""
    arrivals = Arrivals(1, NEVER_SLOW)

    with arrivals.arrival("alice") as arrival:
        arrival.enter(Deadline.after(WAIT_SECONDS))
        arrival.enter(Deadline.after(WAIT_SECONDS))

    again, came = enter(threads, arrivals)
    came.result(WAIT_SECONDS)
    again.close()
