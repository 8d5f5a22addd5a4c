"""Images of a creation whose name is another's by now: never bound to that one."""

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import CreationKey, PaidImage
from pixy_grpc.core.exceptions import ProviderOutcomeUnknownError
from pixy_grpc.core.ports import SpooledImage
from tests.unit.service.creating import REQUEST_ID, WAIT_SECONDS, Pausing, World, png
from tests.unit.service.test_recovery import comes, crash

KEY = CreationKey("alice", REQUEST_ID)
RETIRED = "0b9d1f9e-6b0f-4c2d-9a54-3d0c2a7f1e56"


def soon() -> Deadline:
    return Deadline.after(WAIT_SECONDS)


def test_spooled_image_is_not_bound_to_what_has_its_name_now() -> None:
    """A machine that comes back after days puts its image aside."""
    world = World()
    crash(world, "asked")
    assert world.found
    early = world.found
    world.spool.put(
        SpooledImage(PaidImage(early.fence, early.guid, f"{early.guid}.7.png"), png("blue").data)
    )
    world.creations.retire(KEY, RETIRED, soon())
    slow = Pausing(png())
    world.generator.script(slow)
    running = world.begin()
    assert slow.asked.wait(WAIT_SECONDS)

    world.creation.start()
    assert comes(lambda: not world.spool.images)
    slow.go_on.set()

    made = running.result(WAIT_SECONDS)
    world.creation.stop(1)
    assert made.image.guid != early.guid
    assert list(world.store.objects.values()) == [png().data]
    assert world.store.quarantined == {f"{early.guid}.7.png": png("blue").data}


def test_owner_that_wakes_to_another_creation_of_its_name_leaves_it_alone() -> None:
    """Its caller learns that what was made is lost; the file is put aside."""
    slow = Pausing(png("blue"))
    sleeper = World(slow)
    running = sleeper.begin()
    assert slow.asked.wait(WAIT_SECONDS)
    sleeper.creations.retire(KEY, RETIRED, soon())
    slower = Pausing(png())
    other = World(slower, beside=sleeper)
    beginning = other.begin()
    assert slower.asked.wait(WAIT_SECONDS)

    slow.go_on.set()

    assert isinstance(running.exception(WAIT_SECONDS), ProviderOutcomeUnknownError)
    slower.go_on.set()
    assert beginning.result(WAIT_SECONDS)
    assert list(other.store.objects.values()) == [png().data]
    assert list(other.store.quarantined.values()) == [png("blue").data]
