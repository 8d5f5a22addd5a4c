"""The time, as it is stored."""

import time
from datetime import UTC, datetime


class SystemClock:
    """A Clock that reads the machine's."""

    def now(self) -> datetime:
        """Return the time in UTC, cut to whole seconds."""
        return datetime.now(UTC).replace(microsecond=0)

    def milliseconds(self) -> int:
        """Return the milliseconds since 1970."""
        return time.time_ns() // 1_000_000
