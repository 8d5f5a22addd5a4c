"""Bounded work inside of a room: who may begin, who waits, and for how long."""

import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from pixy_grpc.core.call import Call
from pixy_grpc.core.exceptions import TooManyDownloadsError

RETRY_SECONDS = 1.0
"""When to come back: most renditions take less."""

LOOK_SECONDS = 0.25
"""How soon it is seen that a caller who waits has gone."""


class Patience:
    """How long a call waits for others: by its deadline, by a cap, and while it is there."""

    def __init__(self, call: Call, cap_seconds: float) -> None:
        self._call = call
        self._until = call.deadline.within(cap_seconds)

    def pause_seconds(self) -> float:
        """Return how long to wait before asking again.

        Raises DeadlineTooShortError past the caller's deadline, or where the caller has
        gone, and TooManyDownloadsError past the cap.
        """
        self._call.check()
        if not self._until.remaining():
            raise too_many()
        return min(self._until.remaining(), LOOK_SECONDS)


class Allotment:
    """A bounded amount of something, at most half of it for one caller.

    Who has nothing of it gets what there is, be it more than half. Of those who wait, the
    caller goes first who was given some the longest ago: many calls of others hold up none.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._share = max(total // 2, 1)
        self._taken: Counter[str] = Counter()
        self._waiting: Counter[tuple[str, int]] = Counter()
        self._given_at: dict[str, int] = {}
        self._given = itertools.count(1)
        self._changed = threading.Condition()

    @contextmanager
    def taken(
        self, caller: str, amount: int = 1, patience: Patience | None = None
    ) -> Iterator[None]:
        """Take an amount until the block ends, waiting for it as long as the patience lasts.

        Without patience, raises TooManyDownloadsError at once where there is not so much.
        """
        with self._changed:
            self._wait_for(caller, amount, patience)
            self._taken[caller] += amount
            self._given_at[caller] = next(self._given)
        try:
            yield
        finally:
            with self._changed:
                self._taken[caller] -= amount
                if not self._taken[caller]:
                    del self._taken[caller]
                self._changed.notify_all()

    def _wait_for(self, caller: str, amount: int, patience: Patience | None) -> None:
        self._waiting[caller, amount] += 1
        try:
            while not (self._has(caller, amount) and self._is_next(caller)):
                if patience is None:
                    raise too_many()
                self._changed.wait(patience.pause_seconds())
        finally:
            self._waiting -= Counter([(caller, amount)])
            self._changed.notify_all()  # whoever had to let this one go first

    def _is_next(self, caller: str) -> bool:
        """Tell whether nobody who could be given theirs has waited longer for their turn."""
        mine = self._given_at.get(caller, 0)
        return not any(
            self._given_at.get(other, 0) < mine and self._has(other, amount)
            for other, amount in self._waiting
        )

    def _has(self, caller: str, amount: int) -> bool:
        mine, all_of_it = self._taken[caller], self._taken.total()
        if all_of_it and all_of_it + amount > self._total:
            return False
        return not mine or mine + amount <= self._share


def too_many() -> TooManyDownloadsError:
    """Return the refusal of a rendition that would be one too many."""
    return TooManyDownloadsError(
        "Too many renditions are being made: try again in a moment.",
        retry_delay_seconds=RETRY_SECONDS,
    )
