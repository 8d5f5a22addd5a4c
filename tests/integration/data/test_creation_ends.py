"""Holds every repository to it that an image and its creation end together."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from pixy_grpc.core.creations import CreationState, FenceLostError
from pixy_grpc.core.exceptions import ConstraintViolationError, RecordNotFoundError
from tests.integration.data.claims import FOREVER, REFUSAL, claimed, finish, found, taken_over
from tests.integration.data.examples import listed, new_image, soon
from tests.integration.data.implementations import OpenRepositories, Repositories


def test_image_and_creation_end_together(open_repositories: OpenRepositories) -> None:
    """One transaction adds the one and ends the other."""
    repositories = open_repositories()
    mine = claimed(repositories.creations)

    finish(repositories, mine)

    done = found(open_repositories().creations, mine)
    assert done == replace(
        mine,
        state=CreationState.DONE,
        lease_until_ms=0,
        prompt="",
        filename="",
        store_key=f"{mine.guid}.1.png",
    )


def test_add_under_a_lost_fence_adds_nothing(repositories: Repositories) -> None:
    mine = claimed(repositories.creations)
    taken = taken_over(repositories.creations, mine)

    with pytest.raises(FenceLostError):
        finish(repositories, mine)

    assert listed(repositories.images) == []
    assert found(repositories.creations, mine) == taken


def test_add_of_what_is_done_is_refused(repositories: Repositories) -> None:
    """One creation makes one image, also after that was removed."""
    mine = claimed(repositories.creations)
    finish(repositories, mine)
    repositories.images.delete(mine.guid, soon())

    with pytest.raises(FenceLostError):
        finish(repositories, mine)

    assert listed(repositories.images) == []
    assert found(repositories.creations, mine).state is CreationState.DONE


def test_add_of_a_taken_guid_leaves_the_creation(repositories: Repositories) -> None:
    """A write is whole or has not happened."""
    mine = claimed(repositories.creations)
    repositories.images.add(new_image(guid=mine.guid), soon())

    with pytest.raises(ConstraintViolationError):
        finish(repositories, mine)

    assert found(repositories.creations, mine) == mine


def test_adds_at_once_for_one_creation_are_one(open_repositories: OpenRepositories) -> None:
    mine = claimed(open_repositories().creations)
    barrier = threading.Barrier(8)

    def attempt(_: int) -> bool:
        repositories = open_repositories()
        barrier.wait(10)
        try:
            finish(repositories, mine)
        except FenceLostError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(attempt, range(8))) == 1

    assert listed(open_repositories().images) == [mine.guid]


def test_refused_under_the_same_fence_may_still_be_done(repositories: Repositories) -> None:
    """A result that comes after all is worth more than a refusal."""
    mine = claimed(repositories.creations)
    repositories.creations.note_refused(mine.fence, REFUSAL, soon())
    taken = repositories.creations.take_over(mine, 9_000, FOREVER, soon())
    assert taken

    finish(repositories, taken)

    done = found(repositories.creations, mine)
    assert (done.state, done.refusal) == (CreationState.DONE, None)


def test_deleted_image_leaves_its_creation(repositories: Repositories) -> None:
    mine = claimed(repositories.creations)
    finish(repositories, mine)

    repositories.images.delete(mine.guid, soon())

    assert found(repositories.creations, mine).state is CreationState.DONE
    with pytest.raises(RecordNotFoundError):
        repositories.images.get(mine.guid, soon())
