"""Creations that the provider was asked for before: nothing says that they cost nothing."""

import threading

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import Creation, Fence, PaidImage, Usage
from pixy_grpc.core.exceptions import (
    DBConnectionError,
    ProviderOutcomeUnknownError,
    StorageUnavailableError,
)
from pixy_grpc.core.ports import Space, SpooledImage
from tests.fakes import InMemoryCreationRepository, InMemorySpool
from tests.unit.service.creating import World, png
from tests.unit.service.recovering import comes, crash


class LostSpool(InMemorySpool):
    """A spool whose folder cannot be read after so many looks, for now."""

    looks = 0

    def holds(self, guid: str) -> bool:
        """Fail, or look."""
        self.looks -= 1
        if self.looks < 0:
            raise StorageUnavailableError("EIO")
        return super().holds(guid)


@pytest.mark.parametrize(("looks", "state"), [(0, "asked"), (1, "unknown")])
def test_retry_that_cannot_look_into_the_spool_leaves_no_lease(looks: int, state: str) -> None:
    """Whoever asks next goes on at once."""
    world, spool = World(), LostSpool()
    world.spool = spool
    world.restart()
    crash(world, "asked")
    world.end_leases()
    spool.looks = looks

    with pytest.raises(ProviderOutcomeUnknownError):
        world.create()

    assert world.found
    assert (world.asked, world.state, world.found.asks) == (0, state, 1)
    spool.looks = 9
    assert world.create()


def test_ask_that_cannot_be_counted_is_not_unavailable() -> None:
    is_away = threading.Event()

    class FailingCreations(InMemoryCreationRepository):
        """A repository that cannot count while it is away."""

        def note_asked(self, fence: Fence, deadline: Deadline) -> None:
            """Count, or fail."""
            if is_away.is_set():
                raise DBConnectionError("Away.")
            super().note_asked(fence, deadline)

    world = World(ProviderOutcomeUnknownError("?"), png(), creations=FailingCreations)
    with pytest.raises(ProviderOutcomeUnknownError):
        world.create()
    is_away.set()
    with pytest.raises(ProviderOutcomeUnknownError) as caught:
        world.create()
    is_away.clear()

    assert isinstance(caught.value.__cause__, DBConnectionError)
    assert world.create()
    assert world.asked == 2


def test_take_over_that_fails_is_not_unavailable() -> None:
    """Whoever asks again has asked before: that may have been billed."""
    is_away = threading.Event()

    class FailingCreations(InMemoryCreationRepository):
        """A repository that can only be read while it is away."""

        def take_over(
            self, seen: Creation, lease_until_ms: int, ended_before_ms: int, deadline: Deadline
        ) -> Creation | None:
            """Take over, or fail."""
            if is_away.is_set():
                raise DBConnectionError("Away.")
            return super().take_over(seen, lease_until_ms, ended_before_ms, deadline)

    world = World(creations=FailingCreations)
    crash(world, "asked")
    world.end_leases()
    is_away.set()

    with pytest.raises(ProviderOutcomeUnknownError):
        world.create()

    is_away.clear()
    assert world.create()


def test_full_store_is_not_said_to_have_cost_nothing() -> None:
    """Nothing is asked for now; an earlier ask may have been billed all the same."""
    world = World()
    crash(world, "asked")
    world.end_leases()
    world.store.free = Space(0, 10**12)

    with pytest.raises(ProviderOutcomeUnknownError):
        world.create()

    world.store.free = None
    assert world.create()


def test_adopted_image_keeps_its_model_and_usage() -> None:
    """Its owner noted both with the bytes, and came no further."""
    world = World()
    crash(world, "kept", data=png().data)
    usage = Usage("req-1", 12, 34, 5.25)
    assert world.found
    kept = PaidImage(world.found.fence, world.found.guid, world.found.store_key, "m-1", usage)
    world.creations.note_kept(kept, Deadline.after(1))
    world.end_leases()

    created = world.create()

    assert created.replayed
    assert created.image.model == "m-1"
    assert world.creations.usages == {created.image.guid: usage}


def test_spooled_image_keeps_its_model_and_usage() -> None:
    world = World()
    world.spool.put(spooled_by_an_earlier_process(world))

    world.creation.start()

    assert comes(lambda: world.state == "done")
    world.creation.stop(1)
    created = world.create()
    assert created.image.model == "m-1"
    assert world.creations.usages == {created.image.guid: Usage("req-1", 12, 34, 5.25)}


def spooled_by_an_earlier_process(world: World) -> SpooledImage:
    crash(world, "asked")
    assert world.found
    key = f"{world.found.guid}.7.png"
    usage = Usage("req-1", 12, 34, 5.25)
    paid = PaidImage(world.found.fence, world.found.guid, key, "m-1", usage)
    return SpooledImage(paid, png().data)
