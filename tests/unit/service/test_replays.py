"""Request ids: what made an image is asked for again, or asks for something else."""

from datetime import timedelta

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import InvalidSizeError, RecordNotFoundError, RequestIdReusedError
from pixy_grpc.service.creation.limits import LAPSE
from tests.unit.service.creating import WAIT_SECONDS, Pausing, World, png


def test_replay_asks_nobody() -> None:
    """What was made is returned though the generator would now refuse to make it."""
    world = World()
    first = world.create()
    world.generator.refusal = InvalidSizeError("No longer.")

    again = world.create()

    assert again.replayed
    assert again.image == first.image
    assert world.asked == 1


def test_replay_after_delete_is_not_found_until_the_id_lapses() -> None:
    world = World()
    first = world.create()
    world.repository.delete(first.image.guid, Deadline.after(1))

    with pytest.raises(RecordNotFoundError):
        world.create()

    world.clock.advance((LAPSE + timedelta(seconds=1)).total_seconds())
    later = world.create()
    assert not later.replayed
    assert later.image.guid != first.image.guid


def test_create_of_other_content_is_refused() -> None:
    world = World()
    world.create()

    with pytest.raises(RequestIdReusedError):
        world.create("a hen")

    assert world.asked == 1


def test_create_of_other_content_while_the_first_runs_is_refused_at_once() -> None:
    slow = Pausing(png())
    world = World(slow)
    first = world.begin()
    assert slow.asked.wait(WAIT_SECONDS)

    with pytest.raises(RequestIdReusedError):
        world.create("a hen")

    slow.go_on.set()
    assert first.result(WAIT_SECONDS)
