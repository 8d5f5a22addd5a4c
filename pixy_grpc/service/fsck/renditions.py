"""Walks the renditions that this machine keeps: is the image of each still there?

Renditions are made of an image that has its row, so one that is cached and whose row is not
there is of an image that was deleted, and a guid never comes back. Removing it loses nothing
in any case: what is wanted again is made again.
"""

import logging
from collections.abc import Iterator

from pixy_grpc.core.exceptions import StorageUnavailableError
from pixy_grpc.service.fsck.findings import Action, Fault, Finding, Repair
from pixy_grpc.service.fsck.parts import FsckParts, batches, soon, why

_log = logging.getLogger(__name__)


class RenditionCheck:
    """Looks for what a deletion has left in the cache; one that fails ends no check."""

    def __init__(self, parts: FsckParts) -> None:
        self._parts = parts

    def run(self) -> Iterator[Finding]:
        """Check every image that has renditions."""
        try:
            for guid in self._gone():
                yield Finding(Fault.STALE_RENDITIONS, guid, detail="its image is gone")
        except StorageUnavailableError as error:
            yield Finding(Fault.UNREADABLE_CACHE, detail=why(error))

    def remove(self) -> Iterator[Repair]:
        """Look once more, and delete the renditions of images that are gone now."""
        try:
            for guid in self._gone():
                self._parts.renditions.delete(guid)
                yield Repair(Action.REMOVED, Fault.STALE_RENDITIONS, guid)
        except StorageUnavailableError as error:
            _log.warning("renditions not removed: %s", why(error))

    def _gone(self) -> list[str]:
        """Return the images without a row that have renditions before and after that look:
        a deletion may have been under way.
        """
        gone: set[str] = set()
        for batch in batches(self._parts.renditions.guids()):
            gone.update(batch)
            gone -= self._parts.inventory.present(batch, soon())
        return sorted(gone.intersection(self._parts.renditions.guids())) if gone else []
