"""Time as it is on a machine that nobody else keeps busy."""

import threading
import time
from functools import cache

TICK_SECONDS = 0.01


class _Yardstick:
    """A thread that does nothing but wait, and adds up by how much it is woken too late.

    So much later may end what waits, or works, beside it.
    """

    def __init__(self) -> None:
        self.held_up_seconds = 0.0
        threading.Thread(target=self._measure, daemon=True).start()

    def _measure(self) -> None:
        never = threading.Event()
        while True:
            began = time.perf_counter()
            never.wait(TICK_SECONDS)
            self.held_up_seconds += max(0.0, time.perf_counter() - began - TICK_SECONDS)


@cache
def _yardstick() -> _Yardstick:
    """Return the one of this process."""
    return _Yardstick()


class Stopwatch:
    """Measures from its making on.

    `held_up_seconds` is how long the machine had no time for this process meanwhile;
    `seconds` are without that.
    """

    def __init__(self) -> None:
        self._held_up = _yardstick().held_up_seconds
        self._began = time.perf_counter()

    @property
    def held_up_seconds(self) -> float:
        """What others took of the time since."""
        return _yardstick().held_up_seconds - self._held_up

    @property
    def seconds(self) -> float:
        """What is left of it."""
        return time.perf_counter() - self._began - self.held_up_seconds
