"""The leases of this process: renewed while it is at work, and awaited by who waits."""

import logging
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import Creation, CreationKey, Fence, FenceLostError
from pixy_grpc.core.exceptions import ImageException
from pixy_grpc.core.ports import Clock, CreationRepository
from pixy_grpc.service.creation.limits import CreationLimits
from pixy_grpc.service.creation.rounds import Rounds
from pixy_grpc.service.creation.sight import RENEWALS_A_LEASE, Sight

_ENDED_BY_OWNERS_MS = 1
"""Before it end the leases that their owners have ended, and no others."""

_log = logging.getLogger(__name__)


class Leases:
    """Keeps what this process is at work on its own, by one thread for all of it."""

    def __init__(self, creations: CreationRepository, clock: Clock, limits: CreationLimits) -> None:
        self._creations = creations
        self._clock = clock
        self._limits = limits
        self._held: Counter[Fence] = Counter()
        self._renewed: dict[Fence, int] = {}
        self._sight = Sight(limits)
        self._working = 0
        self._changed = threading.Condition()
        self._rounds = Rounds("pixy-leases", self._renew)

    def start(self) -> None:
        """Look at the database from now on, to know of its outages."""
        self._rounds.ensure()

    def until_ms(self) -> int:
        """Return when a lease ends that begins now."""
        return self._clock.milliseconds() + self._limits.lease_ms

    def ended_before_ms(self) -> int:
        """Return before what moment a lease must have ended to be over on any clock.

        Where its owner may have had no chance to renew it, only one that it has ended.
        """
        now = self._clock.milliseconds()
        return now - self._limits.skew_ms if self._sight.is_clear(now) else _ENDED_BY_OWNERS_MS

    def confirm(self, mine: Creation, deadline: Deadline) -> None:
        """Return where nobody can have taken a creation over, nor will before its lease ends.

        For whoever is about to spend money: a process may have slept since it was told
        that the creation is its own. Raises FenceLostError, and what a renewal does.
        """
        with self._changed:
            until = max(self._renewed.get(mine.fence, 0), mine.lease_until_ms)
        if self._clock.milliseconds() < until:
            return
        if not self._creations.renew([mine.fence], self.until_ms(), deadline):
            raise FenceLostError

    def add(self, fence: Fence) -> None:
        """Renew this lease from now on. Raises RuntimeError where no thread can begin."""
        self._rounds.ensure()
        with self._changed:
            self._held[fence] += 1

    def hasten(self) -> None:
        """Renew now those that were added since the last renewal."""
        with self._changed:
            is_late = any(fence not in self._renewed for fence in self._held)
        if is_late:
            self._rounds.call()

    def drop(self, fence: Fence) -> None:
        """Renew it no more, once it was dropped as often as it was added."""
        with self._changed:
            self._held[fence] -= 1
            if not self._held[fence]:
                del self._held[fence]
                self._renewed.pop(fence, None)
            self._changed.notify_all()

    @contextmanager
    def held(self, fence: Fence) -> Iterator[None]:
        """Renew the lease until the block, which works on it, ends."""
        self.add(fence)
        with self._changed:
            self._working += 1
        try:
            yield
        finally:
            with self._changed:
                self._working -= 1
            self.drop(fence)

    def holds(self, key: CreationKey) -> bool:
        """Tell whether this process is at work on a creation."""
        with self._changed:
            return self._holds(key)

    def await_drop(self, key: CreationKey, seconds: float) -> None:
        """Return once this process is at work on it no more, or the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: not self._holds(key), seconds)

    def await_idle(self, seconds: float) -> bool:
        """Return, within that time, whether no block works on anything."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._working, max(seconds, 0))

    def stop(self, seconds: float) -> None:
        """Renew nothing any more; wait that long at most for a renewal that runs."""
        self._rounds.stop(seconds)

    def _holds(self, key: CreationKey) -> bool:
        return any(fence.key == key for fence in self._held)

    def _renew(self) -> float:
        pause = self._limits.lease / RENEWALS_A_LEASE
        with self._changed:
            fences = list(self._held)
        try:
            self._look(fences, Deadline.after(pause))
        except ImageException as error:
            self._sight.missed()
            level = logging.WARNING if fences else logging.DEBUG
            _log.log(level, "leases not renewed count=%d reason=%s", len(fences), error.reason)
            return pause / RENEWALS_A_LEASE
        self._sight.saw(self._clock.milliseconds())
        return pause

    def _look(self, fences: list[Fence], deadline: Deadline) -> None:
        """Renew what there is; where there is nothing, still ask the database something."""
        if not fences:
            self._creations.list_unfinished(_ENDED_BY_OWNERS_MS, 1, deadline)
            return
        until = self.until_ms()
        renewed = self._creations.renew(fences, until, deadline)
        with self._changed:
            self._renewed.update((fence, until) for fence in renewed if fence in self._held)
