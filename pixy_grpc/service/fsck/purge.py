"""Deletes from quarantine what has lain there long enough: the one place that deletes
what cannot be made anew.
"""

from collections.abc import Iterator
from datetime import timedelta

from pixy_grpc.core.keys import KEY, guid_of, origin_of
from pixy_grpc.core.ports import StoredObject
from pixy_grpc.service.fsck.findings import Action, Fault, Finding, Progress, Repair, Step
from pixy_grpc.service.fsck.orphans import Judge, Standing
from pixy_grpc.service.fsck.parts import OF_ONE_OBJECT, Counts, FsckParts, batches, soon, why


class Purge:
    """Looks through the quarantine."""

    def __init__(self, parts: FsckParts, judge: Judge, counts: Counts) -> None:
        self._parts = parts
        self._judge = judge
        self._counts = counts

    def run(self, older_than: timedelta) -> Iterator[Finding | Repair | Progress]:
        """Delete what came there before that, and that nobody may want back.

        What a row or a creation names, which should not be there, stays, and so do other
        bytes of a key that a row names: they may be the right ones.
        """
        seen = 0
        before = self._parts.creation.clock.now() - older_than
        for batch in batches(self._parts.creation.store.list_quarantine()):
            old = [each for each in batch if each.modified_at < before]
            unwanted = self._unwanted(old)
            self._counts.kept_in_quarantine += len(batch) - len(unwanted)
            for each in unwanted:
                yield self._purged(each.key)
            seen += len(batch)
            yield Progress(Step.PURGE, seen, seen, seen)

    def _purged(self, key: str) -> Finding | Repair:
        """Delete one; what is wrong with it alone is told, and those behind are deleted."""
        try:
            self._parts.creation.store.purge(key, soon())
        except OF_ONE_OBJECT as error:
            self._parts.require_store()
            return Finding(Fault.NOT_PURGED, guid_of(key), key, why(error))
        return Repair(Action.PURGED, None, guid_of(key), key)

    def _unwanted(self, old: list[StoredObject]) -> list[StoredObject]:
        nobodys = (Standing.ORPHAN, Standing.YOUNG)
        found = [each.found for each in self._judge.judge(old) if each.standing in nobodys]
        origins = {each.key: origin_of(each.key) for each in found if KEY.fullmatch(each.key)}
        named = self._parts.inventory.named(set(origins.values()), soon())
        return [each for each in found if origins.get(each.key) not in named]
