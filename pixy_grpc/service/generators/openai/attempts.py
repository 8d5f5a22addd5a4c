"""Tries again where surely nothing was accepted, within the deadline, and not for ever."""

import random
from collections.abc import Callable
from threading import Event
from typing import TypeVar

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import DeadlineTooShortError, ProviderUnavailableError
from pixy_grpc.service.generators.openai.errors import Failure
from pixy_grpc.service.generators.openai.settings import Limits

_JITTER_SECONDS = 0.2
"""Callers that were turned away together do not come back together; doubled each time."""

T = TypeVar("T")


class Attempts:
    """Runs a call until it works, is not worth another attempt, or time is up."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._closing = Event()

    def close(self) -> None:
        """Make no further attempt; those that wait for theirs end."""
        self._closing.set()

    def run(self, call: Callable[[], T], deadline: Deadline) -> T:
        """Return what the call returns; raise the error of its last Failure."""
        tried = 0
        while True:
            tried += 1
            try:
                return call()
            except Failure as failure:
                pause = self._pause(failure, tried)
                if not self._fits(pause, tried, deadline) or self._closing.wait(pause):
                    raise _said(failure, deadline) from failure.__cause__

    def check(self, deadline: Deadline) -> None:
        """Raise, before anybody is asked, where no answer could be in time."""
        if self._closing.is_set():
            raise ProviderUnavailableError("This server is stopping.")
        if deadline.remaining() < self._limits.least_seconds:
            raise DeadlineTooShortError(
                "The deadline leaves no time to make an image; nothing was asked for."
            )

    def _fits(self, pause: float | None, tried: int, deadline: Deadline) -> bool:
        if pause is None or tried >= self._limits.attempts:
            return False
        return pause + self._limits.least_seconds <= deadline.remaining()

    @staticmethod
    def _pause(failure: Failure, tried: int) -> float | None:
        if failure.again_after_seconds is None:
            return None
        jitter = random.uniform(0, _JITTER_SECONDS * 2 ** (tried - 1))  # noqa: S311 - spreads load
        return failure.again_after_seconds + jitter


def _said(failure: Failure, deadline: Deadline) -> Exception:
    """Past the caller's own deadline it was too short for a provider that is slow to reach."""
    late = deadline.from_caller and not deadline.remaining()
    if late and isinstance(failure.error, ProviderUnavailableError):
        return DeadlineTooShortError("The deadline ended before the provider was reached.")
    return failure.error
