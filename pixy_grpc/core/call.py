"""Who calls, how long they wait, and whether they still do."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from pixy_grpc.core.exceptions import DeadlineTooShortError
from pixy_grpc.core.progress import UNWATCHED, Progress


@dataclass(frozen=True)
class Deadline:
    """A moment on the monotonic clock by which an answer has to be there.

    `from_caller` tells the caller's own deadline from a cap of the service: past the
    first the caller asked for too much, past the second something of ours is too slow.
    """

    at: float
    from_caller: bool = False

    @classmethod
    def after(cls, seconds: float, *, from_caller: bool = False) -> "Deadline":
        """Return the deadline that many seconds from now."""
        return cls(time.monotonic() + seconds, from_caller)

    def remaining(self) -> float:
        """Return the seconds left, 0 once it has passed."""
        return max(0.0, self.at - time.monotonic())

    def within(self, seconds: float) -> "Deadline":
        """Return the earlier of this deadline and a cap of the service from now."""
        cap = time.monotonic() + seconds
        return Deadline(cap) if cap < self.at else self

    def or_earlier(self, other: "Deadline") -> "Deadline":
        """Return the earlier of two deadlines."""
        return other if other.at < self.at else self

    def check(self) -> None:
        """Raise DeadlineTooShortError once the deadline has passed."""
        if not self.remaining():
            raise DeadlineTooShortError(
                "The deadline left no time to answer: allow the call more time."
            )


def always() -> bool:
    """Tell that somebody still waits, of a call that cannot be given up."""
    return True


def unhindered() -> None:
    """Let whoever asks go on."""


@dataclass(frozen=True)
class Call:
    """One call as the service layer sees it, whatever brought it there.

    `caller` is the authenticated name, `call_id` the id of its log lines. `is_active`
    turns false once nobody waits for the answer any more. Within `waiting()` the call
    only waits for another one, and takes no place from those that work; entering it
    raises TooManyCreatesError where too many wait. Who goes on to work behind that says
    so by `working()`, which raises the same where too many work. `progress` hears how far
    its creation has come.
    """

    caller: str
    call_id: str
    deadline: Deadline
    is_active: Callable[[], bool] = always
    waiting: Callable[[], AbstractContextManager[None]] = nullcontext
    working: Callable[[], None] = unhindered
    progress: Progress = UNWATCHED

    def check(self) -> None:
        """Raise DeadlineTooShortError once nobody waits for the answer any more."""
        self.deadline.check()
        if not self.is_active():
            raise DeadlineTooShortError("The caller has gone.")
