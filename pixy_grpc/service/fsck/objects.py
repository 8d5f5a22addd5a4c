"""Walks the objects of the store: does each belong to somebody?"""

from collections.abc import Iterator

from pixy_grpc.core.exceptions import ImageCorruptError, StorageUnavailableError
from pixy_grpc.core.ports import StoredObject
from pixy_grpc.service.fsck.findings import Fault, Finding, Progress, Step
from pixy_grpc.service.fsck.orphans import Judge, Judged, Standing
from pixy_grpc.service.fsck.parts import Counts, FsckLimits, FsckParts, batches, soon


class ObjectCheck:
    """Looks for bytes that belong to nobody, or to a creation that nobody is at."""

    def __init__(self, parts: FsckParts, judge: Judge, counts: Counts, limits: FsckLimits) -> None:
        self._parts = parts
        self._judge = judge
        self._counts = counts
        self._limits = limits

    def run(self) -> Iterator[Finding | Progress]:
        """Check every object, then what cut writes have left."""
        for batch in batches(self._parts.creation.store.list_objects()):
            self._counts.objects += len(batch)
            for judged in self._judge.judge(batch):
                yield from self._told(judged)
            seen = self._counts.objects
            yield Progress(Step.OBJECTS, seen, seen, max(self._counts.images, seen))
        for leftover in self.leftovers():
            yield Finding(Fault.LEFTOVER, key=leftover.key, detail=_described(leftover))

    def leftovers(self) -> Iterator[StoredObject]:
        """Yield what a write has left that was surely cut."""
        before = self._parts.creation.clock.now() - self._limits.cut
        for found in self._parts.creation.store.list_leftovers():
            if found.modified_at < before:
                yield found

    def _told(self, judged: Judged) -> Iterator[Finding]:
        found = judged.found
        if judged.standing is Standing.ORPHAN:
            if self._is_there(found):
                self._counts.orphans += 1
                yield Finding(Fault.ORPHAN, judged.guid, found.key, _described(found))
        elif judged.standing is Standing.UNFINISHED and judged.creation:
            detail = f"its creation is {judged.creation.state}, and nobody is at it"
            yield Finding(Fault.UNFINISHED, judged.guid, found.key, detail)
        elif judged.standing is Standing.YOUNG:
            self._counts.young += 1
        else:
            self._counts.in_progress += 1

    def _is_there(self, found: StoredObject) -> bool:
        """Tell whether the bytes still are: a deletion may have been under way."""
        try:
            self._parts.creation.store.modified_at(found.key, soon())
        except ImageCorruptError:
            return False
        except StorageUnavailableError:  # it has not been shown to be gone
            return True
        return True


def _described(found: StoredObject) -> str:
    return f"{found.size_bytes} bytes of {found.modified_at:%Y-%m-%d %H:%M:%S} UTC"
