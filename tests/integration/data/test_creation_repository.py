"""Holds every CreationRepository to the contract in core/ports.py."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Unpack

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import (
    Creation,
    CreationKey,
    CreationState,
    Fence,
    FenceLostError,
    PaidImage,
    Refusal,
    Usage,
)
from pixy_grpc.core.exceptions import (
    ConstraintViolationError,
    DBConnectionError,
    DeadlineTooShortError,
    FieldViolation,
    ImageException,
    RecordNotFoundError,
)
from pixy_grpc.core.ports import CreationRepository
from tests.integration.data.examples import (
    NOON,
    CreationFields,
    creation_key,
    listed,
    new_creation,
    new_guid,
    new_image,
    soon,
)
from tests.integration.data.implementations import OpenRepositories, Repositories

FOREVER = 2**62
REFUSAL = Refusal("INVALID_SIZE", "No such size, 狐.", (FieldViolation("size", "Too big."),))
LONGEST = "🦊" * 16_383


@pytest.fixture
def repositories(open_repositories: OpenRepositories) -> Repositories:
    """Return empty repositories."""
    return open_repositories()


@pytest.fixture
def creations(repositories: Repositories) -> CreationRepository:
    """Return an empty repository."""
    return repositories.creations


def claimed(
    creations: CreationRepository,
    key: CreationKey | None = None,
    **fields: Unpack[CreationFields],
) -> Creation:
    return creations.claim(new_creation(key, **fields), soon())


def found(creations: CreationRepository, creation: Creation) -> Creation:
    again = creations.find(creation.key, soon())
    assert again
    return again


def finish(repositories: Repositories, creation: Creation) -> None:
    """Add the image that a creation is of."""
    repositories.images.add(new_image(guid=creation.guid, fence=creation.fence), soon())


def taken_over(creations: CreationRepository, creation: Creation) -> Creation:
    taken = creations.take_over(creation, 5_000, FOREVER, soon())
    assert taken
    return taken


# claim and find


def test_claim_is_found_by_every_other_instance(open_repositories: OpenRepositories) -> None:
    """What anybody needs to complete it is there."""
    new = new_creation(prompt=LONGEST, filename="名" * 255, lease_until_ms=1_763_812_800_123)

    mine = open_repositories().creations.claim(new, soon())

    assert open_repositories().creations.find(new.key, soon()) == mine
    assert mine == Creation(
        fence=Fence(new.key, 1, new.guid),
        fingerprint=new.fingerprint,
        guid=new.guid,
        state=CreationState.CLAIMED,
        asks=0,
        lease_until_ms=1_763_812_800_123,
        created_at=NOON,
        generator="sketch",
        prompt=LONGEST,
        filename="名" * 255,
    )


def test_find_of_an_unused_name_is_none(creations: CreationRepository) -> None:
    claimed(creations)

    assert creations.find(creation_key(), soon()) is None


def test_claim_of_a_taken_name_is_refused(creations: CreationRepository) -> None:
    """The creation that has the name stays as it is."""
    mine = claimed(creations)

    with pytest.raises(ConstraintViolationError):
        claimed(creations, key=mine.key)

    assert found(creations, mine) == mine


@pytest.mark.parametrize("other", ["bob", "Alice", "alice ", "alicé", "", "ａlice"])
def test_creations_of_callers_are_apart(creations: CreationRepository, other: str) -> None:
    """A request id is one caller's own; callers are compared byte for byte."""
    mine = claimed(creations, key=creation_key("alice"))
    key = CreationKey(other, mine.key.request_id)
    assert creations.find(key, soon()) is None

    theirs = claimed(creations, key=key)

    assert found(creations, theirs) == theirs
    assert found(creations, mine) == mine


def test_claims_at_once_of_one_name_make_one(open_repositories: OpenRepositories) -> None:
    """However many claim at once, one of them wins."""
    key = creation_key()
    barrier = threading.Barrier(8)

    def attempt(_: int) -> Creation | None:
        creations = open_repositories().creations
        barrier.wait(10)
        try:
            return claimed(creations, key=key)
        except ConstraintViolationError:
            return None

    with ThreadPoolExecutor(8) as threads:
        won = [each for each in threads.map(attempt, range(8)) if each]

    assert won == [open_repositories().creations.find(key, soon())]


# take_over and renew


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


# the states


def test_every_ask_is_counted(creations: CreationRepository) -> None:
    mine = claimed(creations)

    creations.note_asked(mine.fence, soon())
    assert found(creations, mine) == replace(mine, state=CreationState.ASKED, asks=1)

    creations.note_asked(mine.fence, soon())
    assert found(creations, mine).asks == 2


def test_kept_says_where_the_bytes_are(creations: CreationRepository) -> None:
    mine = claimed(creations)
    usage = Usage("req-1", 12, 4_000_000_000, 5.25)

    creations.note_kept(PaidImage(mine.fence, mine.guid, "key.1.png", "m" * 200, usage), soon())

    kept = found(creations, mine)
    assert (kept.state, kept.store_key, kept.model) == ("kept", "key.1.png", "m" * 200)
    assert kept.lease_until_ms == mine.lease_until_ms


def test_refusal_is_kept_to_the_letter(creations: CreationRepository) -> None:
    mine = claimed(creations)
    creations.note_asked(mine.fence, soon())

    creations.note_refused(mine.fence, REFUSAL, soon())

    refused = found(creations, mine)
    assert (refused.state, refused.refusal) == (CreationState.REFUSED, REFUSAL)
    assert refused.lease_until_ms == 0


