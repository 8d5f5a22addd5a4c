"""Which bytes belong to nobody, and what --repair makes of those that are somebody's."""

from collections.abc import Callable, Collection, Sequence
from datetime import timedelta

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import Creation, CreationState, PaidImage, Refusal
from pixy_grpc.core.ports import NewImage, SpooledImage
from pixy_grpc.service.fsck import Action, Fault
from tests.fakes import InMemoryInventory
from tests.integration.data.examples import contents, new_guid, new_key
from tests.unit.service.creating import png
from tests.unit.service.fsck.depot import REPAIR, Depot, StoreThatActs, actions, faults, soon

YOUNG = timedelta(minutes=4)
OLD = timedelta(minutes=6)


def key_of(mine: Creation) -> str:
    return f"{mine.guid}.1.png"


def test_orphan_is_found_and_moved() -> None:
    """It is in quarantine afterwards, whole, and the next check is clean."""
    depot = Depot()
    depot.fill(4)
    key = depot.put(new_key(), age=OLD)

    events = depot.run(REPAIR)

    assert faults(events) == [(Fault.ORPHAN, key)]
    assert actions(events) == [(Action.QUARANTINED, key)]
    assert depot.store.quarantined == {key: b"bytes"}
    assert faults(depot.run()) == []


def test_orphan_is_not_read() -> None:
    """That it is there is asked: a bucket sends 2 MiB of what is opened, and there may be
    as many as a database has lost.
    """
    store = StoreThatActs()
    depot = Depot(store=store)
    depot.fill(4)
    key = depot.put(new_key(), age=OLD)

    assert faults(depot.run()) == [(Fault.ORPHAN, key)]
    assert key not in store.opened


def test_young_bytes_are_left_alone() -> None:
    """Whatever else is known: bytes are stored first, the row second."""
    depot = Depot()
    depot.fill(4)
    depot.put(new_key(), age=YOUNG)
    depot.put(new_key(), age=timedelta(hours=-1))
    fsck = depot.fsck()

    events = list(fsck.run(REPAIR))

    assert faults(events) == []
    assert fsck.counts.young == 2
    assert depot.store.quarantined == {}


STATES: dict[str, Callable[[Depot, Creation], object]] = {
    "claimed": lambda _depot, _mine: None,
    "asked": lambda depot, mine: depot.creations.note_asked(mine.fence, soon()),
    "kept": lambda depot, mine: depot.creations.note_kept(
        PaidImage(mine.fence, mine.guid, key_of(mine)), soon()
    ),
}

ENDED: dict[str, Callable[[Depot, Creation], object]] = {
    **STATES,
    "refused": lambda depot, mine: depot.creations.note_refused(
        mine.fence, Refusal("CONTENT_POLICY", "No."), soon()
    ),
    "unknown": lambda depot, mine: depot.creations.note_unknown(mine.fence, soon()),
    "retired": lambda depot, mine: depot.creations.retire(mine.fence, new_guid(), soon()),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("lease_seconds", [10, 0, -4])
def test_bytes_of_a_live_creation_are_left_alone(state: str, lease_seconds: float) -> None:
    """However old they are; a lease lives a difference of clocks longer."""
    depot = Depot()
    mine = depot.creation(lease_seconds=lease_seconds, asked=False)
    depot.put(key_of(mine), png().data)
    STATES[state](depot, mine)
    fsck = depot.fsck()

    events = list(fsck.run(REPAIR))

    assert (faults(events), actions(events)) == ([], [])
    assert fsck.counts.in_progress == 1
    assert list(depot.store.objects) == [key_of(mine)]


@pytest.mark.parametrize("state", ENDED)
def test_bytes_of_an_abandoned_creation_become_its_image(state: str) -> None:
    """Whatever it has come to, and under whatever name: what was paid for is used."""
    depot = Depot()
    mine = depot.creation(lease_seconds=-60, asked=False)
    key = depot.put(key_of(mine), png().data)
    ENDED[state](depot, mine)

    events = depot.run(REPAIR)

    assert faults(events) == [(Fault.UNFINISHED, key)]
    assert actions(events) == [(Action.FINISHED, key)]
    stored = depot.images.get(mine.guid, soon())
    assert stored.contents
    assert (stored.contents.key, stored.image.prompt) == (key, "a fox")
    assert depot.store.objects == {key: png().data}
    assert faults(depot.run()) == []


def test_other_attempts_at_a_finished_image_are_put_aside() -> None:
    """One of them is the image; no row can come to name the others."""
    depot = Depot()
    mine, key = depot.abandoned()
    other = depot.put(f"{mine.guid}.2.png", png("blue").data)

    events = depot.run(REPAIR)

    assert faults(events) == [(Fault.UNFINISHED, key), (Fault.UNFINISHED, other)]
    assert actions(events) == [(Action.FINISHED, key), (Action.QUARANTINED, other)]
    assert list(depot.store.objects) == [key]
    assert faults(depot.run()) == []


@pytest.mark.parametrize("data", [b"", b"<svg/>", png().data[:-40]])
def test_unusable_bytes_of_an_abandoned_creation_are_put_aside(data: bytes) -> None:
    """Nobody can make an image of them; the creation stays what it was."""
    depot = Depot()
    mine, key = depot.abandoned(data)
    depot.creations.note_refused(mine.fence, Refusal("CONTENT_POLICY", "No."), soon())

    events = depot.run(REPAIR)

    assert actions(events) == [(Action.QUARANTINED, key)]
    found = depot.creations.find(mine.key, soon())
    assert found
    assert found.state is CreationState.REFUSED
    assert found.fence == mine.fence


def test_bytes_that_wait_in_the_spool_are_live() -> None:
    """Whoever spooled them stores them; their creation may have lost its lease."""
    depot = Depot()
    mine, key = depot.abandoned()
    depot.spool.put(SpooledImage(PaidImage(mine.fence, mine.guid, key), png().data))

    events = depot.run(REPAIR)

    assert (faults(events), actions(events)) == ([], [])
    assert list(depot.store.objects) == [key]


def test_bytes_of_an_image_that_lost_its_contents_are_left_alone() -> None:
    """The row is reported; moving what it needs would make it worse."""
    depot = Depot()
    depot.fill(4)
    image = depot.image()
    guid = image.key.partition(".")[0]
    depot.forget(guid)

    events = depot.run(REPAIR)

    assert faults(events) == [(Fault.UNKNOWN_BYTES, "")]
    assert image.key in depot.store.objects


def test_bytes_of_a_done_creation_that_it_does_not_name_are_orphans() -> None:
    """A sleeper's, that never woke."""
    depot = Depot()
    depot.fill(4)
    mine = depot.creation(lease_seconds=-60)
    known = contents(key=depot.put(key_of(mine)))
    image = NewImage(mine.guid, "a.png", "a", depot.clock.now(), known, mine.fence)
    depot.images.add(image, soon())
    other = depot.put(f"{mine.guid}.2.png")

    assert actions(depot.run(REPAIR)) == [(Action.QUARANTINED, other)]


def test_deletion_under_way_is_no_finding() -> None:
    """Bytes that were listed, and are gone by the time their row is."""
    depot = Depot()
    depot.fill(4)
    key = depot.put(new_key())

    class Deleting(InMemoryInventory):
        """An inventory during whose lookup the deletion comes to its end."""

        def list_not_done(self, guids: Collection[str], deadline: Deadline) -> Sequence[Creation]:
            """Delete, then look."""
            depot.store.delete(key, soon())
            return super().list_not_done(guids, deadline)

    depot.inventory = Deleting(depot.images)

    assert faults(depot.run()) == []
