"""What goes wrong while things are mended: one of them is left, or the store has gone."""

from datetime import timedelta

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import DBConnectionError, StorageUnavailableError
from pixy_grpc.core.ports import NewImage
from pixy_grpc.service.fsck import Action, Event, Fault, Finding, Tasks
from tests.fakes import InMemoryImageStore
from tests.integration.data.examples import contents, new_key
from tests.unit.service.fsck.depot import PURGE, REPAIR, Depot, StoreThatActs, actions, faults, soon


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
    store.stuck = depot.put(new_key()) if tasks is REPAIR else depot.aside(new_key(), 31)
    store.goes_away = True
    events: list[Event] = []

    with pytest.raises(StorageUnavailableError):
        events.extend(depot.fsck().run(tasks))

    assert not [each for each in events if isinstance(each, Finding) and "moved" in each.detail]


def test_bytes_that_cannot_be_deleted_do_not_stop_the_purge() -> None:
    store = StuckStore()
    depot = Depot(store=store)
    stuck, old = (depot.aside(new_key(), 31) for _ in range(2))
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
