"""Lets few images in at once, from the first byte of each until it is stored.

A thousand answers that are read and decoded together hold gigabytes between them, and
keep each other, and everybody else, from the processor.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from pixy_grpc.core.call import Deadline

SLOW_SECONDS = 2.0
"""After so long an image gives its place to the next, and goes on without one: an answer
that drips, or a store that is slow, holds nobody else up."""


class Arrival:
    """One image's way in; it has a place from `enter` on."""

    def __init__(self, arrivals: "Arrivals") -> None:
        self._arrivals = arrivals
        self.since = 0.0

    def enter(self, deadline: Deadline) -> None:
        """Wait for a place, and go on without one after half of the time that is left:
        what is paid for is not lost to waiting. Whoever has one already does not wait.
        """
        if not self.since:
            self._arrivals.admit(self, deadline)


class Arrivals:
    """So many places; the oldest that is slow makes room for the next."""

    def __init__(self, places: int, slow_seconds: float = SLOW_SECONDS) -> None:
        self._places = places
        self._slow_seconds = slow_seconds
        self._inside: deque[Arrival] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def arrival(self) -> Iterator[Arrival]:
        """Give the place back at the end of the block, if one was taken."""
        arrival = Arrival(self)
        try:
            yield arrival
        finally:
            self._leave(arrival)

    def admit(self, arrival: Arrival, deadline: Deadline) -> None:
        """Let one in; see Arrival.enter."""
        patience = Deadline.after(deadline.remaining() / 2)
        with self._changed:
            while len(self._inside) >= self._places and patience.remaining():
                slow = self._inside[0].since + self._slow_seconds - time.monotonic()
                if slow <= 0:
                    self._inside.popleft()
                else:
                    self._changed.wait(min(slow, patience.remaining()))
            arrival.since = time.monotonic()
            self._inside.append(arrival)

    def _leave(self, arrival: Arrival) -> None:
        with self._changed:
            if arrival in self._inside:
                self._inside.remove(arrival)
                self._changed.notify()
