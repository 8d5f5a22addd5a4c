"""Cuts calls that take too long over something, with one thread for all of them."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PRECISION_SECONDS = 0.25
"""How late a cut may come: limits are seconds, and looking costs microseconds."""


class Limit:
    """A moment by which a call has to have got on, or be cut."""

    def __init__(self, at: float, cut: Callable[[], object]) -> None:
        self.at = at
        self.cut = cut


class Watchdog:
    """Watches limits until they are left or cut."""

    def __init__(self) -> None:
        self._limits: set[Limit] = set()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="pixy-watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching; nothing is cut any more."""
        self._stopped.set()
        self._thread.join()

    @contextmanager
    def limit(self, seconds: float, cut: Callable[[], object]) -> Iterator[Limit]:
        """Call `cut` from the watchdog's thread unless the block ends, or moves the limit's
        moment (on the monotonic clock), within that time.
        """
        limit = self.begin(seconds, cut)
        try:
            yield limit
        finally:
            self.end(limit)

    def begin(self, seconds: float, cut: Callable[[], object]) -> Limit:
        """Call `cut` unless the limit is ended, or its moment moved, within that time."""
        limit = Limit(time.monotonic() + seconds, cut)
        with self._lock:
            self._limits.add(limit)
        return limit

    def end(self, limit: Limit) -> None:
        """Watch a limit no longer."""
        with self._lock:
            self._limits.discard(limit)

    def _watch(self) -> None:
        while not self._stopped.wait(PRECISION_SECONDS):
            for limit in self._overdue():
                limit.cut()

    def _overdue(self) -> list[Limit]:
        now = time.monotonic()
        with self._lock:
            overdue = [limit for limit in self._limits if limit.at <= now]
            self._limits.difference_update(overdue)
        return overdue
