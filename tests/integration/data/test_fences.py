"""Holds every CreationRepository to it that a fence is of one creation, not of a name."""

from collections.abc import Callable

import pytest

from pixy_grpc.core.creations import Creation, FenceLostError, PaidImage, Usage
from pixy_grpc.core.ports import CreationRepository
from tests.integration.data.claims import FOREVER, NOTES
from tests.integration.data.examples import listed, new_creation, new_image, soon
from tests.integration.data.implementations import Repositories


def claimed_again(creations: CreationRepository) -> tuple[Creation, Creation]:
    """Return two creations that had one name, one behind the other: both have fence 1."""
    first = creations.claim(new_creation(), soon())
    creations.release(first.fence, 0, soon())
    second = creations.claim(new_creation(key=first.key), soon())
    assert first.fence.number == second.fence.number
    return first, second


@pytest.mark.parametrize("name", NOTES)
def test_note_on_a_name_that_was_claimed_anew_changes_nothing(
    repositories: Repositories, name: str
) -> None:
    """A paused owner whose claim was released finds its fence lost, not another's held."""
    first, second = claimed_again(repositories.creations)

    with pytest.raises(FenceLostError):
        NOTES[name](repositories.creations, first, soon())

    assert repositories.creations.find(second.key, soon()) == second


@pytest.mark.parametrize(
    "act",
    [
        lambda creations, late: creations.release(late.fence, 0, soon()),
        lambda creations, late: creations.release(late.fence, 1, soon()),
        lambda creations, late: creations.renew([late.fence], 9_000, soon()) or None,
        lambda creations, late: creations.take_over(late, 9_000, FOREVER, soon()),
    ],
    ids=["release", "release asked", "renew", "take over"],
)
def test_act_on_a_name_that_was_claimed_anew_does_nothing(
    repositories: Repositories, act: Callable[[CreationRepository, Creation], object]
) -> None:
    first, second = claimed_again(repositories.creations)

    assert act(repositories.creations, first) is None

    assert repositories.creations.find(second.key, soon()) == second


def test_image_of_a_name_that_was_claimed_anew_is_not_added(repositories: Repositories) -> None:
    """What the new creation makes is what the name has."""
    first, second = claimed_again(repositories.creations)

    with pytest.raises(FenceLostError):
        repositories.images.add(new_image(guid=first.guid, fence=first.fence), soon())

    assert listed(repositories.images) == []
    assert repositories.creations.find(second.key, soon()) == second


# renewals


@pytest.mark.parametrize("state", ["refused", "unknown", "done"])
def test_renewal_that_comes_late_does_not_revive_a_lease(
    repositories: Repositories, state: str
) -> None:
    """It was under way when the creation ended: whoever asks again goes on at once."""
    creations = repositories.creations
    mine = creations.claim(new_creation(), soon())
    creations.note_asked(mine.fence, soon())
    if state == "done":
        repositories.images.add(new_image(guid=mine.guid, fence=mine.fence), soon())
    else:
        NOTES[f"note_{state}"](creations, mine, soon())

    assert creations.renew([mine.fence], 9_000, soon()) == []

    ended = creations.find(mine.key, soon())
    assert ended
    assert (ended.state, ended.lease_until_ms) == (state, 0)


def test_creation_of_unknown_outcome_that_is_gone_on_with_is_renewed(
    repositories: Repositories,
) -> None:
    """Its owner looks for bytes of the attempts before, which takes time."""
    creations = repositories.creations
    mine = creations.claim(new_creation(), soon())
    creations.note_unknown(mine.fence, soon())
    taken = creations.take_over(mine, 5_000, FOREVER, soon())
    assert taken

    assert creations.renew([taken.fence], 9_000, soon()) == [taken.fence]


def test_renewal_tells_which_leases_go_on(repositories: Repositories) -> None:
    """Also of those whose lease is that long already."""
    creations = repositories.creations
    lost, _ = claimed_again(creations)
    mine = [creations.claim(new_creation(), soon()).fence for _ in range(3)]
    creations.note_asked(mine[1], soon())
    creations.note_kept(PaidImage(mine[2], mine[2].guid, "key"), soon())

    for _ in range(2):
        assert set(creations.renew([lost.fence, *mine], 9_000, soon())) == set(mine)


# what does not fit


@pytest.mark.parametrize("tokens", [10**30, -1, 2**63])
@pytest.mark.parametrize("latency", [1e300, -1.0, float("inf"), float("nan")])
def test_usage_that_does_not_fit_keeps_no_image_from_its_row(
    repositories: Repositories, tokens: int, latency: float
) -> None:
    """What a provider says it took is for the books; the image is paid for."""
    creations = repositories.creations
    mine = creations.claim(new_creation(), soon())
    usage = Usage("r" * 1_000, tokens, tokens, latency)

    creations.note_kept(PaidImage(mine.fence, mine.guid, "key.1.png", "m", usage), soon())

    kept = creations.find(mine.key, soon())
    assert kept
    assert kept.state == "kept"