def test_unknown_ends_the_lease(creations: CreationRepository) -> None:
    """The next who asks goes on at once."""
    mine = claimed(creations)
    creations.note_asked(mine.fence, soon())

    creations.note_unknown(mine.fence, soon())

    unknown = found(creations, mine)
    assert (unknown.state, unknown.asks, unknown.lease_until_ms) == ("unknown", 1, 0)
    assert creations.take_over(unknown, 9_000, 1, soon())


def test_release_of_what_cost_nothing_frees_the_name(creations: CreationRepository) -> None:
    mine = claimed(creations)
    creations.note_asked(mine.fence, soon())

    creations.release(mine.fence, 0, soon())

    assert creations.find(mine.key, soon()) is None
    assert claimed(creations, key=mine.key).fence.number == 1


def test_release_of_what_may_have_cost_is_unknown(creations: CreationRepository) -> None:
    """The first ask still counts, the second is taken back."""
    mine = claimed(creations)
    for _ in range(2):
        creations.note_asked(mine.fence, soon())

    creations.release(mine.fence, 1, soon())

    unknown = found(creations, mine)
    assert (unknown.state, unknown.asks, unknown.lease_until_ms) == ("unknown", 1, 0)


NOTES: dict[str, Callable[[CreationRepository, Creation, Deadline], object]] = {
    "note_asked": lambda creations, mine, deadline: creations.note_asked(mine.fence, deadline),
    "note_kept": lambda creations, mine, deadline: creations.note_kept(
        PaidImage(mine.fence, mine.guid, "other"), deadline
    ),
    "note_refused": lambda creations, mine, deadline: creations.note_refused(
        mine.fence, REFUSAL, deadline
    ),
    "note_unknown": lambda creations, mine, deadline: creations.note_unknown(mine.fence, deadline),
}


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


# done


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


# retire and list_unfinished


def test_retired_name_is_free(repositories: Repositories) -> None:
    """What the creation came to is kept, under another name."""
    creations = repositories.creations
    mine = claimed(creations)
    finish(repositories, mine)
    other = CreationKey(mine.key.caller, new_guid())

    creations.retire(mine.fence, other.request_id, soon())

    assert creations.find(mine.key, soon()) is None
    retired = creations.find(other, soon())
    assert retired
    assert (retired.guid, retired.state) == (mine.guid, CreationState.DONE)


def test_name_of_another_creation_is_not_retired(repositories: Repositories) -> None:
    """One that has the name since, or that somebody has taken over, keeps it."""
    creations = repositories.creations
    taken, gone = claimed(creations), claimed(creations)
    later = creations.take_over(taken, 9_000, FOREVER, soon())
    creations.retire(gone.fence, new_guid(), soon())
    other = creations.claim(replace(new_creation(), key=gone.key), soon())

    for seen in (taken, gone):
        creations.retire(seen.fence, new_guid(), soon())

    assert found(creations, taken) == later
    assert found(creations, gone) == other


def test_creation_is_found_by_its_guid(repositories: Repositories) -> None:
    """Done or not, and under whatever name; nobody else's is among them."""
    creations = repositories.creations
    done, asked, _ = (claimed(creations) for _ in range(3))
    creations.note_asked(asked.fence, soon())
    creations.retire(asked.fence, new_guid(), soon())
    finish(repositories, done)

    found_ones = creations.list_by_guid([done.guid, asked.guid, new_guid()], soon())

    assert {each.guid: each.state for each in found_ones} == {
        done.guid: CreationState.DONE,
        asked.guid: CreationState.ASKED,
    }
    assert found(creations, done) in found_ones
    assert list(creations.list_by_guid([], soon())) == []


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


def test_deleted_image_leaves_its_creation(repositories: Repositories) -> None:
    mine = claimed(repositories.creations)
    finish(repositories, mine)

    repositories.images.delete(mine.guid, soon())

    assert found(repositories.creations, mine).state is CreationState.DONE
    with pytest.raises(RecordNotFoundError):
        repositories.images.get(mine.guid, soon())


# deadlines

OPERATIONS: dict[str, Callable[[CreationRepository, Creation, Deadline], object]] = {
    **NOTES,
    "find": lambda creations, mine, deadline: creations.find(mine.key, deadline),
    "claim": lambda creations, _mine, deadline: creations.claim(new_creation(), deadline),
    "take_over": lambda creations, mine, deadline: creations.take_over(
        mine, 9_000, FOREVER, deadline
    ),
    "renew": lambda creations, mine, deadline: creations.renew([mine.fence], 9_000, deadline),
    "release": lambda creations, mine, deadline: creations.release(mine.fence, 0, deadline),
    "retire": lambda creations, mine, deadline: creations.retire(mine.fence, new_guid(), deadline),
    "list_by_guid": lambda creations, mine, deadline: creations.list_by_guid([mine.guid], deadline),
    "list_unfinished": lambda creations, _mine, deadline: creations.list_unfinished(1, 1, deadline),
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize(
    ("from_caller", "expected"), [(True, DeadlineTooShortError), (False, DBConnectionError)]
)
def test_call_past_its_deadline_does_nothing(
    creations: CreationRepository, name: str, expected: type[ImageException], *, from_caller: bool
) -> None:
    """It ends in an error: the caller's for their deadline, ours for a cap of ours."""
    mine = claimed(creations)
    passed = Deadline.after(-1, from_caller=from_caller)

    with pytest.raises(expected):
        OPERATIONS[name](creations, mine, passed)

    assert found(creations, mine) == mine
