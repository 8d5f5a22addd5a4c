"""Duplicates of a creation that runs: they wait for its end, in a room of their own."""

import threading
from collections.abc import Callable

from pixy_grpc.core.call import Call
from pixy_grpc.core.creations import CreationKey
from pixy_grpc.core.exceptions import DeadlineTooShortError, ServiceUnavailableError
from pixy_grpc.service.creation.keeping import in_progress
from pixy_grpc.service.creation.leases import Leases

FIRST_PAUSE_SECONDS = 0.05
"""Until the first look at what another process is at."""

LONGEST_PAUSE_SECONDS = 1.0
"""Between two looks: at the creation, and at whether the caller still waits."""


class Waiting:
    """Waits until a creation may be gone on with."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases

    def wait(self, key: CreationKey, call: Call, is_over: Callable[[], bool]) -> None:
        """Return once `is_over`, which looks at the database, says so.

        Raises CreationInProgressError at the caller's deadline, and what `Call.waiting`
        does where too many wait.
        """
        pause = FIRST_PAUSE_SECONDS
        with call.waiting():
            call.progress.accepted(waiting=True)
            while True:
                self._pause(key, min(pause, call.deadline.remaining()))
                if not call.deadline.remaining() or not call.is_active():
                    raise in_progress()
                if _looked(is_over):
                    return
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _pause(self, key: CreationKey, seconds: float) -> None:
        """Sleep; where the owner is in this process, its end wakes us."""
        if self._leases.holds(key):
            self._leases.await_drop(key, seconds)
        else:
            threading.Event().wait(seconds)


def _looked(is_over: Callable[[], bool]) -> bool:
    """Look; where the look itself fails, the creation is still under way."""
    try:
        return is_over()
    except (DeadlineTooShortError, ServiceUnavailableError) as error:
        raise in_progress() from error
