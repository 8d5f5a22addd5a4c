"""Paid images that cannot be stored: kept, leased, and stored by whoever can."""

from dataclasses import replace

import pytest

from pixy_grpc.core.creations import PaidImage
from pixy_grpc.core.exceptions import (
    CreationInProgressError,
    DBConnectionError,
    ImageException,
    StorageFullError,
    StorageUnavailableError,
)
from pixy_grpc.core.ports import SpooledImage
from tests.unit.service.creating import LIMITS, RunningClock, World, png
from tests.unit.service.recovering import GUID, comes, crash, ends, paid_but_not_stored, soon


@pytest.mark.parametrize("spool_fails", [False, True], ids=["spooled", "in memory"])
@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("store", StorageUnavailableError("No.")),
        ("store", StorageFullError("No.")),
        ("database", StorageFullError("No.")),
        ("database", DBConnectionError("No.")),
    ],
)
def test_paid_image_is_stored_once_that_can_be(
    what: str, error: ImageException, *, spool_fails: bool
) -> None:
    """The caller is told to come back, and the bytes are not lost meanwhile."""
    world = paid_but_not_stored(what, error, spool_fails=spool_fails)
    assert bool(world.spool.images) is not spool_fails
    world.store.failure = world.repository.failure = None

    created = world.create()

    assert created.replayed
    assert (world.asked, world.state) == (1, "done")
    assert len(world.store.objects) == 1
    assert world.creation.stop(1)
    assert world.spool.images == {}


def test_next_process_stores_what_is_in_the_spool() -> None:
    world = paid_but_not_stored("store", StorageUnavailableError("No."))
    world.creation.stop(1)
    world.store.failure = None
    world.end_leases()
    after = World(beside=world)
    after.spool = world.spool
    restarted = after.rebuilt()
    restarted.start()

    assert ends(after, "done")

    restarted.stop(1)
    assert (after.asked, world.spool.images) == (0, {})


def test_retry_does_not_pay_for_what_another_process_spools() -> None:
    """On one machine the spool is seen by all its workers, after the lease too: whoever is to
    store it keeps the fence, and the lease that other machines see.
    """
    world = paid_but_not_stored("store", StorageUnavailableError("No."))
    world.creation.stop(1)
    world.store.failure = None
    world.end_leases()
    other = World(beside=world)
    other.spool = world.spool
    other.creation = other.rebuilt()
    before = other.found

    with pytest.raises(CreationInProgressError):
        other.create()

    assert (other.asked, other.found) == (0, before)


def test_spooled_image_whose_creation_is_gone_is_put_aside() -> None:
    """Never deleted, never in the way of those behind it."""
    world = World()
    crash(world, "asked")
    assert world.found
    paid = PaidImage(world.found.fence, GUID, f"{GUID}.7.png")
    world.creations.release(world.found.fence, 0, soon())
    world.spool.put(SpooledImage(paid, png().data))
    world.creation.start()

    assert comes(lambda: not world.spool.images)

    world.creation.stop(1)
    assert world.store.quarantined == {f"{GUID}.7.png": png().data}


def test_spooled_image_that_nobody_needs_is_not_in_the_way() -> None:
    """The creation is done and its image deleted: the bytes are put aside, others stored."""
    world = World()
    first = world.create()
    assert world.found
    done = world.found
    world.repository.delete(first.image.guid, soon())
    late = PaidImage(done.fence, done.guid, f"{done.guid}.7.png")
    world.spool.put(SpooledImage(late, png().data))
    world.creation.start()

    assert comes(lambda: not world.spool.images)

    world.creation.stop(1)
    assert list(world.store.quarantined) == [f"{done.guid}.7.png"]


def test_spooled_image_that_was_stored_and_deleted_meanwhile_leaves_no_bytes() -> None:
    """The answer to its commit was lost; what the deletion removed does not come back."""
    world = World()
    first = world.create()
    assert world.found
    done = world.found
    contents = world.repository.delete(first.image.guid, soon())
    assert contents
    world.store.delete(contents.key, soon())
    late = PaidImage(done.fence, done.guid, contents.key)
    world.spool.put(SpooledImage(late, png().data))
    world.creation.start()

    assert comes(lambda: not world.spool.images)

    world.creation.stop(1)
    assert world.store.objects == {}
    assert list(world.store.quarantined) == [contents.key]


def test_lease_ends_once_another_process_has_stored_the_image() -> None:
    world = paid_but_not_stored(
        "store",
        StorageUnavailableError("No."),
        limits=replace(LIMITS, lease=0.3, skew=0.05),
        clock=RunningClock(),
    )
    (name,) = world.spool.images
    held = world.spool.images[name]
    world.spool.remove(name)
    world.store.failure = None
    world.store.put(name, held.data, soon())

    assert world.create().replayed

    assert world.creation.stop(1)
