"""Renditions of images that are gone: found, and deleted by --repair alone."""

import pytest

from pixy_grpc.core.exceptions import StorageUnavailableError
from pixy_grpc.core.keys import guid_of
from pixy_grpc.core.models import ImageFormat
from pixy_grpc.core.ports import RenditionKey
from pixy_grpc.service.fsck import Action, Fault, Tasks, TooManyOrphansError
from tests.fakes import InMemoryRenditionCache
from tests.integration.data.examples import contents, new_guid, new_key
from tests.unit.service.fsck.depot import REPAIR, Depot, actions, faults


def render(depot: Depot, guid: str) -> str:
    """Keep two renditions of an image."""
    for max_side in (128, 256):
        key = RenditionKey(guid, "source", max_side, ImageFormat.PNG)
        depot.renditions.put(key, contents(b"small"), b"small")
    return guid


def both() -> tuple[Depot, str, str]:
    """Return a depot with renditions of an image that is there, and of one that is not."""
    depot = Depot()
    there = render(depot, guid_of(depot.image().key))
    return depot, there, render(depot, new_guid())


def test_renditions_of_a_gone_image_are_found_and_removed() -> None:
    """Once an image, however many there are; those of other images stay."""
    depot, there, gone = both()

    found = depot.run()
    kept = depot.renditions.guids()
    events = depot.run(REPAIR)

    assert faults(found) == faults(events) == [(Fault.STALE_RENDITIONS, "")]
    assert kept == sorted([there, gone])
    assert actions(events) == [(Action.REMOVED, "")]
    assert {each.guid for each in [*found, *events] if hasattr(each, "guid")} == {gone}
    assert depot.renditions.guids() == [there]
    assert faults(depot.run()) == []


@pytest.mark.parametrize("tasks", [Tasks(adopt=True), Tasks(sums=False)])
def test_renditions_are_removed_by_repair_alone(tasks: Tasks) -> None:
    depot, there, gone = both()

    depot.run(tasks)

    assert depot.renditions.guids() == sorted([there, gone])


def test_renditions_are_not_removed_where_too_much_is_gone() -> None:
    """Of a database that may be the wrong one not even this is taken at its word."""
    depot, there, gone = both()
    depot.fill(40)
    for _ in range(11):
        depot.put(new_key())

    with pytest.raises(TooManyOrphansError):
        depot.run(REPAIR)

    assert depot.renditions.guids() == sorted([there, gone])


class CacheOfADeletion(InMemoryRenditionCache):
    """A cache from which a running deletion removes what was seen there."""

    def guids(self) -> list[str]:
        """Return whose renditions are kept, for the last time."""
        found = super().guids()
        self.renditions.clear()
        return found


def test_deletion_under_way_is_no_finding() -> None:
    """The row goes first, and its renditions a moment after it."""
    depot, _, _ = both()
    kept = depot.renditions
    depot.renditions = CacheOfADeletion()
    depot.renditions.renditions = kept.renditions

    assert faults(depot.run()) == []


def test_cache_that_fails_is_a_finding_and_ends_nothing() -> None:
    """It may be another user's: what else there is to mend is mended."""
    depot, there, gone = both()
    depot.fill(4)
    orphan = depot.put(new_key())
    depot.renditions.failure = StorageUnavailableError("No.")

    events = depot.run(REPAIR)

    assert faults(events) == [(Fault.ORPHAN, orphan), (Fault.UNREADABLE_CACHE, "")]
    assert actions(events) == [(Action.QUARANTINED, orphan)]
    depot.renditions.failure = None
    assert depot.renditions.guids() == sorted([there, gone])
