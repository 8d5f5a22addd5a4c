"""Creations that cost nothing: given back, and told so where no earlier ask says otherwise."""

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    DBConnectionError,
    DeadlineTooShortError,
    ImageException,
    InvalidSizeError,
    ProviderMisconfiguredError,
    ProviderOutcomeUnknownError,
    ProviderQuotaError,
    ProviderRateLimitedError,
    ProviderUnavailableError,
    StorageFullError,
)
from pixy_grpc.core.ports import Space
from tests.unit.service.creating import GONE, CallFields, World, png


@pytest.mark.parametrize(
    ("refusal", "call", "kind"),
    [
        (InvalidSizeError("No."), {}, InvalidSizeError),
        (None, {"deadline": Deadline(0.0)}, DBConnectionError),
        (None, {"deadline": Deadline(0.0, from_caller=True)}, DeadlineTooShortError),
        (None, GONE, DeadlineTooShortError),
    ],
    ids=["refused", "too late for us", "too late", "caller gone"],
)
def test_generator_is_not_asked_for_what_nobody_can_have(
    refusal: ImageException | None, call: CallFields, kind: type[ImageException]
) -> None:
    """Nothing is spent on options that are refused, or on a caller who has gone."""
    world = World(refusal=refusal)

    with pytest.raises(kind):
        world.create(**call)

    assert world.asked == 0
    assert world.state == "none"


def test_caller_who_goes_after_the_claim_is_not_generated_for() -> None:
    """The claim is given back."""
    world = World()
    answers = iter([True, False])

    with pytest.raises(DeadlineTooShortError):
        world.create(is_active=lambda: next(answers))

    assert (world.asked, world.state) == (0, "none")


@pytest.mark.parametrize(
    ("total", "needed"), [(10**12, 64 * 1024 * 1024), (2 * 1024 * 1024, 256 * 1024)]
)
def test_full_store_is_found_out_before_money_is_spent(total: int, needed: int) -> None:
    """A share is kept of a small store, and so much of any other."""
    world = World()
    world.store.free = Space(needed - 1, total)

    with pytest.raises(StorageFullError):
        world.create()

    assert (world.asked, world.state) == (0, "none")
    world.store.free = Space(needed, total)
    assert world.create()


FREE = [
    ProviderUnavailableError("No."),
    ProviderRateLimitedError("No.", retry_delay_seconds=3),
    ProviderQuotaError("No."),
    ProviderMisconfiguredError("No."),
    DeadlineTooShortError("No."),
]
TOLD_BEHIND_AN_ASK: dict[type[ImageException], type[ImageException]] = {
    each: each for each in (ProviderMisconfiguredError, DeadlineTooShortError)
}
"""These say nothing of what an earlier ask may have cost."""


@pytest.mark.parametrize("error", FREE, ids=lambda error: error.reason)
def test_failure_that_cost_nothing_frees_the_id(error: ImageException) -> None:
    """A retry begins anew, with other content if it likes."""
    world = World(error, png())

    with pytest.raises(type(error)) as caught:
        world.create()

    assert caught.value is error
    assert world.state == "none"
    assert not world.create("another fox").replayed


@pytest.mark.parametrize("error", FREE, ids=lambda error: error.reason)
def test_failure_that_cost_nothing_does_not_undo_an_earlier_ask(error: ImageException) -> None:
    """The first may have been billed: the id stays, one more ask is left, and no answer
    says that nothing was spent.
    """
    world = World(ProviderOutcomeUnknownError("?"), error, png())
    with pytest.raises(ProviderOutcomeUnknownError):
        world.create()

    with pytest.raises(TOLD_BEHIND_AN_ASK.get(type(error), ProviderOutcomeUnknownError)) as caught:
        world.create()

    assert caught.value.retry_delay_seconds == error.retry_delay_seconds
    assert world.found
    assert (world.state, world.found.asks) == ("unknown", 1)
    assert world.create()
    assert (world.asked, world.state) == (3, "done")
