"""What was paid for and cannot be stored now: kept here, and stored once it can be."""

import logging
import threading
from dataclasses import replace

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import Creation, Fence
from pixy_grpc.core.exceptions import (
    ImageException,
    ProviderOutcomeUnknownError,
    RecordNotFoundError,
)
from pixy_grpc.core.ports import SpooledImage
from pixy_grpc.service.creation.keeping import NOT_NOW, Keeping, in_progress
from pixy_grpc.service.creation.leases import Leases
from pixy_grpc.service.creation.limits import CreationLimits
from pixy_grpc.service.creation.parts import CreatedImage, CreationParts
from pixy_grpc.service.creation.pictures import Made, Pictures

_log = logging.getLogger(__name__)


class Backlog:
    """Paid images on their way to the store: in the spool, or in memory where that fails."""

    def __init__(
        self,
        parts: CreationParts,
        keeping: Keeping,
        pictures: Pictures,
        leases: Leases,
        limits: CreationLimits,
    ) -> None:
        self._parts = parts
        self._keeping = keeping
        self._pictures = pictures
        self._leases = leases
        self._limits = limits
        self._lock = threading.Lock()
        self._leased: dict[str, Fence] = {}
        self._in_memory: dict[str, tuple[Creation, Made]] = {}

    def keep(self, mine: Creation, made: Made) -> CreatedImage:
        """Store what was made, now or, with CreationInProgressError, later."""
        try:
            return self._keeping.finish(mine, made)
        except NOT_NOW as error:
            _log.warning("paid image not stored guid=%s reason=%s", mine.guid, error.reason)
            self._put_off(mine, made)
            raise in_progress() from error

    def work(self) -> bool:
        """Try to store each image once; return whether none is left that has to wait."""
        try:
            for name, (mine, made) in self._waiting().items():
                self._store(name, mine, made)
                self._forget(name)
            for name in self._parts.spool.names():
                self._store_spooled(name)
            self._end_leases()
        except NOT_NOW as error:
            _log.warning("paid images still wait to be stored reason=%s", error.reason)
            return False
        return True

    def _put_off(self, mine: Creation, made: Made) -> None:
        """Keep an image for later; its lease goes on, so that nobody pays for another."""
        name = made.contents.key
        self._leases.add(mine.fence)
        try:
            self._parts.spool.put(SpooledImage(made.paid(mine), made.data))
        except ImageException as error:
            _log.error("paid image in memory only guid=%s reason=%s", mine.guid, error.reason)
            with self._lock:
                self._in_memory[name] = (mine, made)
        with self._lock:
            self._leased[name] = mine.fence

    def _store_spooled(self, name: str) -> None:
        with self._parts.spool.take(name) as spooled:
            if spooled is None:
                return
            paid = spooled.paid
            deadline = Deadline.after(self._limits.store)
            found = self._parts.creations.find(paid.fence.key, deadline)
            if found and found.guid == paid.guid:
                mine = replace(found, fence=paid.fence)
                self._store(name, mine, self._pictures.found(mine, paid, spooled.data))
            else:
                self._parts.store.put(name, spooled.data, deadline)
                self._keeping.set_aside(name, deadline)
            self._parts.spool.remove(name)

    def _store(self, name: str, mine: Creation, made: Made) -> None:
        """Store one, or learn that nobody needs it any more."""
        try:
            self._keeping.finish(mine, made)
        except (RecordNotFoundError, ProviderOutcomeUnknownError) as error:
            _log.warning("paid image not needed key=%s reason=%s", name, error.reason)

    def _waiting(self) -> dict[str, tuple[Creation, Made]]:
        with self._lock:
            return dict(self._in_memory)

    def _forget(self, name: str) -> None:
        with self._lock:
            del self._in_memory[name]

    def _end_leases(self) -> None:
        """Drop the lease of each image that is stored, by whatever process.

        Of those that were there before we looked: one may come to the spool meanwhile.
        """
        with self._lock:
            leased = list(self._leased)
        left = {*self._parts.spool.names(), *self._waiting()}
        for name in leased:
            if name not in left:
                with self._lock:
                    fence = self._leased.pop(name)
                self._leases.drop(fence)
