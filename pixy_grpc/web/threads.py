"""Threads for one kind of work, on a machine that may not allow as many as it takes."""

import logging
import sys
from concurrent.futures import ThreadPoolExecutor

_COUNTED_IDLE = int(sys.version_info < (3, 12))
"""How often a thread is counted as idle, one too many, once it has done work for which none
could begin: up to Python 3.11 it is at the end of all work, whatever else waits for it."""

_log = logging.getLogger(__name__)


class Threads(ThreadPoolExecutor):
    """A pool that has one thread, and more where the machine lets them begin.

    Work for which none can (a limit of processes, or of memory) waits for one that is there.
    Raised to grpcio, the error would end its one event thread, and no call would be answered
    any more.
    """

    def __init__(self, count: int, name: str) -> None:
        super().__init__(count, thread_name_prefix=f"pixy-{name}")
        self._too_many_idle = 0

    def begin(self) -> None:
        """Have the first thread there. Raises RuntimeError where it cannot begin."""
        self.submit(_nothing)

    def _adjust_thread_count(self) -> None:
        """Begin a thread for work that is queued by now, if there may be more and it can."""
        while self._too_many_idle and self._idle_semaphore.acquire(blocking=False):
            self._too_many_idle -= 1
        try:
            super()._adjust_thread_count()
        except RuntimeError as error:
            if not self._threads:
                raise
            self._too_many_idle += _COUNTED_IDLE
            _log.warning("work waits for=%s error=%s", self._thread_name_prefix, error)


def _nothing() -> None:
    """Do nothing: a thread begins with its first work."""
