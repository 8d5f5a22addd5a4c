"""Work that many want at once, and one does."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pixy_grpc.core.call import Call, Deadline
from pixy_grpc.core.exceptions import (
    DeadlineTooShortError,
    ImageCorruptError,
    ImageException,
    TooManyDownloadsError,
)
from pixy_grpc.service.allotment import Patience
from pixy_grpc.service.flights import Flights

LONG = 20.0
CALLERS = 5


def patience(seconds: float = LONG) -> Patience:
    """Return that of a call without a deadline."""
    return Patience(Call("alice", "1", Deadline.after(600)), seconds)


class CountedPatience(Patience):
    """Tells when it has been asked, so that a test knows who waits."""

    def __init__(self, waiting: threading.Semaphore) -> None:
        super().__init__(Call("alice", "1", Deadline.after(600)), LONG)
        self._waiting = waiting

    def pause_seconds(self) -> float:
        """Count, then do as ever."""
        self._waiting.release()
        return super().pause_seconds()


class Work:
    """Counts how often it is done, and is done when it is told."""

    def __init__(self, *failures: Exception) -> None:
        self.runs = 0
        self.begun, self.may_end = threading.Event(), threading.Event()
        self._failures = list(failures)

    def __call__(self) -> int:
        """Wait, then fail while there are failures left."""
        self.runs += 1
        self.begun.set()
        self.may_end.wait(LONG)
        if self._failures:
            raise self._failures.pop()
        return 42


def fly_together(work: Work) -> list[int | ImageException]:
    """Return what each of CALLERS gets who wants the same at once: a number or an error."""
    flights: Flights[str, int] = Flights(ImageCorruptError)
    waiting = threading.Semaphore(0)

    def join() -> int | ImageException:
        try:
            return flights.joined("key", work, CountedPatience(waiting))
        except ImageException as error:
            return error

    with ThreadPoolExecutor(CALLERS) as pool:
        joined = [pool.submit(join) for _ in range(CALLERS)]
        for _ in range(CALLERS - 1):
            waiting.acquire(timeout=LONG)
        work.may_end.set()
        return [each.result() for each in joined]


def test_work_is_done_once_for_all_who_want_it() -> None:
    """The others get what the first has made."""
    work = Work()

    assert fly_together(work) == [42] * CALLERS
    assert work.runs == 1


def test_others_go_on_where_the_first_fails() -> None:
    """It may have been its own deadline: only who did the work is told."""
    work = Work(DeadlineTooShortError("No."))

    results = fly_together(work)

    assert [type(each) for each in results if each != 42] == [DeadlineTooShortError]
    assert work.runs > 1


def test_what_is_refused_to_one_is_refused_to_all() -> None:
    """It lies in the work: to do it again would come to the same. Each gets an error of its
    own, as an error holds the frames it was raised in.
    """
    refusal = ImageCorruptError("No.", retry_delay_seconds=9.0)
    work = Work(refusal)

    results = fly_together(work)

    assert work.runs == 1
    assert len({id(each) for each in results}) == CALLERS
    assert [vars(each) for each in results] == [vars(refusal)] * CALLERS


def test_who_waits_too_long_is_refused_and_the_work_goes_on() -> None:
    """A follower's patience is its own."""
    flights: Flights[str, int] = Flights()
    work = Work()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(lambda: flights.joined("key", work, patience()))
        work.begun.wait(LONG)

        with pytest.raises(TooManyDownloadsError):
            flights.joined("key", work, patience(0.05))

        work.may_end.set()
        assert first.result() == 42


def test_other_work_and_later_work_is_done_anew() -> None:
    """What has ended is not kept here, and another key is other work."""
    flights: Flights[str, int] = Flights()
    work = Work()
    work.may_end.set()

    for key in ("key", "other", "key"):
        flights.joined(key, work, patience())

    assert work.runs == 3
