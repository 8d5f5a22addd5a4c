"""Who may begin, who waits, and for how long."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pixy_grpc.core.call import Call, Deadline
from pixy_grpc.core.exceptions import DeadlineTooShortError, TooManyDownloadsError
from pixy_grpc.service.allotment import Allotment, Patience

SOON = 0.05
"""Seconds after which nobody waits any more."""

LONG = 20.0
"""Seconds that nothing here takes."""


def call(seconds: float = LONG, *, is_active: bool = True) -> Call:
    """Return a call with a deadline of its caller's."""
    deadline = Deadline.after(seconds, from_caller=True)
    return Call("alice", "1", deadline, lambda: is_active)


def is_refused(places: Allotment, caller: str) -> bool:
    """Tell whether a caller is refused a single place."""
    try:
        with places.taken(caller):
            return False
    except TooManyDownloadsError:
        return True


def test_one_caller_takes_half() -> None:
    """The other half is there for the others, and no more than there is."""
    places = Allotment(4)

    with places.taken("alice"), places.taken("alice"):
        with pytest.raises(TooManyDownloadsError) as refused, places.taken("alice"):
            pass
        with places.taken("bob"), places.taken("bob"):
            assert is_refused(places, "carol")

    assert refused.value.retry_delay_seconds
    with places.taken("alice"), places.taken("alice"):
        pass


def test_what_is_taken_comes_back_after_a_failure() -> None:
    """However the block ends."""
    places = Allotment(2)

    for _ in range(3):
        with pytest.raises(ZeroDivisionError), places.taken("alice"):
            raise ZeroDivisionError

    with places.taken("alice"):
        pass


def test_who_has_nothing_gets_more_than_half() -> None:
    """A single large amount fits where nothing is taken, and only there."""
    amounts = Allotment(10)

    with amounts.taken("alice", 12):
        assert is_refused(amounts, "bob")
    with amounts.taken("alice", 4), amounts.taken("bob", 6):
        assert is_refused(amounts, "carol")


def test_place_that_comes_free_goes_to_who_waits() -> None:
    """The wait ends with the work of the other."""
    places, entered, leave = Allotment(1), threading.Event(), threading.Event()

    def hold() -> None:
        with places.taken("bob"):
            entered.set()
            leave.wait(LONG)

    holder = threading.Thread(target=hold)
    holder.start()
    entered.wait(LONG)
    threading.Timer(SOON, leave.set).start()

    with places.taken("alice", patience=Patience(call(), LONG)):
        assert leave.is_set()
    holder.join()


class WatchedPatience(Patience):
    """Tells that somebody waits."""

    def __init__(self) -> None:
        super().__init__(call(), LONG)
        self.waits = threading.Event()

    def pause_seconds(self) -> float:
        """Say so, then do as ever."""
        self.waits.set()
        return super().pause_seconds()


@pytest.mark.parametrize("crowd", [1, 8])
def test_who_had_a_place_longest_ago_goes_first(crowd: int) -> None:
    """However many calls a caller has waiting, another's waits for one of them at most."""
    places, served = Allotment(1), list[str]()

    def take(caller: str, patience: Patience) -> None:
        with places.taken(caller, patience=patience):
            served.append(caller)

    with ThreadPoolExecutor(crowd + 2) as pool, places.taken("alice"):
        for caller in ["alice"] * crowd + ["bob", "carol"]:
            patience = WatchedPatience()
            pool.submit(take, caller, patience)
            assert patience.waits.wait(LONG)

    assert sorted(served[:2]) == ["bob", "carol"]
    assert served[2:] == ["alice"] * crowd


def test_who_gives_up_is_waited_for_by_nobody() -> None:
    """The place that they did not get is for the next."""
    places = Allotment(1)
    bob = places.taken("bob", patience=Patience(call(), SOON))

    with places.taken("alice"), pytest.raises(TooManyDownloadsError), bob:
        pass

    with places.taken("alice"):
        pass


@pytest.mark.parametrize(
    ("seconds", "is_active", "cap", "expected"),
    [
        (LONG, True, SOON, TooManyDownloadsError),
        (SOON, True, LONG, DeadlineTooShortError),
        (LONG, False, LONG, DeadlineTooShortError),
    ],
    ids=["cap", "deadline", "gone"],
)
def test_wait_ends_by_itself(
    seconds: float, cap: float, expected: type[Exception], *, is_active: bool
) -> None:
    """With the cap, with the caller's deadline, or with the caller."""
    places, waiting = Allotment(1), call(seconds, is_active=is_active)

    alice = places.taken("alice", patience=Patience(waiting, cap))

    with places.taken("bob"), pytest.raises(expected), alice:
        pass
