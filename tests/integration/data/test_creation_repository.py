"""Holds every CreationRepository to the contract in core/ports.py: what a creation has come to."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.creations import Creation, CreationState, PaidImage, Usage
from pixy_grpc.core.exceptions import DBConnectionError, DeadlineTooShortError, ImageException
from pixy_grpc.core.ports import CreationRepository
from tests.integration.data.claims import FOREVER, NOTES, REFUSAL, claimed, found
from tests.integration.data.examples import new_creation, new_guid, soon


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
