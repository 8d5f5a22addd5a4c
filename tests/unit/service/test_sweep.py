"""The sweep: what has lost its owner is completed though nobody asks."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import Creation, CreationKey, CreationState, NewCreation
from pixy_grpc.core.exceptions import DBConnectionError
from tests.fakes import InMemoryCreationRepository
from tests.integration.data.examples import new_image
from tests.unit.service.creating import LIMITS, REQUEST_ID, RunningClock, World, png
from tests.unit.service.recovering import GUID, STEPS, comes, crash, ends, soon

OTHER_GUID = "6f1c2d3e-0000-4000-8000-000000000002"


@pytest.mark.parametrize("step", ["asked", "kept"])
def test_sweep_completes_what_has_durable_bytes(step: str) -> None:
    """Nobody has to ask again for what was paid for."""
    world = World()
    crash(world, step, data=png().data)
    world.end_leases()
    world.creation.start()

    assert ends(world, "done")

    world.creation.stop(1)
    assert world.repository.get(GUID, soon())
    assert world.asked == 0


@pytest.mark.parametrize(("step", "state"), [("claimed", "none"), ("asked", "unknown")])
def test_sweep_leaves_what_has_no_bytes_to_who_asks_again(step: str, state: str) -> None:
    world = World()
    crash(world, step)
    world.end_leases()
    world.creation.start()

    assert ends(world, state)

    world.creation.stop(1)
    assert world.asked == 0


@pytest.mark.parametrize("step", STEPS)
def test_sweep_leaves_what_has_an_owner(step: str) -> None:
    world = World()
    crash(world, step, data=png().data)
    world.creation.start()

    assert not ends(world, "done", seconds=0.1)

    world.creation.stop(1)
    assert world.state == step


def test_sweep_goes_on_once_the_database_is_back() -> None:
    """For as long as a lease it leaves owners the time to come back as well."""
    sweeps: list[int] = []

    class SweptCreations(InMemoryCreationRepository):
        """A repository that notes each sweep."""

        def list_unfinished(
            self, ended_before_ms: int, limit: int, deadline: Deadline
        ) -> Sequence[Creation]:
            """Note it, and list."""
            sweeps.append(1)
            return super().list_unfinished(ended_before_ms, limit, deadline)

    limits = replace(LIMITS, lease=0.3, skew=0.05)
    world = World(limits=limits, clock=RunningClock(), creations=SweptCreations)
    crash(world, "kept", data=png().data)
    sweeps.clear()
    world.repository.failure = DBConnectionError("Away.")
    world.creation.start()
    assert comes(lambda: len(sweeps) > 2)
    world.repository.failure = None

    assert ends(world, "done")

    world.creation.stop(1)


def test_sweep_goes_on_behind_one_that_cannot_be_completed() -> None:
    """Two creations of one guid cannot be; one that ends later is completed all the same."""
    world = World()
    taken = NewCreation(
        CreationKey("bob", REQUEST_ID), "f", GUID, "a hen", "", "scripted", world.clock.now(), 0
    )
    odd = world.creations.claim(taken, soon())
    world.creations.note_asked(odd.fence, soon())
    crash(world, "asked", data=png().data)
    world.repository.add(new_image(guid=GUID), soon())
    other = replace(taken, key=CreationKey("carol", REQUEST_ID), guid=OTHER_GUID)
    later = world.creations.claim(replace(other, lease_until_ms=1), soon())
    world.creations.note_asked(later.fence, soon())
    world.store.put(f"{OTHER_GUID}.1.png", png().data, soon())
    world.end_leases()
    world.creation.start()

    assert comes(lambda: is_done(world, other.key))

    world.creation.stop(1)
    assert not is_done(world, odd.key)


def is_done(world: World, key: CreationKey) -> bool:
    found = world.creations.find(key, soon())
    return found is not None and found.state is CreationState.DONE
