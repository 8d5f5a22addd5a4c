"""Who may begin, who waits, and for how long."""

import threading

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
