"""A thread that comes round: at its times, or when it is called."""

import logging
import threading
import time
from collections.abc import Callable

AFTER_ERROR_SECONDS = 1.0
"""Until the round after one that failed: soon enough for a lease to be renewed."""

_log = logging.getLogger(__name__)


class Rounds:
    """Runs `act` over and over in one thread, begun when it is first needed.

    `act` returns the seconds until the next round. What it raises nobody foresaw: that
    is logged, and another round comes.
    """

    def __init__(self, name: str, act: Callable[[], float]) -> None:
        self._name = name
        self._act = act
        self._lock = threading.Lock()
        self._called = threading.Event()
        self._stopped = False
        self._thread: threading.Thread | None = None

    def ensure(self) -> None:
        """Begin the thread, unless it runs or is not to run any more.

        Raises RuntimeError where none can begin.
        """
        with self._lock:
            if self._stopped or (self._thread and self._thread.is_alive()):
                return
            thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            thread.start()
            self._thread = thread

    def call(self) -> None:
        """Begin a round now, if the thread runs; it may begin it twice."""
        self._called.set()

    def stop(self, seconds: float) -> None:
        """Begin no more rounds; wait that long at most for one that runs."""
        with self._lock:
            self._stopped = True
            thread = self._thread
        self._called.set()
        if thread:
            thread.join(seconds)

    def _run(self) -> None:
        while not self._stopped:
            due = time.monotonic() + self._pause()
            self._called.wait(max(due - time.monotonic(), 0))
            self._called.clear()

    def _pause(self) -> float:
        try:
            return self._act()
        except Exception:  # noqa: BLE001 - reported, by the one handler of its thread
            _log.exception("a round failed thread=%s", self._name)
            return AFTER_ERROR_SECONDS
