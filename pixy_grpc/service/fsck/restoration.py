"""Puts back what lies in quarantine though an image has its bytes there."""

import hashlib
import logging
from collections.abc import Iterator

from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.exceptions import ImageCorruptError, RecordNotFoundError
from pixy_grpc.core.keys import KEY, guid_of, origin_of
from pixy_grpc.service.fsck.findings import Action, Fault, Repair
from pixy_grpc.service.fsck.parts import OF_ONE_OBJECT, FsckParts, batches, slowly, soon, why

_log = logging.getLogger(__name__)


class Restoration:
    """Looks for the bytes of images in quarantine, and holds them to the images' sums."""

    def __init__(self, parts: FsckParts) -> None:
        self._parts = parts
        self._store = parts.creation.store

    def run(self) -> Iterator[Repair]:
        """Restore what is missing from the store, and right."""
        for batch in batches(self._store.list_quarantine()):
            origins = {each.key: origin_of(each.key) for each in batch if KEY.fullmatch(each.key)}
            named = self._parts.inventory.named(set(origins.values()), soon())
            for aside, key in origins.items():
                contents = self._contents(key) if key in named else None
                if contents and self._is_restored(aside, contents):
                    yield Repair(Action.RESTORED, Fault.MISSING, guid_of(key), key)

    def _contents(self, key: str) -> ImageContents | None:
        """Return what the image of that guid knows of these bytes, if it has them there."""
        try:
            found = self._parts.creation.images.get(guid_of(key), soon()).contents
        except RecordNotFoundError:
            return None
        return found if found and found.key == key else None

    def _is_restored(self, aside: str, known: ImageContents) -> bool:
        """Restore an object; what is wrong with it alone leaves it, and goes on to others."""
        try:
            return not self._is_stored(known.key) and self._put_back(aside, known)
        except OF_ONE_OBJECT as error:
            self._parts.require_store()
            _log.warning("not restored key=%s: %s", aside, why(error))
            return False

    def _is_stored(self, key: str) -> bool:
        try:
            with self._store.open(key, soon()):
                return True
        except ImageCorruptError:
            return False

    def _put_back(self, aside: str, known: ImageContents) -> bool:
        """Store bytes that are right, durably; then, and only then, the others go."""
        with self._store.open_quarantined(aside, slowly()) as source:
            data = source.read(0, source.size_bytes)
        if hashlib.sha256(data).hexdigest() != known.sha256:
            _log.warning("not restored key=%s: other bytes than were stored", aside)
            return False
        self._store.put(known.key, data, soon())
        self._store.purge(aside, soon())
        return True
