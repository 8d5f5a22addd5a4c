"""Paid images that wait to be stored: leased throughout, and none in the way of another."""

import threading
from collections.abc import Callable

import pytest

from pixy_grpc.core.exceptions import CreationInProgressError, StorageUnavailableError
from pixy_grpc.core.ports import SpooledImage
from pixy_grpc.service.creation import CreationLimits
from tests.fakes import InMemorySpool
from tests.unit.service.creating import WAIT_SECONDS, World
from tests.unit.service.test_recovery import LosingStore, comes, lease_of

LIMITS = CreationLimits(lease=0.03, first_pause=0.005, longest_pause=0.005, round=0.005)
AWAY = StorageUnavailableError("Away.")


class WatchedSpool(InMemorySpool):
    """A spool that tells of each look at its names, and acts before an image is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.looked = threading.Semaphore(0)
        self.on_names: Callable[[], object] | None = None
        self.on_put: Callable[[], object] | None = None

    def names(self) -> list[str]:
        """Return the names as they were when it was called."""
        found = super().names()
        act, self.on_names = self.on_names, None
        if act:
            act()
        self.looked.release()
        return found

    def put(self, spooled: SpooledImage) -> None:
        """Keep an image, in the end."""
        if self.on_put:
            self.on_put()
        super().put(spooled)

    def await_looks(self, count: int) -> None:
        """Return after so many looks from now."""
        while self.looked.acquire(blocking=False):
            pass
        for _ in range(count):
            assert self.looked.acquire(timeout=WAIT_SECONDS)


def watched_world() -> tuple[World, WatchedSpool]:
    """Return a world whose store goes away once something is paid for."""
    world, spool = World(limits=LIMITS), WatchedSpool()
    world.spool = spool
    world.creation = world.rebuilt()
    world.generator.script(LosingStore(world, AWAY, "store"))
    return world, spool


def is_renewed(world: World) -> bool:
    """Tell whether the lease of its image goes on."""
    world.clock.advance(100)
    return comes(lambda: lease_of(world) == world.clock.milliseconds() + LIMITS.lease_ms)


def test_lease_of_an_image_that_is_being_spooled_goes_on() -> None:
    """Rounds of the backlog meanwhile find nothing of it: it is not stored for all that."""
    world, spool = watched_world()
    spool.on_put = lambda: spool.await_looks(4)
    world.creation.start()

    with pytest.raises(CreationInProgressError):
        world.create()

    assert is_renewed(world)
    world.creation.stop(1)


@pytest.mark.parametrize("look", [1, 2])
def test_lease_of_an_image_spooled_behind_a_look_goes_on(look: int) -> None:
    """A round that looked before it was there takes none for stored that came later."""
    world, spool = watched_world()
    ended = threading.Event()

    def create() -> None:
        with pytest.raises(CreationInProgressError):
            world.create()
        ended.set()

    def count() -> None:
        spool.on_names = create

    spool.on_names = create if look == 1 else count
    world.creation.start()

    assert ended.wait(WAIT_SECONDS)
    spool.await_looks(4)
    assert is_renewed(world)
    world.creation.stop(1)
