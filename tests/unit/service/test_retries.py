"""Creations whose owner is gone: who asks again goes on, with bytes that are there."""

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    CreationInProgressError,
    ImageException,
    ProviderOutcomeUnknownError,
    StorageFullError,
    StorageUnavailableError,
)
from tests.unit.service.creating import WAIT_SECONDS, World, png
from tests.unit.service.recovering import GUID, STEPS, crash, soon


@pytest.mark.parametrize("step", STEPS)
def test_retry_within_the_lease_waits(step: str) -> None:
    """The owner may be alive, and is not asked twice."""
    world = World()
    crash(world, step, data=png().data)

    with pytest.raises(CreationInProgressError):
        world.create(deadline=Deadline.after(0.1, from_caller=True))

    assert (world.asked, world.state) == (0, step)


@pytest.mark.parametrize("step", ["asked", "kept"])
def test_retry_after_the_lease_adopts_durable_bytes(step: str) -> None:
    """What was paid for is used, under the guid that was chosen then."""
    world = World()
    crash(world, step, data=png().data)
    world.end_leases()

    created = world.create()

    assert (world.asked, world.state) == (0, "done")
    assert (created.image.guid, created.replayed) == (GUID, True)
    assert created.image.model == ("painter-0" if step == "kept" else "")
    assert list(world.store.objects) == [f"{GUID}.1.png"]


@pytest.mark.parametrize("step", STEPS)
def test_retry_without_bytes_asks(step: str) -> None:
    """Once for a claim; once more, counted, where the answer is lost."""
    world = World()
    crash(world, step)
    world.end_leases()

    created = world.create()

    assert (world.asked, world.state) == (1, "done")
    assert (created.image.guid, created.replayed) == (GUID, False)
    assert world.found
    assert world.found.asks == (1 if step == "claimed" else 2)


def test_retry_after_two_lost_answers_is_not_asked_again() -> None:
    world = World()
    crash(world, "asked", asks=2)
    world.end_leases()

    for _ in range(2):
        with pytest.raises(ProviderOutcomeUnknownError):
            world.create()

    assert (world.asked, world.state) == (0, "unknown")


def test_bytes_that_come_to_light_later_are_adopted_after_all() -> None:
    world = World()
    crash(world, "asked", asks=2)
    world.end_leases()
    with pytest.raises(ProviderOutcomeUnknownError):
        world.create()
    world.store.put(f"{GUID}.9.png", png().data, soon())

    assert world.create().image.guid == GUID
    assert world.asked == 0


@pytest.mark.parametrize("data", [b"", b"<svg/>", png().data[:-40]])
def test_unusable_bytes_are_not_adopted(data: bytes) -> None:
    world = World()
    crash(world, "kept", data=data)
    world.end_leases()

    created = world.create()

    assert (world.asked, world.state) == (1, "done")
    assert created.image.size_bytes == len(png().data)


@pytest.mark.parametrize("error", [StorageUnavailableError("No."), StorageFullError("No.")])
def test_retry_while_the_store_is_away_asks_nobody(error: ImageException) -> None:
    """Whether there are bytes is not known: the caller is to come back."""
    world = World()
    crash(world, "asked", data=png().data)
    world.end_leases()
    world.store.failure = error

    with pytest.raises(CreationInProgressError):
        world.create()

    world.store.failure = None
    world.end_leases()
    world.restart()
    assert world.create().image.guid == GUID
    assert world.asked == 0


def test_many_retries_at_once_ask_once() -> None:
    """One of them takes it over, the others wait for it."""
    world = World()
    crash(world, "asked")
    world.end_leases()
    others = [World(beside=world) for _ in range(3)]

    running = [each.begin() for each in [world, *others] for _ in range(5)]

    assert len({each.result(WAIT_SECONDS).image.guid for each in running}) == 1
    assert sum(each.asked for each in [world, *others]) == 1
