"""Deadlines, and who sets them."""

import time
from dataclasses import FrozenInstanceError

import pytest

from pixy_grpc.core.call import Call, Deadline
from pixy_grpc.core.exceptions import DeadlineTooShortError


def test_deadline_counts_down() -> None:
    """From the seconds it was made with, never below zero."""
    deadline = Deadline.after(100)

    first, second = deadline.remaining(), deadline.remaining()

    assert 99 < second <= first <= 100
    assert Deadline.after(-1).remaining() == 0.0
    assert Deadline(time.monotonic()).remaining() == 0.0


@pytest.mark.parametrize("from_caller", [True, False])
def test_deadline_knows_whose_it_is(*, from_caller: bool) -> None:
    assert Deadline.after(1, from_caller=from_caller).from_caller is from_caller
    assert not Deadline.after(1).from_caller


def test_within_a_nearer_cap_is_the_cap() -> None:
    """Past it something of ours was too slow, not the caller in a hurry."""
    bounded = Deadline.after(100, from_caller=True).within(1)

    assert bounded.remaining() <= 1
    assert not bounded.from_caller


@pytest.mark.parametrize("seconds", [0.5, -1.0])
def test_within_a_farther_cap_is_the_deadline(seconds: float) -> None:
    deadline = Deadline.after(seconds, from_caller=True)

    assert deadline.within(10) is deadline


def test_within_of_no_deadline_is_the_cap() -> None:
    """A call without one tells of no deadline by 9.2e18 seconds."""
    assert Deadline.after(9.2e18, from_caller=True).within(5).remaining() <= 5


def test_earlier_of_two_deadlines_is_one_of_them() -> None:
    near, far = Deadline.after(1), Deadline.after(2, from_caller=True)

    assert near.or_earlier(far) is near
    assert far.or_earlier(near) is near


def test_check_passes_until_the_deadline() -> None:
    Deadline.after(10).check()

    with pytest.raises(DeadlineTooShortError):
        Deadline.after(0).check()


def test_call_is_active_unless_told_otherwise() -> None:
    call = Call("alice", "call-1", Deadline.after(1))
    gone = Call("alice", "call-1", Deadline.after(1), lambda: False)

    assert call.is_active()
    assert not gone.is_active()


def test_check_of_a_call_passes_while_somebody_waits() -> None:
    """Neither out of time nor gone."""
    late = Call("alice", "call-1", Deadline.after(0))
    gone = Call("alice", "call-1", Deadline.after(10), lambda: False)

    Call("alice", "call-1", Deadline.after(10)).check()

    for call in (late, gone):
        with pytest.raises(DeadlineTooShortError):
            call.check()


def test_call_is_a_value() -> None:
    call = Call("alice", "call-1", Deadline.after(1))

    with pytest.raises(FrozenInstanceError):
        call.caller = "bob"  # type: ignore[misc]  # what is refused
