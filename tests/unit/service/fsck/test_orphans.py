"""Which bytes belong to nobody: the decisions, the limit, and what --repair does."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import Creation, CreationState, PaidImage, Refusal
from pixy_grpc.core.exceptions import DBConnectionError, StorageUnavailableError
from pixy_grpc.core.ports import NewImage, SpooledImage, StoredImage
from pixy_grpc.service.fsck import (
    Action,
    Event,
    Fault,
    Finding,
    Progress,
    Step,
    Tasks,
    TooManyOrphansError,
)
from pixy_grpc.service.fsck.orphans import allowance
from tests.fakes import InMemoryImageStore, InMemoryInventory
from tests.integration.data.examples import contents, new_guid, new_key
from tests.unit.service.creating import png
from tests.unit.service.fsck.depot import (
    CHECK,
    FEW,
    REPAIR,
    Depot,
    StoreThatActs,
    actions,
    faults,
    soon,
)

YOUNG = timedelta(minutes=4)
OLD = timedelta(minutes=6)
PURGE = Tasks(purge_older_than=timedelta(days=30), allow_orphans=FEW)


def key_of(mine: Creation) -> str:
    return f"{mine.guid}.1.png"


# what is an orphan


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
    number, stored = depot.images._tables.rows[guid]  # noqa: SLF001 - damaged
    depot.images._tables.rows[guid] = (number, StoredImage(stored.image, None))  # noqa: SLF001

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


def test_creation_that_cannot_be_completed_does_not_stop_the_others() -> None:
    """Somebody took its guid, for example: it stays a finding, those behind it are mended."""
    depot = Depot()
    taken, _ = depot.abandoned()
    known = contents(key=depot.put(new_key()))
    depot.images.add(NewImage(taken.guid, "a", "a", depot.clock.now(), known), soon())
    _, key = depot.abandoned()

    assert actions(depot.run(REPAIR)) == [(Action.FINISHED, key)]


def test_unreadable_bytes_of_one_creation_do_not_stop_the_others() -> None:
    """A bad sector under one of them: it stays a finding."""
    store = StoreThatActs()
    depot = Depot(store=store)
    (_, unreadable), (_, key) = depot.abandoned(), depot.abandoned()
    store.spoil(unreadable)

    events = depot.run(REPAIR)

    assert faults(events) == [(Fault.UNFINISHED, unreadable), (Fault.UNFINISHED, key)]
    assert actions(events) == [(Action.FINISHED, key)]
    assert unreadable in depot.store.objects


def test_unreadable_orphan_is_moved_like_any_other() -> None:
    store = StoreThatActs()
    depot = Depot(store=store)
    depot.fill(4)
    key = depot.put(new_key())
    store.spoil(key)

    assert actions(depot.run(REPAIR)) == [(Action.QUARANTINED, key)]


class StuckStore(InMemoryImageStore):
    """A store that neither moves nor deletes one object; `goes_away` where it fails wholly."""

    stuck = ""
    goes_away = False

    def quarantine(self, key: str, deadline: Deadline) -> None:
        """Move any other."""
        self._stick(key)
        super().quarantine(key, deadline)

    def purge(self, key: str, deadline: Deadline) -> None:
        """Delete any other."""
        self._stick(key)
        super().purge(key, deadline)

    def _stick(self, key: str) -> None:
        if key == self.stuck:
            error = StorageUnavailableError("Immutable.")
            self.failure = error if self.goes_away else None
            raise error


def test_bytes_that_cannot_be_moved_do_not_stop_the_repair() -> None:
    """They stay findings, and why is told; creations and leftovers behind them are mended."""
    store = StuckStore()
    depot = Depot(store=store)
    depot.fill(4)
    store.stuck, moved = (depot.put(new_key()) for _ in range(2))
    _, finished = depot.abandoned()
    depot.store.leftovers["incoming/old"] = b"half"
    depot.store.modified["incoming/old"] = depot.clock.now() - timedelta(days=2)

    events = depot.run(REPAIR)

    assert actions(events) == [
        (Action.QUARANTINED, moved),
        (Action.FINISHED, finished),
        (Action.QUARANTINED, "incoming/old"),
    ]
    (told,) = [each for each in events if isinstance(each, Finding) and "moved" in each.detail]
    assert (told.fault, told.key) == (Fault.ORPHAN, store.stuck)
    assert "Immutable." in told.detail
    assert store.stuck in depot.store.objects


@pytest.mark.parametrize("tasks", [REPAIR, PURGE])
def test_store_that_goes_away_ends_the_repair(tasks: Tasks) -> None:
    """It is not taken for something wrong with one object."""
    store = StuckStore()
    depot = Depot(store=store)
    depot.fill(4)
    store.stuck = depot.put(new_key()) if tasks is REPAIR else aside(depot, new_key(), 31)
    store.goes_away = True
    events: list[Event] = []

    with pytest.raises(StorageUnavailableError):
        events.extend(depot.fsck().run(tasks))

    assert not [each for each in events if isinstance(each, Finding) and "moved" in each.detail]


def test_bytes_that_cannot_be_deleted_do_not_stop_the_purge() -> None:
    store = StuckStore()
    depot = Depot(store=store)
    stuck, old = (aside(depot, new_key(), 31) for _ in range(2))
    store.stuck = stuck

    events = depot.run(PURGE)

    assert faults(events) == [(Fault.NOT_PURGED, stuck)]
    assert actions(events) == [(Action.PURGED, old)]


def test_database_that_goes_away_ends_the_repair() -> None:
    """It is not taken for something wrong with one creation."""
    depot = Depot()
    depot.abandoned()
    events = depot.fsck().run(REPAIR)
    first = next(each for each in events if isinstance(each, Finding))

    depot.images.failure = DBConnectionError("No.")

    with pytest.raises(DBConnectionError):
        list(events)
    assert first.fault is Fault.UNFINISHED


# the limit


@pytest.mark.parametrize(
    ("objects", "few", "allowed"),
    [
        (0, 0, 0),
        (50, 0, 0),
        (99, 0, 0),
        (100, 0, 1),
        (199, 0, 1),
        (1_000_000, 0, 10_000),
        (0, 3, 3),
        (50, 3, 3),
        (400, 3, 4),
    ],
)
def test_one_in_a_hundred_may_be_an_orphan(objects: int, few: int, allowed: int) -> None:
    """Or as many as somebody says."""
    assert allowance(objects, few) == allowed


@pytest.mark.parametrize(("images", "is_refused"), [(98, True), (99, False)])
def test_orphan_over_one_in_a_hundred_is_refused(images: int, *, is_refused: bool) -> None:
    """Where nobody said that it may be: and how that is said is told."""
    depot = Depot()
    depot.fill(images)
    key = depot.put(new_key())
    unasked = Tasks(repair=True)

    if is_refused:
        with pytest.raises(TooManyOrphansError, match="--allow-orphans"):
            depot.run(unasked)
        assert depot.store.quarantined == {}
        unasked = Tasks(repair=True, allow_orphans=1)

    assert actions(depot.run(unasked)) == [(Action.QUARANTINED, key)]


def test_unusable_bytes_of_abandoned_creations_count_as_moves() -> None:
    """A decoder that takes nothing any more is not taken at its word either."""
    depot = Depot()
    depot.fill(40)
    for _ in range(FEW + 1):
        depot.abandoned(b"<svg/>")

    with pytest.raises(TooManyOrphansError, match=f"{FEW} of them were moved"):
        depot.run(REPAIR)

    assert len(depot.store.quarantined) == FEW


def test_look_is_refused_to_nobody() -> None:
    """However many there are, they are told, and a look changes nothing."""
    depot = Depot()
    orphans = [depot.put(new_key()) for _ in range(3)]

    assert [key for _, key in faults(depot.run(CHECK))] == orphans


@pytest.mark.parametrize("tasks", [REPAIR, PURGE, replace(CHECK, adopt=True)])
def test_too_many_orphans_are_refused(tasks: Tasks) -> None:
    """They are told, and nothing is moved, finished, adopted or deleted."""
    depot = Depot()
    depot.fill(40)
    orphans = [depot.put(new_key()) for _ in range(11)]
    mine, _ = depot.abandoned()
    before = dict(depot.store.objects)
    events: list[Event] = []

    with pytest.raises(TooManyOrphansError, match="nothing is changed") as refused:
        events.extend(depot.fsck().run(tasks))

    assert (refused.value.orphans, refused.value.allowed) == (11, 10)
    assert [key for fault, key in faults(events) if fault is Fault.ORPHAN] == orphans
    assert (depot.store.objects, depot.store.quarantined) == (before, {})
    assert depot.creations.find(mine.key, soon()) == mine_now(depot, mine)


def mine_now(depot: Depot, mine: Creation) -> Creation | None:
    """Return the creation as it was left: asked, under its first fence."""
    found = depot.creations.find(mine.key, soon())
    assert found
    assert (found.state, found.fence) == (CreationState.ASKED, mine.fence)
    return found


def test_orphans_within_the_limit_are_all_moved() -> None:
    depot = Depot()
    depot.fill(40)
    orphans = {depot.put(new_key()) for _ in range(10)}

    depot.run(REPAIR)

    assert set(depot.store.quarantined) == orphans


def test_orphans_that_come_to_light_between_the_walks_are_refused_too() -> None:
    """A database that is swapped under the check is not taken at its word."""
    depot = Depot()
    depot.fill(40)
    events = depot.fsck().run(REPAIR)

    def swap_and_go_on() -> None:
        for event in events:
            if getattr(event, "step", "") == "objects":
                depot.images._tables.rows.clear()  # noqa: SLF001 - another database

    with pytest.raises(TooManyOrphansError, match="10 of them were moved"):
        swap_and_go_on()

    assert len(depot.store.quarantined) == 10


def test_refusal_in_between_says_what_was_done() -> None:
    """A creation that was finished by then, or an image adopted, is not called nothing."""
    depot = Depot()
    depot.fill(1)
    depot.abandoned()
    events = depot.fsck().run(replace(REPAIR, allow_orphans=1))

    def add_orphans_and_go_on() -> None:
        for event in events:
            if isinstance(event, Progress) and event.step is Step.OBJECTS:
                for _ in range(2):
                    depot.put(new_key())

    with pytest.raises(TooManyOrphansError, match="1 of them were moved, beside") as refused:
        add_orphans_and_go_on()

    assert "nothing" not in str(refused.value)
    assert len(depot.images._tables.rows) == 2  # noqa: SLF001 - looked at


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


# what cut writes leave


def test_leftover_of_a_day_is_put_aside() -> None:
    """A younger one may still be written to."""
    depot = Depot()
    for name, age in (("incoming/old", 25), ("incoming/new", 23)):
        depot.store.leftovers[name] = b"half"
        depot.store.modified[name] = depot.clock.now() - timedelta(hours=age)

    events = depot.run(REPAIR)

    assert faults(events) == [(Fault.LEFTOVER, "incoming/old")]
    assert actions(events) == [(Action.QUARANTINED, "incoming/old")]
    assert list(depot.store.leftovers) == ["incoming/new"]


# the quarantine


def aside(depot: Depot, key: str, days: float) -> str:
    """Put bytes into quarantine, so many days ago."""
    depot.put(key)
    depot.store.quarantine(key, soon())
    depot.store.modified[key] = depot.clock.now() - timedelta(days=days)
    return key


def test_repair_puts_back_what_an_image_has_in_quarantine() -> None:
    """Whoever put it there; it is held to the image's sum first, and is one object again."""
    depot = Depot()
    depot.fill(4)
    image = depot.image()
    depot.store.quarantine(image.key, soon())

    looked, repaired = depot.run(), depot.run(REPAIR)

    assert faults(looked) == faults(repaired) == [(Fault.MISSING, image.key)]
    assert actions(looked) == []
    assert actions(repaired) == [(Action.RESTORED, image.key)]
    assert (depot.store.objects[image.key], depot.store.quarantined) == (b"bytes", {})
    assert faults(depot.run()) == []


