"""What `pixy-grpc fsck` counts as left, which is what its exit code says."""

from pixy_grpc.cli.fsck_report import Tally
from pixy_grpc.service.fsck import Action, Event, Fault, Progress, Step, Tasks
from tests.unit.service.creating import png
from tests.unit.service.fsck.depot import REPAIR, Depot, StoreThatActs


def tallied(events: list[Event]) -> Tally:
    tally = Tally()
    for event in events:
        tally.add(event)
    return tally


def test_creation_that_is_left_is_not_made_up_for_by_another() -> None:
    """One could not be completed; one that was nobody's finding before was."""
    store = StoreThatActs()
    depot = Depot(store=store)
    store.spoil(depot.abandoned()[1])
    tally = Tally()
    for event in depot.fsck().run(REPAIR):
        tally.add(event)
        if isinstance(event, Progress) and event.step is Step.OBJECTS:
            depot.abandoned()

    assert tally.found == {Fault.UNFINISHED: 1}
    assert tally.done == {Action.FINISHED: 1}
    assert tally.left == 1


def test_creation_that_is_finished_leaves_nothing() -> None:
    """Whichever of its attempts became the image: the others are put aside."""
    depot = Depot()
    mine, _ = depot.abandoned(b"no image")
    depot.put(f"{mine.guid}.2.png", png().data)
    depot.put(f"{mine.guid}.3.png", png("blue").data)

    tally = tallied(depot.run(REPAIR))

    assert tally.found == {Fault.UNFINISHED: 3}
    assert tally.done == {Action.FINISHED: 1, Action.QUARANTINED: 2}
    assert tally.left == 0


def test_image_that_is_adopted_is_not_left() -> None:
    """What it lacked had no key, and has one then."""
    depot = Depot()
    guid = depot.bare()
    depot.put(f"{guid}.1.png", png().data)

    tally = tallied(depot.run(Tasks(adopt=True)))

    assert tally.found == {Fault.UNKNOWN_BYTES: 1}
    assert tally.left == 0


def test_finding_that_is_told_twice_is_one() -> None:
    """In the check, and in the repair that cannot mend it."""
    depot = Depot()
    guid = depot.bare()
    for attempt in (1, 2):
        depot.put(f"{guid}.{attempt}.png", png().data)

    tally = tallied(depot.run(Tasks(adopt=True)))

    assert tally.found == {Fault.UNKNOWN_BYTES: 1}
    assert tally.left == 1
