"""What was paid for and cannot be stored now: kept here, and stored once it can be."""

import logging
import threading
from dataclasses import replace

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import Creation, Fence
from pixy_grpc.core.exceptions import ImageException
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
        self._leased: set[Fence] = set()
        self._in_memory: dict[Fence, tuple[Creation, Made]] = {}

    def keep(self, mine: Creation, made: Made) -> CreatedImage:
        """Store what was made, now or, with CreationInProgressError, later."""
        try:
            return self._keeping.finish(mine, made)
        except NOT_NOW as error:
            _log.warning("paid image not stored guid=%s reason=%s", mine.guid, error.reason)
            self._put_off(mine, made)
            raise in_progress() from error

    def _put_off(self, mine: Creation, made: Made) -> None:
        """Keep an image for later; its lease goes on, so that nobody pays for another."""
        self._leases.add(mine.fence)
        with self._lock:
            self._leased.add(mine.fence)
        try:
            self._parts.spool.put(SpooledImage(made.paid(mine), made.data))
        except ImageException as error:
            _log.error("paid image in memory only guid=%s reason=%s", mine.guid, error.reason)
            with self._lock:
                self._in_memory[mine.fence] = (mine, made)

    def work(self) -> bool:
        """Try to store each image once; return whether none is left that failed."""
        with self._lock:
            waiting = list(self._in_memory.values())
        try:
            for mine, made in waiting:
                self._keeping.finish(mine, made)
                self._settle(mine.fence)
            for name in self._parts.spool.names():
                self._store_spooled(name)
        except NOT_NOW as error:
            _log.warning("paid images still wait to be stored reason=%s", error.reason)
            return False
        except ImageException as error:
            _log.warning("a paid image was not stored reason=%s", error.reason)
            return False
        return True

    def _store_spooled(self, name: str) -> None:
        with self._parts.spool.take(name) as spooled:
            if spooled:
                self._store(spooled)
                self._parts.spool.remove(name)
                self._settle(spooled.paid.fence)

    def _store(self, spooled: SpooledImage) -> None:
        paid = spooled.paid
        deadline = Deadline.after(self._limits.store)
        found = self._parts.creations.find(paid.fence.key, deadline)
        if found is None:
            self._parts.store.put(paid.store_key, spooled.data, deadline)
            self._keeping.set_aside(paid.store_key, deadline)
            return
        mine = replace(found, fence=paid.fence)
        self._keeping.finish(mine, self._pictures.found(mine, paid, spooled.data))

    def _settle(self, fence: Fence) -> None:
        with self._lock:
            self._in_memory.pop(fence, None)
            leased = fence in self._leased
            self._leased.discard(fence)
        if leased:
            self._leases.drop(fence)