def test_repair_puts_back_nothing_but_what_was_stored() -> None:
    """Other bytes of that key stay in quarantine, and so does what is no loss to anybody."""
    depot = Depot()
    depot.fill(4)
    image = depot.image()
    depot.store.quarantine(image.key, soon())
    depot.store.quarantined[image.key] = b"bytez"
    nobodys = aside(depot, new_key(), 1)

    events = depot.run(REPAIR)

    assert actions(events) == []
    assert depot.store.quarantined == {image.key: b"bytez", nobodys: b"bytes"}


def test_repair_puts_back_the_right_ones_of_several() -> None:
    """Whichever of them came into quarantine first; a purge spares them until then."""
    depot = Depot()
    depot.fill(4)
    image = depot.image()
    depot.store.quarantined[image.key] = b"bytez"
    depot.store.quarantine(image.key, soon())
    for key in depot.store.quarantined:
        depot.store.modified[key] = depot.clock.now() - timedelta(days=99)

    purged, repaired = depot.run(PURGE), depot.run(REPAIR)

    assert actions(purged) == []
    assert actions(repaired) == [(Action.RESTORED, image.key)]
    assert depot.store.objects[image.key] == b"bytes"
    assert depot.store.quarantined == {image.key: b"bytez"}


def test_repair_puts_back_nothing_over_what_is_there() -> None:
    """The store has the bytes: what lies aside is a copy that somebody made."""
    depot = Depot()
    image = depot.image()
    depot.store.quarantined[image.key] = b"bytes"
    depot.store.modified[image.key] = depot.clock.now()

    assert actions(depot.run(REPAIR)) == []
    assert depot.store.quarantined == {image.key: b"bytes"}


