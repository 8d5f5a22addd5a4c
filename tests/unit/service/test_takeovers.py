"""Who is taken for gone, and who may still spend money: by what each has seen."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import Creation, Fence
from pixy_grpc.core.exceptions import (
    CreationInProgressError,
    DBConnectionError,
    ProviderUnavailableError,
)
from pixy_grpc.service.creation import CreatedImage
from pixy_grpc.service.creation.limits import CreationLimits
from pixy_grpc.service.creation.sight import Sight
from tests.fakes import InMemoryCreationRepository, InMemoryImageRepository
from tests.unit.service.creating import LIMITS, WAIT_SECONDS, Pausing, RunningClock, World, png
from tests.unit.service.recovering import comes, crash

MOMENT = 1_000_000
PATIENCE = 20_000
"""The lease and the skew, in milliseconds."""

LOOK = 5_000
"""From one look to the next."""


def soon() -> Deadline:
    return Deadline.after(WAIT_SECONDS)


# what a process has seen


def seen(*moments: int) -> Sight:
    sight = Sight(CreationLimits())
    for each in moments:
        sight.saw(MOMENT + each)
    return sight


def test_sight_of_a_new_process_is_clear() -> None:
    """It goes on at once with what the one before left."""
    assert seen().is_clear(MOMENT)
    assert seen(0).is_clear(MOMENT)


def test_sight_after_an_outage_is_clear_once_owners_had_the_time_to_come_back() -> None:
    """From the first answer on, not from the last failure."""
    sight = seen(0)
    sight.missed()
    assert not sight.is_clear(MOMENT)

    for moment in range(LOOK, LOOK + PATIENCE, LOOK):
        sight.saw(MOMENT + moment)
        assert not sight.is_clear(MOMENT + moment)

    sight.saw(MOMENT + LOOK + PATIENCE)
    assert sight.is_clear(MOMENT + LOOK + PATIENCE)


@pytest.mark.parametrize("jump", [-1, 2 * LOOK + 1, 3_600_000])
def test_sight_of_a_process_that_slept_is_not_clear(jump: int) -> None:
    """Nor where the clock was set: others may have slept on the same machine."""
    sight = seen(0)
    assert not sight.is_clear(MOMENT + jump)

    sight.saw(MOMENT + jump)

    assert not sight.is_clear(MOMENT + jump)


def test_look_that_is_late_is_no_sleep() -> None:
    assert seen(0, 2 * LOOK).is_clear(MOMENT + 3 * LOOK)


# who takes over


def short_lived() -> World:
    limits = replace(LIMITS, lease=1.5, skew=0.1)
    return World(limits=limits, clock=RunningClock())


def test_owner_is_not_taken_over_right_after_an_outage() -> None:
    """It could not renew its lease, and its ask still runs."""
    world = short_lived()
    crash(world, "asked")
    looks: list[int] = []
    other = World(beside=world, limits=world.limits, creations=partial(WatchedCreations, looks))
    other.creation.start()
    world.repository.failure = DBConnectionError("Away.")
    looks.clear()
    assert comes(lambda: len(looks) > 1)
    assert comes(lambda: lease_is_over(world))
    world.repository.failure = None

    with pytest.raises(CreationInProgressError):
        other.create(deadline=Deadline.after(0.3, from_caller=True))

    assert other.asked == 0
    assert not other.create().replayed
    assert other.creation.stop(WAIT_SECONDS)


class WatchedCreations(InMemoryCreationRepository):
    """A repository that notes each look of a process that has no lease."""

    def __init__(self, looks: list[int], images: InMemoryImageRepository) -> None:
        super().__init__(images)
        self._looks = looks

    def list_unfinished(
        self, ended_before_ms: int, limit: int, deadline: Deadline
    ) -> Sequence[Creation]:
        """Note it, and look."""
        if limit == 1:
            self._looks.append(1)
        return super().list_unfinished(ended_before_ms, limit, deadline)


def lease_is_over(world: World) -> bool:
    found = next(iter(world.repository._tables.creations.values()))  # noqa: SLF001 - it is away
    return found.lease_until_ms + world.limits.skew_ms < world.clock.milliseconds()


# who may ask


class SleepyWorld(World):
    """A world whose owner runs `meanwhile` once its ask is noted, before it asks."""

    def __init__(self) -> None:
        self.meanwhile: list[Callable[[], object]] = []
        super().__init__(creations=partial(SleepyCreations, self))


class SleepyCreations(InMemoryCreationRepository):
    """A repository that takes as long to note an ask as what happens meanwhile."""

    def __init__(self, world: SleepyWorld, images: InMemoryImageRepository) -> None:
        super().__init__(images)
        self._world = world

    def note_asked(self, fence: Fence, deadline: Deadline) -> None:
        """Note it, and sleep."""
        super().note_asked(fence, deadline)
        for act in self._world.meanwhile:
            act()


def test_owner_that_slept_past_its_lease_and_was_overtaken_does_not_ask() -> None:
    """Whoever took over asks: its caller is told to come back for that."""
    sleeper = SleepyWorld()
    slow = Pausing(png())
    winner = World(slow, beside=sleeper)

    def sleep() -> None:
        sleeper.end_leases()
        running.append(winner.begin())
        assert slow.asked.wait(WAIT_SECONDS)

    running: list[Future[CreatedImage]] = []
    sleeper.meanwhile = [sleep]

    with pytest.raises(CreationInProgressError):
        sleeper.create()

    slow.go_on.set()
    assert running[0].result(WAIT_SECONDS)
    assert (sleeper.asked, winner.asked) == (0, 1)
    assert sleeper.create().replayed


def test_owner_that_slept_past_its_lease_renews_it_before_it_asks() -> None:
    """Nobody takes over while the provider works, on a lease that has ended."""
    world = SleepyWorld()
    world.meanwhile = [world.end_leases]
    slow = Pausing(png())
    world.generator.script(slow)

    running = world.begin()
    assert slow.asked.wait(WAIT_SECONDS)

    assert world.found
    assert world.found.lease_until_ms == world.clock.milliseconds() + LIMITS.lease_ms
    slow.go_on.set()
    assert running.result(WAIT_SECONDS)


def test_owner_that_slept_and_cannot_renew_does_not_ask() -> None:
    """Nothing was spent, and that is what it says."""
    world = SleepyWorld()

    def sleep() -> None:
        world.end_leases()
        world.repository.failure = DBConnectionError("Away.")

    world.meanwhile = [sleep]

    with pytest.raises(ProviderUnavailableError):
        world.create()

    assert world.asked == 0
