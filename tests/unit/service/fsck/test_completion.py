"""Creations that a repair completes: under a lease, and only where nobody else is at it."""

import threading
from dataclasses import replace

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import Creation, PaidImage
from pixy_grpc.core.exceptions import StorageUnavailableError, TransactionConflictError
from pixy_grpc.core.ports import SpooledImage
from pixy_grpc.service.creation import CreationLimits
from pixy_grpc.service.creation.keeping import Keeping
from pixy_grpc.service.creation.leases import Leases
from pixy_grpc.service.creation.pictures import Pictures
from pixy_grpc.service.creation.recovery import Completion, Recovery
from pixy_grpc.service.fsck import Action, Event, Fault, Fsck, FsckParts
from tests.fakes import InMemoryCreationRepository
from tests.unit.service.creating import png
from tests.unit.service.fsck.depot import (
    LIMITS,
    REPAIR,
    Depot,
    StoreThatActs,
    actions,
    faults,
    soon,
)
from tests.unit.service.recovering import comes

SHORT = CreationLimits(lease=0.03)
"""Renewed every 10 ms."""


def fsck_of(depot: Depot) -> Fsck:
    """Return a check whose leases are short."""
    parts = FsckParts(depot.parts, depot.inventory, depot.renditions, lambda: depot.older)
    return Fsck(parts, creation_limits=SHORT)


def found(depot: Depot, mine: Creation) -> Creation:
    creation = depot.creations.find(mine.key, soon())
    assert creation
    return creation


def test_creation_is_leased_while_it_is_completed() -> None:
    """However long its bytes take to read: nobody else takes it over meanwhile."""
    store = StoreThatActs()
    depot = Depot(store=store)
    mine, key = depot.abandoned()
    renewed: list[bool] = []

    def outlast_the_lease(_: str) -> None:
        if found(depot, mine).fence == mine.fence:
            return  # nobody has taken it over yet
        depot.clock.advance(60)
        until = depot.clock.milliseconds() + SHORT.lease_ms
        renewed.append(comes(lambda: found(depot, mine).lease_until_ms == until))

    store.happens = outlast_the_lease

    events = list(fsck_of(depot).run(REPAIR))

    assert actions(events) == [(Action.FINISHED, key)]
    assert renewed
    assert all(renewed)


def test_check_leaves_no_thread_behind() -> None:
    """Not the one that renewed the leases of what it completed."""
    before = set(threading.enumerate())
    depot = Depot()
    depot.abandoned()

    list(fsck_of(depot).run(REPAIR))

    left = set(threading.enumerate()) - before
    assert not [thread for thread in left if thread.name == "pixy-leases"]


class LeavingStore(StoreThatActs):
    """A store that lists what it has, and from some moment on does nothing else."""

    is_away = False

    def ping(self, deadline: Deadline) -> None:
        """Tell whether it is there."""
        if self.is_away:
            raise StorageUnavailableError("No.")
        super().ping(deadline)

    def leave(self, _: str) -> None:
        """Be away from now on."""
        self.is_away = True
        raise StorageUnavailableError("No.")


def test_store_that_goes_away_ends_the_completing() -> None:
    """It is not taken for what is wrong with one creation, nor is another tried."""
    store = LeavingStore()
    depot = Depot(store=store)
    for _ in range(2):
        depot.abandoned()
    store.happens = store.leave
    events: list[Event] = []

    with pytest.raises(StorageUnavailableError):
        events.extend(depot.fsck().run(REPAIR))

    assert actions(events) == []


def test_store_that_goes_away_ends_the_rows() -> None:
    """No image is told to be unreadable for it."""
    store = LeavingStore()
    depot = Depot(store=store)
    depot.fill(3)
    store.happens = store.leave
    events: list[Event] = []

    with pytest.raises(StorageUnavailableError):
        events.extend(depot.fsck().run(REPAIR))

    assert faults(events) == []


class ContendedCreations(InMemoryCreationRepository):
    """Creations of which another node of a cluster takes one over, every time somebody tries."""

    contended = ""

    def take_over(
        self, seen: Creation, lease_until_ms: int, ended_before_ms: int, deadline: Deadline
    ) -> Creation | None:
        """Take over any other."""
        if seen.guid == self.contended:
            raise TransactionConflictError("No.")
        return super().take_over(seen, lease_until_ms, ended_before_ms, deadline)


def test_creation_that_somebody_takes_over_now_does_not_stop_the_others() -> None:
    """A server's own sweep goes for it at the same time: it stays a finding."""
    depot = Depot()
    creations = ContendedCreations(depot.images)
    depot.parts = replace(depot.parts, creations=creations)
    (contended, theirs), (_, key) = depot.abandoned(), depot.abandoned()
    creations.contended = contended.guid

    events = depot.run(REPAIR)

    assert faults(events) == [(Fault.UNFINISHED, theirs), (Fault.UNFINISHED, key)]
    assert actions(events) == [(Action.FINISHED, key)]


@pytest.mark.parametrize("by", ["the spool", "a lease"])
def test_creation_that_somebody_is_at_is_not_taken_over(by: str) -> None:
    """Who came to it since it was judged: of this machine, or of this process."""
    depot = Depot()
    mine, key = depot.abandoned()
    leases = Leases(depot.creations, depot.clock, LIMITS)
    keeping, pictures = Keeping(depot.parts, leases, LIMITS), Pictures(LIMITS)
    recovery = Recovery(depot.parts, keeping, pictures, leases, LIMITS)
    if by == "the spool":
        depot.spool.put(SpooledImage(PaidImage(mine.fence, mine.guid, key), png().data))
    else:
        leases.add(mine.fence)

    assert recovery.complete(found(depot, mine)) is Completion.BUSY

    leases.stop(1)
    assert found(depot, mine).fence == mine.fence


def test_orphan_that_cannot_be_opened_is_one() -> None:
    """That it is gone has not been shown."""
    store = StoreThatActs()
    depot = Depot(store=store)
    depot.fill(4)
    key = depot.put("0a1b2c3d-0000-4000-8000-000000000000.1.png")
    store.spoil(key)

    assert faults(depot.run()) == [(Fault.ORPHAN, key)]
