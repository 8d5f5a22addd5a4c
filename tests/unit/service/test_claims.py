"""Who may go on from which state, and what a failure makes of it: every pair of them."""

from datetime import timedelta
from itertools import product

import pytest

from pixy_grpc.core import exceptions
from pixy_grpc.core.creations import Creation, CreationKey, CreationState, Fence, Refusal
from pixy_grpc.core.exceptions import FieldViolation, ImageException
from pixy_grpc.service.creation.claims import Step, Verdict, next_step, verdict
from pixy_grpc.service.creation.limits import LAPSE
from tests.fakes import FixedClock

NOW = FixedClock().now()
ENDED_BEFORE = 1_000

LIVE = {
    "claimed": Step.WAIT,
    "asked": Step.WAIT,
    "kept": Step.WAIT,
    "done": Step.REPLAY,
    "refused": Step.REFUSE,
    "unknown": Step.WAIT,
}
"""While the lease lives."""

ENDED = {**LIVE, **dict.fromkeys(("claimed", "asked", "kept", "unknown"), Step.RESUME)}
"""Once it has ended."""

LAPSED = {**ENDED, **dict.fromkeys(("done", "refused", "unknown"), Step.RETIRE)}
"""Once the request id has lapsed as well."""


def creation(state: str, lease_until_ms: int, age: timedelta = timedelta()) -> Creation:
    fence = Fence(CreationKey("alice", "1"), 1, "guid")
    return Creation(
        fence, "same", "guid", CreationState(state), 0, lease_until_ms, NOW - age, "sketch"
    )


def test_tables_name_every_state() -> None:
    for table in (LIVE, ENDED, LAPSED):
        assert set(table) == {state.value for state in CreationState}


@pytest.mark.parametrize("state", LIVE)
def test_step_while_the_lease_lives(state: str) -> None:
    for lease in (ENDED_BEFORE, ENDED_BEFORE + 1):
        assert next_step(creation(state, lease), "same", NOW, ENDED_BEFORE) is LIVE[state]


@pytest.mark.parametrize("state", ENDED)
def test_step_after_the_lease(state: str) -> None:
    for age in (timedelta(), LAPSE):
        found = creation(state, ENDED_BEFORE - 1, age)
        assert next_step(found, "same", NOW, ENDED_BEFORE) is ENDED[state]


@pytest.mark.parametrize("state", LAPSED)
def test_step_after_the_lapse(state: str) -> None:
    """What is under way, or waits to be completed, does not lapse."""
    found = creation(state, 0, LAPSE + timedelta(seconds=1))

    assert next_step(found, "same", NOW, ENDED_BEFORE) is LAPSED[state]
    living = creation(state, ENDED_BEFORE, LAPSE + timedelta(seconds=1))
    assert next_step(living, "same", NOW, ENDED_BEFORE) is LIVE[state]


@pytest.mark.parametrize(("state", "lease"), list(product(LIVE, (0, ENDED_BEFORE))))
def test_other_content_is_rejected_in_every_state(state: str, lease: int) -> None:
    assert next_step(creation(state, lease), "other", NOW, ENDED_BEFORE) is Step.REJECT


def test_nothing_is_started() -> None:
    assert next_step(None, "same", NOW, ENDED_BEFORE) is Step.START


def test_lapse_is_longer_than_the_contract_says() -> None:
    assert timedelta(hours=24) <= LAPSE


RELEASED = {
    "PROVIDER_UNAVAILABLE",
    "PROVIDER_RATE_LIMITED",
    "PROVIDER_QUOTA",
    "PROVIDER_MISCONFIGURED",
    "DEADLINE_TOO_SHORT",
}


@pytest.mark.parametrize("reason", sorted(exceptions.conditions()))
def test_verdict_on_every_error(reason: str) -> None:
    """A refusal is the answer; what surely cost nothing is free; all else may have cost."""
    kind = exceptions.conditions()[reason]
    refused = kind.status == "INVALID_ARGUMENT" or reason == "PROVIDER_BAD_RESPONSE"
    expected = Verdict.REFUSED if refused else Verdict.UNKNOWN

    assert verdict(kind("No.")) is (Verdict.RELEASED if reason in RELEASED else expected)


@pytest.mark.parametrize("error", [RuntimeError(), MemoryError(), KeyError(), ImageException("x")])
def test_verdict_on_what_nobody_foresaw_is_unknown(error: Exception) -> None:
    assert verdict(error) is Verdict.UNKNOWN


def test_refusal_is_the_same_error_again() -> None:
    error = exceptions.InvalidSizeError("No.", violations=[FieldViolation("size", "Big.")])

    again = Refusal.of(error).error()

    assert type(again) is type(error)
    assert (again.message, again.violations) == (error.message, error.violations)
