"""Holds every CreationRepository to its leases: who goes on, and who has lost the fence."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from pixy_grpc.core.creations import Creation, Fence, FenceLostError, PaidImage
from pixy_grpc.core.ports import CreationRepository
from tests.integration.data.claims import (
    FOREVER,
    NOTES,
    REFUSAL,
    claimed,
    finish,
    found,
    taken_over,
)
from tests.integration.data.examples import soon
from tests.integration.data.implementations import OpenRepositories, Repositories


def test_take_over_makes_the_next_fence(open_repositories: OpenRepositories) -> None:
    mine = claimed(open_repositories().creations, lease_until_ms=1_000)

    taken = open_repositories().creations.take_over(mine, 9_000, 1_001, soon())

    assert taken == replace(mine, fence=Fence(mine.key, 2, mine.guid), lease_until_ms=9_000)
    assert open_repositories().creations.find(mine.key, soon()) == taken


@pytest.mark.parametrize("ended_before", [0, 999, 1_000])
def test_take_over_within_the_lease_changes_nothing(
    creations: CreationRepository, ended_before: int
) -> None:
    mine = claimed(creations, lease_until_ms=1_000)

    assert creations.take_over(mine, 9_000, ended_before, soon()) is None
    assert found(creations, mine) == mine


def test_take_over_of_what_was_taken_over_changes_nothing(creations: CreationRepository) -> None:
    """Who looked before another was quicker is too late."""
    mine = claimed(creations)
    taken = taken_over(creations, mine)

    assert creations.take_over(mine, 9_000, FOREVER, soon()) is None
    assert found(creations, mine) == taken


def test_take_over_of_what_is_done_or_gone_is_none(repositories: Repositories) -> None:
    creations = repositories.creations
    mine = claimed(creations)
    finish(repositories, mine)
    gone = claimed(creations)
    creations.release(gone.fence, 0, soon())

    assert creations.take_over(mine, 9_000, FOREVER, soon()) is None
    assert creations.take_over(gone, 9_000, FOREVER, soon()) is None


def test_take_overs_at_once_are_one(open_repositories: OpenRepositories) -> None:
    mine = claimed(open_repositories().creations)
    barrier = threading.Barrier(8)

    def attempt(_: int) -> Creation | None:
        creations = open_repositories().creations
        barrier.wait(10)
        return creations.take_over(mine, 9_000, FOREVER, soon())

    with ThreadPoolExecutor(8) as threads:
        won = [each for each in threads.map(attempt, range(8)) if each]

    assert [each.fence.number for each in won] == [2]


def test_renew_lengthens_what_is_held_and_passes_over_what_is_lost(
    creations: CreationRepository,
) -> None:
    mine, other, lost = (claimed(creations) for _ in range(3))
    taken = taken_over(creations, lost)

    creations.renew([mine.fence, lost.fence, other.fence], 7_000, soon())
    creations.renew([], 7_000, soon())

    assert [found(creations, each).lease_until_ms for each in (mine, other)] == [7_000, 7_000]
    assert found(creations, lost) == taken


@pytest.mark.parametrize("name", NOTES)
@pytest.mark.parametrize("how", ["taken over", "done", "gone"])
def test_note_under_a_lost_fence_changes_nothing(
    repositories: Repositories, name: str, how: str
) -> None:
    """A paused owner that wakes up cannot write over what the winner did."""
    creations = repositories.creations
    mine = claimed(creations)
    if how == "taken over":
        taken_over(creations, mine)
    elif how == "done":
        finish(repositories, mine)
    else:
        creations.release(mine.fence, 0, soon())
    before = creations.find(mine.key, soon())

    with pytest.raises(FenceLostError):
        NOTES[name](creations, mine, soon())

    assert creations.find(mine.key, soon()) == before


@pytest.mark.parametrize("asks", [0, 1])
def test_release_under_a_lost_fence_changes_nothing(
    creations: CreationRepository, asks: int
) -> None:
    mine = claimed(creations)
    taken = taken_over(creations, mine)

    creations.release(mine.fence, asks, soon())

    assert found(creations, mine) == taken


def test_list_unfinished_shows_what_lost_its_owner(repositories: Repositories) -> None:
    """Claimed, asked or kept, and past its lease; the longest ended first."""
    creations = repositories.creations
    asked, kept, plain, living, done, refused, unknown = (
        claimed(creations, lease_until_ms=lease) for lease in (300, 100, 200, 1_000, 50, 50, 50)
    )
    creations.note_asked(asked.fence, soon())
    creations.note_kept(PaidImage(kept.fence, kept.guid, "key"), soon())
    creations.note_refused(refused.fence, REFUSAL, soon())
    creations.note_unknown(unknown.fence, soon())
    finish(repositories, done)
    assert living.lease_until_ms == 1_000

    guids = [each.guid for each in creations.list_unfinished(1_000, 10, soon())]

    assert guids == [kept.guid, plain.guid, asked.guid]
    assert [each.guid for each in creations.list_unfinished(1_000, 1, soon())] == [kept.guid]
