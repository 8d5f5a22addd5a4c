"""Lets few images in at once, from the first byte of each until it is stored.

A thousand answers that are read and decoded together hold gigabytes between them, and
keep each other, and everybody else, from the processor.
"""

import math
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager

from pixy_grpc.core.call import Deadline

SLOW_SECONDS = 2.0
"""After so long an image gives its place to the next, and goes on without one: an answer
that drips, or a store that is slow, holds nobody else up."""


class Arrival:
    """One image's way in; it has a place from `enter` on."""

    def __init__(self, arrivals: "Arrivals", caller: str) -> None:
        self._arrivals = arrivals
        self.caller = caller
        self.since = 0.0

    def enter(self, deadline: Deadline) -> None:
        """Wait for a place, and go on without one after half of the time that is left:
        what is paid for is not lost to waiting. Whoever has one already does not wait.
        """
        if not self.since:
            self._arrivals.admit(self, deadline)


class Arrivals:
    """So many places; the oldest that is slow makes room for the next.

    Whose caller has fewest inside is next, and of those who came first: as many large
    images as one caller likes do not hold up the small one of another.
    """

    def __init__(self, places: int, slow_seconds: float = SLOW_SECONDS) -> None:
        self._places = places
        self._slow_seconds = slow_seconds
        self._inside: deque[Arrival] = deque()
        self._waiting: list[Arrival] = []
        self._changed = threading.Condition()

    @contextmanager
    def arrival(self, caller: str) -> Iterator[Arrival]:
        """Give the place back at the end of the block, if one was taken."""
        arrival = Arrival(self, caller)
        try:
            yield arrival
        finally:
            self._leave(arrival)

    def admit(self, arrival: Arrival, deadline: Deadline) -> None:
        """Let one in; see Arrival.enter."""
        patience = Deadline.after(deadline.remaining() / 2)
        with self._changed:
            self._waiting.append(arrival)
            while self._next() is not arrival or not self._has_place():
                if not patience.remaining():
                    break
                pause = self._seconds_to_slow() if self._next() is arrival else math.inf
                self._changed.wait(min(pause, patience.remaining()))
            self._waiting.remove(arrival)
            arrival.since = time.monotonic()
            self._inside.append(arrival)
            self._changed.notify_all()

    def _next(self) -> Arrival:
        inside = Counter(each.caller for each in self._inside)
        return min(self._waiting, key=lambda each: inside[each.caller])

    def _has_place(self) -> bool:
        """Tell whether there is one, which a slow one may just have made."""
        if len(self._inside) >= self._places and self._seconds_to_slow() <= 0:
            self._inside.popleft()
        return len(self._inside) < self._places

    def _seconds_to_slow(self) -> float:
        """Return how soon the oldest inside will be slow."""
        return self._inside[0].since + self._slow_seconds - time.monotonic()

    def _leave(self, arrival: Arrival) -> None:
        with self._changed:
            if arrival in self._inside:
                self._inside.remove(arrival)
                self._changed.notify_all()
