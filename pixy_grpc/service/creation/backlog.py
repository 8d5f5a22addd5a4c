"""What was paid for and cannot be stored now: kept here, and stored once it can be."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import Creation, Fence
from pixy_grpc.core.exceptions import (
    ProviderOutcomeUnknownError,
    RecordNotFoundError,
    StorageUnavailableError,
)
from pixy_grpc.core.ports import SpooledImage
from pixy_grpc.core.progress import Progress
from pixy_grpc.service.creation.keeping import NOT_NOW, Keeping, in_progress
from pixy_grpc.service.creation.leases import Leases
from pixy_grpc.service.creation.limits import CreationLimits
from pixy_grpc.service.creation.parts import CreatedImage, CreationParts
from pixy_grpc.service.creation.pictures import Made, Pictures

_NOT_NEEDED = (RecordNotFoundError, ProviderOutcomeUnknownError)
"""What finishing raises where nobody needs the image any more, who was quicker or not."""

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

    def keep(self, mine: Creation, made: Made, progress: Progress) -> CreatedImage:
        """Store what was made, now or, with CreationInProgressError, later."""
        try:
            return self._keeping.finish(mine, made, progress)
        except _NOT_NEEDED:
            raise
        except Exception as error:  # whatever it was, the image is paid for
            _report("paid image not stored", mine.guid, error)
            self._put_off(mine, made)
            raise in_progress() from error

    def check(self) -> None:
        """Raise StorageUnavailableError while what is paid for is in memory only.

        It is lost with the process, and memory has an end: no more is to be paid for.
        """
        if self._waiting():
            raise StorageUnavailableError("Images cannot be stored now; nothing was made.")

    def work(self) -> bool:
        """Try to store each image once; return whether none is left that has to wait."""
        stored = [self._moved(name, *each) for name, each in self._waiting().items()]
        names = self._names()
        for name in names or ():
            _tried(name, partial(self._lease_spooled, name))
        self._leases.hasten()
        stored += [_tried(name, partial(self._store_spooled, name)) for name in names or ()]
        return _tried("leases", self._end_leases) and names is not None and all(stored)

    def drain(self, seconds: float) -> bool:
        """Store or spool what is only in memory; return whether that came within the time.

        What is left then is lost with this process.
        """
        deadline = Deadline.after(seconds)
        pause = self._limits.first_pause
        while not self._is_empty() and deadline.remaining():
            threading.Event().wait(min(pause, deadline.remaining()))
            pause = min(pause * 2, self._limits.longest_pause)
        for mine, _ in self._waiting().values():
            _log.error("paid image lost guid=%s request_id=%s", mine.guid, mine.key.request_id)
        return not self._waiting()

    def _is_empty(self) -> bool:
        """Try each image in memory once more; return whether none is left."""
        for name, each in self._waiting().items():
            self._moved(name, *each)
        return not self._waiting()

    def _moved(self, name: str, mine: Creation, made: Made) -> bool:
        """Store what is in memory, or else spool it; return whether either could be."""
        return _tried(name, partial(self._store_kept, name, mine, made)) or _tried(
            name, partial(self._spool_kept, name, mine, made)
        )

    def _spool_kept(self, name: str, mine: Creation, made: Made) -> None:
        self._parts.spool.put(SpooledImage(made.paid(mine), made.data))
        self._forget(name)

    def _put_off(self, mine: Creation, made: Made) -> None:
        """Keep an image for later; its lease goes on, so that nobody pays for another."""
        name = made.contents.key
        try:
            self._parts.spool.put(SpooledImage(made.paid(mine), made.data))
        except Exception as error:  # noqa: BLE001 - reported; whatever it was, it is paid for
            _report("paid image in memory only", mine.guid, error, logging.ERROR)
            with self._lock:
                self._in_memory[name] = (mine, made)
        self._lease(name, mine.fence)

    def _names(self) -> Sequence[str] | None:
        """Return what is in the spool, None where that cannot be known."""
        try:
            return self._parts.spool.names()
        except NOT_NOW as error:
            _log.warning("spool out of reach reason=%s", error.reason)
            return None

    def _lease_spooled(self, name: str) -> None:
        """Have the lease go on of an image that a process before this one left here.

        Whoever took its creation over meanwhile does not know of it, and others may pay again.
        """
        held = self._leased_by(name)
        if held is None:
            return
        fence = self._keeping.regained(held, Deadline.after(self._limits.store))
        if fence != held:
            with self._lock:
                self._leased[name] = fence
            self._leases.add(fence)
            self._leases.drop(held)

    def _leased_by(self, name: str) -> Fence | None:
        """Return the fence whose lease goes on, None where another has the image."""
        with self._lock:
            if name in self._leased:
                return self._leased[name]
        with self._parts.spool.take(name) as spooled:
            if spooled is None:
                return None
            self._lease(name, spooled.paid.fence)
            return spooled.paid.fence

    def _lease(self, name: str, fence: Fence) -> None:
        with self._lock:
            if name in self._leased:
                return
            self._leased[name] = fence
        self._leases.add(fence)

    def _store_kept(self, name: str, mine: Creation, made: Made) -> None:
        self._store(name, mine, made)
        self._forget(name)

    def _forget(self, name: str) -> None:
        with self._lock:
            self._in_memory.pop(name, None)

    def _store_spooled(self, name: str) -> None:
        with self._parts.spool.take(name) as spooled:
            if spooled is None:
                return
            paid = spooled.paid
            deadline = Deadline.after(self._limits.store)
            found = self._keeping.creation_of(paid.fence, deadline)
            if found:
                mine = replace(found, fence=replace(paid.fence, key=found.key))
                self._store(name, mine, self._pictures.found(mine, paid, spooled.data))
            else:
                self._keeping.put(name, spooled.data, deadline)
                self._keeping.set_aside(name, deadline)
            self._parts.spool.remove(name)

    def _store(self, name: str, mine: Creation, made: Made) -> None:
        """Store one, or learn that nobody needs it any more."""
        try:
            self._keeping.finish(mine, made)
        except _NOT_NEEDED as error:
            _log.warning("paid image not needed key=%s reason=%s", name, error.reason)

    def _waiting(self) -> dict[str, tuple[Creation, Made]]:
        with self._lock:
            return dict(self._in_memory)

    def _end_leases(self) -> None:
        """Drop the lease of each image that is stored, by whatever process.

        Of those that were there before we looked: one may come to the spool meanwhile.
        """
        with self._lock:
            leased = list(self._leased)
        left = {*self._waiting(), *self._parts.spool.names()}  # the way they move
        for name in leased:
            if name not in left:
                with self._lock:
                    fence = self._leased.pop(name)
                self._leases.drop(fence)


def _tried(name: str, act: Callable[[], None]) -> bool:
    """Act; what is wrong with one image is in the log, and not in the way of others."""
    try:
        act()
    except Exception as error:  # noqa: BLE001 - reported
        _report("paid image still waits to be stored", name, error)
        return False
    return True


def _report(what: str, name: str, error: Exception, level: int = logging.WARNING) -> None:
    """Log what keeps a paid image from being stored: what nobody foresaw with its traceback."""
    if isinstance(error, NOT_NOW):
        _log.log(level, "%s key=%s reason=%s", what, name, error.reason)
    else:
        _log.error("%s key=%s", what, name, exc_info=error)
