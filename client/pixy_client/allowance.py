"""The time that a read or a creation has over all of its calls."""

import time
from dataclasses import dataclass, field

LEAST_SECONDS = 0.001
"""What a call is given whose time has just run out: none takes a deadline of nothing."""


@dataclass(frozen=True)
class Allowance:
    """So many seconds from now on."""

    seconds: float
    _began: float = field(default_factory=time.monotonic)

    def remaining(self) -> float:
        """Return the seconds left, never none at all."""
        return max(LEAST_SECONDS, self._began + self.seconds - time.monotonic())
