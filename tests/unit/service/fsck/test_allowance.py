"""How many orphans there may be before a run takes the database for the wrong one."""

from dataclasses import replace

import pytest

from pixy_grpc.core.creations import Creation, CreationState
from pixy_grpc.service.fsck import Action, Event, Fault, Progress, Step, Tasks, TooManyOrphansError
from pixy_grpc.service.fsck.orphans import allowance
from tests.integration.data.examples import new_key
from tests.unit.service.fsck.depot import CHECK, FEW, PURGE, REPAIR, Depot, actions, faults, soon


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
