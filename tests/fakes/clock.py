"""Clock: the time, as a test tells it."""

from datetime import UTC, datetime, timedelta


class FixedClock:
    """A Clock that stands still until it is told the time."""

    def __init__(self, moment: datetime = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)) -> None:
        self.moment = moment

    def now(self) -> datetime:
        """Return the time it was told."""
        return self.moment

    def milliseconds(self) -> int:
        """Return the same time, as leases have it."""
        return int(self.moment.timestamp() * 1000)

    def advance(self, seconds: float) -> None:
        """Go on by that many seconds."""
        self.moment += timedelta(seconds=seconds)
