"""Tries again where surely nothing was accepted, within the deadline, and not for ever."""

import math
import random
from collections.abc import Callable
from threading import Event
from typing import TypeVar

from pixy_grpc.core.call import Deadline, always
from pixy_grpc.core.exceptions import DeadlineTooShortError, ProviderUnavailableError
from pixy_grpc.service.generators.openai.errors import Failure
from pixy_grpc.service.generators.openai.settings import Limits

_JITTER_SECONDS = 0.2
"""Callers that were turned away together do not come back together; doubled each time."""

_LOOK_SECONDS = 0.5
"""How often a pause looks at whether anybody still waits for the outcome."""

T = TypeVar("T")


class Attempts:
    """Runs a call until it works, is not worth another attempt, or time is up."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._closing = Event()

    def close(self) -> None:
        """Make no further attempt; those that wait for theirs end."""
        self._closing.set()

    def run(
        self, call: Callable[[], T], deadline: Deadline, is_wanted: Callable[[], bool] = always
    ) -> T:
        """Return what the call returns; raise the error of its last Failure.

        No attempt begins past the deadline, or once its outcome is not wanted any more.
        """
        tried = 0
        while True:
            tried += 1
            try:
                return call()
            except Failure as failure:
                pause = self._pause(failure, tried)
                again = self._fits(pause, tried, deadline) and self._waited(pause, is_wanted)
                if not again:
                    raise _said(failure, deadline) from failure.__cause__

    def check(self, deadline: Deadline) -> None:
        """Raise, before anybody is asked, where no answer could be in time."""
        if self._closing.is_set():
            raise ProviderUnavailableError("This server is stopping.")
        if deadline.remaining() < self._limits.least_seconds:
            raise DeadlineTooShortError(
                "The deadline leaves no time to make an image; nothing was asked for."
            )

    def _fits(self, pause: float, tried: int, deadline: Deadline) -> bool:
        fits = pause + self._limits.least_seconds <= deadline.remaining()
        return fits and tried < self._limits.attempts

    def _waited(self, pause: float, is_wanted: Callable[[], bool]) -> bool:
        """Wait; return at once, with False, where another attempt makes no sense any more."""
        until = Deadline.after(pause)
        while is_wanted():
            if self._closing.wait(min(until.remaining(), _LOOK_SECONDS)):
                return False
            if not until.remaining():
                return is_wanted()
        return False

    @staticmethod
    def _pause(failure: Failure, tried: int) -> float:
        if failure.again_after_seconds is None:
            return math.inf
        jitter = random.uniform(0, _JITTER_SECONDS * 2 ** (tried - 1))  # noqa: S311 - spreads load
        return failure.again_after_seconds + jitter


def _said(failure: Failure, deadline: Deadline) -> Exception:
    """Past the caller's own deadline it was too short for a provider that is slow to reach."""
    late = deadline.from_caller and not deadline.remaining()
    if late and isinstance(failure.error, ProviderUnavailableError):
        return DeadlineTooShortError("The deadline ended before the provider was reached.")
    return failure.error
