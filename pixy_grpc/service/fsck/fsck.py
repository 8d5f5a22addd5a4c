"""The use case of checking everything that is stored, and of mending what can be mended."""

from collections.abc import Generator, Iterator

from pixy_grpc.service.creation.keeping import Keeping
from pixy_grpc.service.creation.leases import Leases
from pixy_grpc.service.creation.limits import CreationLimits
from pixy_grpc.service.creation.pictures import Pictures
from pixy_grpc.service.creation.recovery import Recovery
from pixy_grpc.service.fsck.adoption import Adoption
from pixy_grpc.service.fsck.findings import Event, TooManyOrphansError
from pixy_grpc.service.fsck.objects import ObjectCheck
from pixy_grpc.service.fsck.orphans import Judge, allowance
from pixy_grpc.service.fsck.parts import Counts, FsckLimits, FsckParts, Tasks
from pixy_grpc.service.fsck.purge import Purge
from pixy_grpc.service.fsck.renditions import RenditionCheck
from pixy_grpc.service.fsck.repair import Mending
from pixy_grpc.service.fsck.restoration import Restoration
from pixy_grpc.service.fsck.rows import RowCheck

JOIN_SECONDS = 3.0
"""Cap on waiting for a renewal of leases that runs, at the end."""

_LIMITS = FsckLimits()
_CREATION_LIMITS = CreationLimits()


class Fsck:
    """Checks rows against bytes and bytes against rows, beside servers that run."""

    def __init__(
        self,
        parts: FsckParts,
        limits: FsckLimits = _LIMITS,
        creation_limits: CreationLimits = _CREATION_LIMITS,
    ) -> None:
        self.counts = Counts()
        self._parts = parts
        self._limits = limits
        creation = parts.creation
        self._leases = Leases(creation.creations, creation.clock, creation_limits)
        keeping = Keeping(creation, self._leases, creation_limits)
        pictures = Pictures(creation_limits)
        recovery = Recovery(creation, keeping, pictures, self._leases, creation_limits)
        self._judge = Judge(parts, self._leases, limits)
        self._objects = ObjectCheck(parts, self._judge, self.counts, limits)
        self._renditions = RenditionCheck(parts)
        self._mending = Mending(parts, self._judge, recovery, self._objects, self.counts)

    def run(self, tasks: Tasks) -> Generator[Event, None, None]:
        """Yield what is found and done, and how far it is; to be run once.

        It may be left at any event. What is wrong is told before anything is changed.
        TooManyOrphansError ends what would change something in between, or where more
        orphans come to light while it mends. Raises DBConnectionError,
        StorageUnavailableError, and what a creation that is completed may.
        """
        try:
            yield from RowCheck(self._parts, self.counts, sums=tasks.sums).run()
            yield from self._objects.run()
            yield from self._renditions.run()
            if tasks.changes_something:
                self._require_few_orphans(tasks.allow_orphans)
                yield from self._change(tasks)
        finally:
            self._leases.stop(JOIN_SECONDS)

    def _change(self, tasks: Tasks) -> Iterator[Event]:
        if tasks.adopt:
            yield from Adoption(self._parts, self.counts, self._limits).run()
        if tasks.repair:
            yield from Restoration(self._parts).run()
            yield from self._mending.run(tasks.allow_orphans)
            yield from self._renditions.remove()
        if tasks.purge_older_than is not None:
            yield from Purge(self._parts, self._judge, self.counts).run(tasks.purge_older_than)

    def _require_few_orphans(self, few: int) -> None:
        allowed = allowance(self.counts.objects, few)
        if self.counts.orphans > allowed:
            raise TooManyOrphansError(self.counts.orphans, self.counts.objects, allowed)
