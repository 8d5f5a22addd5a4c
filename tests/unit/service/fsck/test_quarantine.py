"""What is put aside, what comes back from there, and what alone is ever deleted."""

from datetime import timedelta

from pixy_grpc.service.fsck import Action, Fault, Tasks
from tests.integration.data.examples import new_key
from tests.unit.service.fsck.depot import PURGE, REPAIR, Depot, actions, faults, soon


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
    nobodys = depot.aside(new_key(), 1)

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
    old, new = depot.aside(new_key(), 31), depot.aside(new_key(), 29)
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
    key = depot.aside(new_key(), 9_999)

    depot.run(Tasks(repair=True, adopt=True))

    assert list(depot.store.quarantined) == [key]
