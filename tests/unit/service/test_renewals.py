"""Leases of owners that live: renewed while they work."""

import threading
from collections.abc import Sequence

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import Fence
from pixy_grpc.core.exceptions import DBConnectionError
from pixy_grpc.service.creation import CreationLimits
from tests.fakes import InMemoryCreationRepository
from tests.unit.service.creating import WAIT_SECONDS, Pausing, World, png
from tests.unit.service.recovering import comes, lease_of


def test_living_owner_keeps_its_lease() -> None:
    """Renewals come while the provider works, so that nobody takes over."""
    slow = Pausing(png())
    world = World(slow, limits=CreationLimits(lease=0.03))
    running = world.begin()
    assert slow.asked.wait(WAIT_SECONDS)
    world.clock.advance(100)

    assert comes(lambda: lease_of(world) == world.clock.milliseconds() + 30)

    slow.go_on.set()
    assert running.result(WAIT_SECONDS)


def test_renewal_that_fails_is_tried_again() -> None:
    """A database that is away for a moment does not cost the lease."""
    tried = threading.Event()

    class RenewedCreations(InMemoryCreationRepository):
        """A repository that tells of each renewal, however it ends."""

        def renew(
            self, fences: Sequence[Fence], lease_until_ms: int, deadline: Deadline
        ) -> list[Fence]:
            """Renew, and tell."""
            try:
                return super().renew(fences, lease_until_ms, deadline)
            finally:
                tried.set()

    slow = Pausing(png())
    world = World(slow, limits=CreationLimits(lease=0.03), creations=RenewedCreations)
    running = world.begin()
    assert slow.asked.wait(WAIT_SECONDS)
    world.repository.failure = DBConnectionError("Away.")
    tried.clear()
    assert tried.wait(WAIT_SECONDS)
    world.repository.failure = None
    world.clock.advance(100)

    assert comes(lambda: lease_of(world) == world.clock.milliseconds() + 30)

    slow.go_on.set()
    assert running.result(WAIT_SECONDS)
