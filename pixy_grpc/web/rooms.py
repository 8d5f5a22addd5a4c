"""Rooms: each kind of work has its own bounded threads (bulkheads).

The synchronous server holds a thread for every running RPC. Rooms keep one kind of
work, and one caller, from taking the threads of all others.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from pixy_grpc.core.exceptions import ResourceExhaustedError
from pixy_grpc.web.threads import Threads

RETRY_SECONDS = 1.0
"""When to come back to a full room: most work takes less."""

_SPARE_THREADS = 2
"""A place is free a moment before its thread is: the answer is still being sent."""


class Room:
    """A bounded number of places, at most half of them for one caller.

    A room whose callers have no names (`shared`) is for all of them together.
    """

    def __init__(
        self,
        name: str,
        places: int,
        refusal: type[ResourceExhaustedError],
        *,
        shared: bool = False,
        threads: int = 0,
    ) -> None:
        """Take how many threads there are beyond one a place: for those who wait elsewhere."""
        self.pool = Threads(places + threads + _SPARE_THREADS, name)
        self._name = name
        self._places = places
        self._share = places if shared else places // 2
        self._refusal = refusal
        self._taken: Counter[str] = Counter()
        self._changed = threading.Condition()

    def enter(self, caller: str) -> None:
        """Take a place, at once; raise the room's refusal where there is none."""
        with self._changed:
            if self._taken.total() >= self._places:
                raise self._full("The service is at its limit")
            if self._taken[caller] >= self._share:
                raise self._full("You are at your limit")
            self._taken[caller] += 1

    def leave(self, caller: str) -> None:
        """Give a place back."""
        with self._changed:
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]
                self._changed.notify_all()

    def open(self) -> None:
        """Have a first thread, before anybody may enter. Raises RuntimeError."""
        self.pool.begin()

    def wait_empty(self, seconds: float) -> bool:
        """Wait until nobody is in the room; return whether that came within the time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._taken, timeout=max(seconds, 0))

    def close(self) -> None:
        """Let the threads end once they are done."""
        self.pool.shutdown(wait=False)

    def _full(self, what: str) -> ResourceExhaustedError:
        text = f"{what} of {self._name} at once: try again in a moment."
        return self._refusal(text, retry_delay_seconds=RETRY_SECONDS)


class Place:
    """The place of one call, which it changes for one in another room once it has to wait."""

    def __init__(self, room: Room, waits: Room, caller: str) -> None:
        """Take a place in the room, at once. Raises its refusal."""
        room.enter(caller)
        self._room = self._taken = room
        self._waits = waits
        self._caller = caller

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Wait in the other room, and stay there to the end of the call, whose answer may
        have to wait for its reader: those who come back would fill the room past its size.

        Raises the other room's refusal.
        """
        self._change(self._waits)
        yield

    def working(self) -> None:
        """Come back to work. Raises the room's refusal where it is full by now."""
        self._change(self._room)

    def leave(self) -> None:
        """Give the place back, wherever it is."""
        self._taken.leave(self._caller)

    def _change(self, other: Room) -> None:
        if self._taken is not other:
            other.enter(self._caller)
            self._taken.leave(self._caller)
            self._taken = other
