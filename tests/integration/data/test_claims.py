"""Holds every CreationRepository to its names: claimed once, found, freed again."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from pixy_grpc.core.creations import Creation, CreationKey, CreationState, Fence
from pixy_grpc.core.exceptions import ConstraintViolationError
from pixy_grpc.core.ports import CreationRepository
from tests.integration.data.claims import FOREVER, claimed, finish, found
from tests.integration.data.examples import NOON, creation_key, new_creation, new_guid, soon
from tests.integration.data.implementations import OpenRepositories, Repositories

LONGEST = "🦊" * 16_383


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
