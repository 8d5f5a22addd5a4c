"""Images of a creation whose name is another's by now: never bound to that one."""

from concurrent.futures import Future
from dataclasses import replace

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import Creation, Fence, PaidImage
from pixy_grpc.core.exceptions import ProviderOutcomeUnknownError
from pixy_grpc.core.ports import NewImage, SpooledImage
from pixy_grpc.service.creation import CreatedImage
from pixy_grpc.service.creation.limits import LAPSE
from tests.fakes import InMemoryCreationRepository
from tests.integration.data.examples import contents
from tests.unit.service.creating import WAIT_SECONDS, Pausing, World, png
from tests.unit.service.recovering import comes, crash

RETIRED = "0b9d1f9e-6b0f-4c2d-9a54-3d0c2a7f1e56"


def soon() -> Deadline:
    return Deadline.after(WAIT_SECONDS)


def spooled(world: World, early: Creation) -> str:
    """Leave a paid image of a creation in the spool; return its key."""
    key = f"{early.guid}.7.png"
    world.spool.put(SpooledImage(PaidImage(early.fence, early.guid, key), png("blue").data))
    return key


def crashed(world: World) -> Creation:
    """Leave a creation that was asked for, and return it."""
    crash(world, "asked")
    assert world.found
    return world.found


def let_store(world: World) -> None:
    """Let a machine come back that has an image in its spool."""
    world.creation.start()
    assert comes(lambda: not world.spool.images)
    world.creation.stop(1)


def test_spooled_image_is_not_bound_to_what_has_its_name_now() -> None:
    """A machine that comes back after days makes it the image of its own creation."""
    world = World()
    early = crashed(world)
    key = spooled(world, early)
    world.creations.retire(early.fence, RETIRED, soon())
    slow = Pausing(png())
    world.generator.script(slow)
    running = world.begin()
    assert slow.asked.wait(WAIT_SECONDS)

    let_store(world)
    slow.go_on.set()

    made = running.result(WAIT_SECONDS)
    stored = world.repository.get(early.guid, soon())
    assert made.image.guid != early.guid
    assert stored.contents
    assert stored.contents.key == key
    assert sorted(world.store.objects.values()) == sorted([png().data, png("blue").data])
    assert world.store.quarantined == {}


def test_spooled_image_that_is_stored_already_stays_where_it_is() -> None:
    """Another machine has completed it from the same bytes, and its name has lapsed since."""
    world = World()
    early = crashed(world)
    key = spooled(world, early)
    image = NewImage(
        early.guid, "a.png", "a", world.clock.now(), contents(png("blue").data, key), early.fence
    )
    world.store.put(key, png("blue").data, soon())
    world.repository.add(image, soon())
    world.creations.retire(early.fence, RETIRED, soon())

    let_store(world)

    assert world.store.objects == {key: png("blue").data}
    assert world.store.quarantined == {}


@pytest.mark.parametrize("known", [True, False])
def test_spooled_image_without_a_creation_stays_where_a_row_needs_it(*, known: bool) -> None:
    """Whoever lost the creation: an image has its bytes there, or may have."""
    world = World()
    early = crashed(world)
    key = spooled(world, early)
    world.creations.release(early.fence, 0, soon())
    image = NewImage(early.guid, "a.png", "a", world.clock.now(), contents(png("blue").data, key))
    stored = world.repository.add(image, soon())
    if not known:
        world.repository._tables.rows[early.guid] = (1, replace(stored, contents=None))  # noqa: SLF001

    let_store(world)

    assert world.store.objects == {key: png("blue").data}
    assert world.store.quarantined == {}


def test_spooled_image_that_nobody_knows_of_is_put_aside() -> None:
    """Its creation is gone, and there is no image."""
    world = World()
    early = crashed(world)
    key = spooled(world, early)
    world.creations.release(early.fence, 0, soon())

    let_store(world)

    assert world.store.objects == {}
    assert world.store.quarantined == {key: png("blue").data}


def sleeping_owner() -> tuple[World, Pausing, Future[CreatedImage]]:
    """Begin a creation that waits for its answer; return what lets it go on."""
    slow = Pausing(png("blue"))
    sleeper = World(slow)
    running = sleeper.begin()
    assert slow.asked.wait(WAIT_SECONDS)
    return sleeper, slow, running


def test_owner_that_wakes_to_another_creation_of_its_name_leaves_it_alone() -> None:
    """What it made is its own creation's image."""
    sleeper, slow, running = sleeping_owner()
    assert sleeper.found
    sleeper.creations.retire(sleeper.found.fence, RETIRED, soon())
    slower = Pausing(png())
    other = World(slower, beside=sleeper)
    beginning = other.begin()
    assert slower.asked.wait(WAIT_SECONDS)

    slow.go_on.set()

    first = running.result(WAIT_SECONDS)
    slower.go_on.set()
    second = beginning.result(WAIT_SECONDS)
    assert first.image.guid != second.image.guid
    assert sorted(other.store.objects.values()) == sorted([png().data, png("blue").data])
    assert other.store.quarantined == {}


def test_owner_that_wakes_to_no_creation_puts_its_image_aside() -> None:
    """Its caller learns that what was made is lost."""
    sleeper, slow, running = sleeping_owner()
    assert sleeper.found
    sleeper.creations.release(sleeper.found.fence, 0, soon())

    slow.go_on.set()

    assert isinstance(running.exception(WAIT_SECONDS), ProviderOutcomeUnknownError)
    assert sleeper.store.objects == {}
    assert list(sleeper.store.quarantined.values()) == [png("blue").data]


def test_name_that_another_has_freed_and_taken_stays_theirs() -> None:
    """Both found that it had lapsed; who comes to free it last waits for the new creation."""

    class LateCreations(InMemoryCreationRepository):
        """A repository that somebody else comes to first."""

        def retire(self, seen: Fence, request_id: str, deadline: Deadline) -> None:
            """Let the rival create, then retire."""
            rival.create()
            super().retire(seen, request_id, deadline)

    world = World(creations=LateCreations)
    first = world.create()
    world.clock.advance(LAPSE.total_seconds() + 1)
    rival = World(beside=world)

    later = world.create()

    assert later.replayed
    assert later.image.guid != first.image.guid
    assert (world.asked, rival.asked) == (1, 1)
