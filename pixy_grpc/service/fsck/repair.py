"""Mends what can be mended without losing anything: nothing here deletes."""

import logging
from collections.abc import Iterator

from pixy_grpc.core.creations import Creation
from pixy_grpc.core.exceptions import (
    ImageException,
    StorageUnavailableError,
    TransactionConflictError,
)
from pixy_grpc.service.creation.keeping import NOT_NOW
from pixy_grpc.service.creation.recovery import Completion, Recovery
from pixy_grpc.service.fsck.findings import (
    Action,
    Fault,
    Finding,
    Progress,
    Repair,
    Step,
    TooManyOrphansError,
)
from pixy_grpc.service.fsck.objects import ObjectCheck
from pixy_grpc.service.fsck.orphans import Judge, Judged, Standing, allowance
from pixy_grpc.service.fsck.parts import OF_ONE_OBJECT, Counts, FsckParts, batches, soon, why

_log = logging.getLogger(__name__)


class Mending:
    """Completes creations whose bytes are durable, and moves to quarantine what is nobody's."""

    def __init__(
        self, parts: FsckParts, judge: Judge, recovery: Recovery, check: ObjectCheck, counts: Counts
    ) -> None:
        self._parts = parts
        self._judge = judge
        self._recovery = recovery
        self._check = check
        self._counts = counts
        self._moved = self._allowed = 0

    def run(self, allow_orphans: int) -> Iterator[Finding | Repair | Progress]:
        """Walk the objects once more, and mend what is found now.

        Raises TooManyOrphansError before it moves more than the check's own count allows, or
        so many: bytes of nobody, and those that an abandoned creation can make no image of.
        """
        self._allowed = allowance(self._counts.objects, allow_orphans)
        seen = 0
        for batch in batches(self._parts.creation.store.list_objects()):
            for judged in self._judge.judge(batch):
                yield from self._mend(judged)
            seen += len(batch)
            yield Progress(Step.REPAIR, seen, seen, max(self._counts.objects, seen))
        for leftover in self._check.leftovers():
            yield from self._set_aside(leftover.key, Fault.LEFTOVER)

    def _mend(self, judged: Judged) -> Iterator[Finding | Repair]:
        if judged.standing is Standing.UNFINISHED and judged.creation:
            yield from self._finish(judged, judged.creation)
        elif judged.standing is Standing.ORPHAN:
            yield from self._set_counted_aside(judged.found.key, Fault.ORPHAN, judged.guid)

    def _finish(self, judged: Judged, creation: Creation) -> Iterator[Finding | Repair]:
        """Complete a creation; bytes of it that are no image are of no use to anybody."""
        key = judged.found.key
        completion = self._completed(creation)
        if completion is Completion.DONE:
            yield from self._told_finished(creation.guid)
        elif completion is Completion.UNUSABLE:
            yield from self._set_counted_aside(key, Fault.UNFINISHED, creation.guid)

    def _completed(self, creation: Creation) -> Completion:
        """Complete one; what is wrong with it alone leaves it, and goes on to the others."""
        try:
            return self._recovery.complete(creation)
        except StorageUnavailableError as error:
            self._parts.require_store()  # raises where it is not this one alone
            reason = error.reason
        except TransactionConflictError as error:  # somebody goes for this very one
            reason = error.reason
        except NOT_NOW:
            raise
        except ImageException as error:
            reason = error.reason
        _log.warning("not completed guid=%s reason=%s", creation.guid, reason)
        return Completion.BUSY

    def _told_finished(self, guid: str) -> Iterator[Finding | Repair]:
        """Tell which attempt is the image, and move the others: no row will name them."""
        keys = set(self._parts.creation.store.keys(guid, soon()))
        named = self._parts.inventory.named(keys, soon())
        for key in sorted(named):
            yield Repair(Action.FINISHED, Fault.UNFINISHED, guid, key)
        for key in sorted(keys - named):
            yield from self._set_aside(key, Fault.UNFINISHED, guid)

    def _set_counted_aside(self, key: str, fault: Fault, guid: str) -> Iterator[Finding | Repair]:
        """Move bytes of which only so many may be moved."""
        allowed = self._allowed
        if self._moved == allowed:
            raise TooManyOrphansError(allowed + 1, self._counts.objects, allowed, self._moved)
        for event in self._set_aside(key, fault, guid):
            self._moved += isinstance(event, Repair)
            yield event

    def _set_aside(self, key: str, fault: Fault, guid: str = "") -> Iterator[Finding | Repair]:
        """Move bytes; what is wrong with them alone is told, and those behind are moved."""
        try:
            self._parts.creation.store.quarantine(key, soon())
        except OF_ONE_OBJECT as error:
            self._parts.require_store()
            yield Finding(fault, guid, key, f"it cannot be moved: {why(error)}")
        else:
            yield Repair(Action.QUARANTINED, fault, guid, key)
