"""What may go on, and how often."""

import pytest

from pixy_client import (
    CallCancelledError,
    DeadlineExceededError,
    DeadlineTooShortError,
    ImageException,
    MissingTokenError,
    StorageFullError,
    StorageUnavailableError,
    TooManyDownloadsError,
    UnexpectedStatusError,
    UnreachableError,
    UnreadableAnswerError,
)
from pixy_client.allowance import LEAST_SECONDS, Allowance
from pixy_client.resuming import (
    FIRST_WAIT_SECONDS,
    MAX_WAIT_SECONDS,
    RESUMES_WITHOUT_PROGRESS,
    Budget,
    may_resume,
)

CUT = UnreachableError("Gone.")


def _spent(budget: Budget, times: int) -> list[float]:
    return [budget.spend(CUT) for _ in range(times)]


def test_budget_is_spent_after_its_resumes() -> None:
    """The error that comes then is the one that is raised."""
    budget = Budget()
    _spent(budget, RESUMES_WITHOUT_PROGRESS)

    with pytest.raises(UnreachableError) as raised:
        budget.spend(CUT)

    assert raised.value is CUT


def test_budget_is_full_again_after_progress() -> None:
    """However much of it was spent."""
    budget = Budget()
    _spent(budget, RESUMES_WITHOUT_PROGRESS)

    budget.refill()

    waits = _spent(budget, RESUMES_WITHOUT_PROGRESS)
    assert waits[0] <= FIRST_WAIT_SECONDS


def test_budget_waits_longer_from_try_to_try() -> None:
    """Twice as long, up to a limit, less up to half of it."""
    waits = _spent(Budget(), RESUMES_WITHOUT_PROGRESS)

    longest = [
        min(FIRST_WAIT_SECONDS * 2**count, MAX_WAIT_SECONDS)
        for count in range(RESUMES_WITHOUT_PROGRESS)
    ]
    assert all(most / 2 <= wait <= most for wait, most in zip(waits, longest, strict=True))


def test_budgets_do_not_wait_alike() -> None:
    """Readers that were cut together come back one by one."""
    waits = {Budget().spend(CUT) for _ in range(10)}

    assert len(waits) > 1


def test_budget_waits_as_long_as_it_is_asked_to() -> None:
    """A full room says when to come back."""
    wait = Budget().spend(TooManyDownloadsError("Full.", retry_delay_seconds=3.0))

    assert wait == 3.0


@pytest.mark.parametrize(
    "error",
    [
        CUT,
        CallCancelledError("Cut."),
        StorageUnavailableError("Away."),
        TooManyDownloadsError("Full."),
        UnexpectedStatusError("Reset.", status_name="INTERNAL"),
    ],
)
def test_read_may_go_on_after_a_cut(error: ImageException) -> None:
    """What another try may mend."""
    assert may_resume(error)


@pytest.mark.parametrize(
    "error",
    [
        DeadlineExceededError("Late."),
        DeadlineTooShortError("Late."),
        MissingTokenError("None."),
        StorageFullError("Full."),
        UnreadableAnswerError("What?"),
        UnexpectedStatusError("New.", status_name="INTERNAL", call_id="call-1"),
        UnexpectedStatusError("Too large.", status_name="RESOURCE_EXHAUSTED"),
    ],
)
def test_read_may_not_go_on_after_a_refusal(error: ImageException) -> None:
    """What another try would meet again."""
    assert not may_resume(error)


def test_allowance_never_ends_at_nothing() -> None:
    """A call with a deadline of nothing would be refused as no deadline at all."""
    assert Allowance(1e-9).remaining() == LEAST_SECONDS
    assert 50 < Allowance(60.0).remaining() <= 60
