"""When another attempt is made, and that nobody waits for one in vain."""

import threading
from dataclasses import replace

import pytest

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import (
    DeadlineTooShortError,
    ImageException,
    ProviderOutcomeUnknownError,
    ProviderRateLimitedError,
    ProviderUnavailableError,
)
from pixy_grpc.service.generators.openai.attempts import Attempts
from pixy_grpc.service.generators.openai.errors import Failure, outcome_unknown, unreached
from pixy_grpc.service.generators.openai.settings import Limits

LIMITS = Limits(least_seconds=1.0, attempts=3)


class Failing:
    """Fails so many times, and counts."""

    def __init__(self, failure: Failure, times: int = 99) -> None:
        self._failure = failure
        self._times = times
        self.calls = 0
        self.called = threading.Event()

    def __call__(self) -> str:
        """Fail or return."""
        self.calls += 1
        self.called.set()
        if self.calls <= self._times:
            raise self._failure
        return "an image"


def _later(seconds: float) -> Failure:
    return Failure(ProviderRateLimitedError("later"), seconds)


def test_run_returns_what_a_later_attempt_returns() -> None:
    """A failure that passes is not seen."""
    call = Failing(_later(0.0), times=2)

    assert Attempts(LIMITS).run(call, Deadline.after(60)) == "an image"
    assert call.calls == 3


def test_run_gives_up_after_so_many_attempts() -> None:
    """The last failure is the one that is raised."""
    call = Failing(unreached())

    with pytest.raises(ProviderUnavailableError):
        Attempts(replace(LIMITS, attempts=2)).run(call, Deadline.after(60))

    assert call.calls == 2


def test_run_makes_one_attempt_at_what_may_have_been_accepted() -> None:
    """Nothing is paid for twice by our doing."""
    call = Failing(outcome_unknown())

    with pytest.raises(ProviderOutcomeUnknownError):
        Attempts(LIMITS).run(call, Deadline.after(60))

    assert call.calls == 1


def test_run_does_not_wait_for_what_comes_too_late() -> None:
    """A time that leaves too little for an answer is told to the caller instead."""
    call = Failing(_later(59.5))

    with pytest.raises(ProviderRateLimitedError):
        Attempts(LIMITS).run(call, Deadline.after(60))

    assert call.calls == 1


def test_close_ends_waiting_for_the_next_attempt() -> None:
    """A server that stops does not wait for a provider's Retry-After."""
    attempts, call = Attempts(LIMITS), Failing(_later(30.0))
    raised: list[type[ImageException]] = []

    def run() -> None:
        with pytest.raises(ProviderRateLimitedError) as caught:
            attempts.run(call, Deadline.after(60))
        raised.append(caught.type)

    caller = threading.Thread(target=run)
    caller.start()
    call.called.wait()
    attempts.close()
    caller.join(20)

    assert raised == [ProviderRateLimitedError]
    assert call.calls == 1


@pytest.mark.parametrize(
    ("from_caller", "error"), [(True, DeadlineTooShortError), (False, ProviderUnavailableError)]
)
def test_provider_not_reached_in_time_is_told_by_whose_time_it_was(
    from_caller: bool, error: type[ImageException]
) -> None:
    """Past the caller's own deadline it was too short; past our cap the provider is down."""
    with pytest.raises(error):
        Attempts(LIMITS).run(Failing(unreached()), Deadline.after(0, from_caller=from_caller))


def test_check_refuses_when_no_answer_could_be_in_time() -> None:
    """Whoever asks then pays for an image that nobody gets."""
    with pytest.raises(DeadlineTooShortError):
        Attempts(LIMITS).check(Deadline.after(0.9))
    Attempts(LIMITS).check(Deadline.after(5))


def test_check_refuses_once_closed() -> None:
    """A server that is stopping asks nobody."""
    attempts = Attempts(LIMITS)
    attempts.close()

    with pytest.raises(ProviderUnavailableError):
        attempts.check(Deadline.after(5))
