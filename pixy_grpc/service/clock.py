"""The time, as it is stored."""

from datetime import UTC, datetime


class SystemClock:
    """A Clock that reads the machine's."""

    def now(self) -> datetime:
        """Return the time in UTC, cut to whole seconds."""
        return datetime.now(UTC).replace(microsecond=0)
