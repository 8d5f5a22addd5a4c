"""The leases of a process: none is left up where something goes wrong."""

import pytest

from pixy_grpc.core.creations import CreationKey, Fence
from pixy_grpc.service.creation.leases import Leases
from pixy_grpc.service.creation.limits import CreationLimits
from tests.fakes import FixedClock, InMemoryCreationRepository, InMemoryImageRepository

FENCE = Fence(CreationKey("alice", "1"), 1, "guid")


class FailingLeases(Leases):
    """Leases that no thread can be begun for."""

    def add(self, fence: Fence) -> None:
        """Fail as threading.Thread.start does."""
        raise RuntimeError(f"can't start new thread for {fence}")


def test_lease_that_cannot_be_renewed_is_not_held() -> None:
    """A process out of threads does not wait at its end for work that never began."""
    creations = InMemoryCreationRepository(InMemoryImageRepository())
    leases = FailingLeases(creations, FixedClock(), CreationLimits())

    with pytest.raises(RuntimeError), leases.held(FENCE):
        pass

    assert leases.await_idle(0)
    assert not leases.holds(FENCE.key)