def test_purge_deletes_what_is_old_enough() -> None:
    """By when it came there, and nothing that is not in quarantine."""
    depot = Depot()
    depot.fill(4)
    orphan = depot.put(new_key())
    old, new = aside(depot, new_key(), 31), aside(depot, new_key(), 29)
    fsck = depot.fsck()

    events = list(fsck.run(PURGE))

    assert actions(events) == [(Action.PURGED, old)]
    assert list(depot.store.quarantined) == [new]
    assert fsck.counts.kept_in_quarantine == 1
    assert orphan in depot.store.objects


def test_purge_spares_what_somebody_may_want_back() -> None:
    """A row names it, or a creation that is not done: then it should not be there."""
    depot = Depot()
    named = depot.image().key
    depot.store.quarantine(named, soon())
    mine, claimed = depot.abandoned()
    depot.store.quarantine(claimed, soon())
    for key in (named, claimed):
        depot.store.modified[key] = depot.clock.now() - timedelta(days=99)

    events = depot.run(PURGE)

    assert actions(events) == []
    assert set(depot.store.quarantined) == {named, claimed}
    assert mine


def test_nothing_is_purged_unasked() -> None:
    depot = Depot()
    key = aside(depot, new_key(), 9_999)

    depot.run(Tasks(repair=True, adopt=True))

    assert list(depot.store.quarantined) == [key]
