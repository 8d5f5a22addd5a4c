"""Who may go on from which state, and what a failure makes of one: two pure tables."""

from datetime import datetime
from enum import Enum

from pixy_grpc.core.creations import Creation, CreationState
from pixy_grpc.core.exceptions import (
    DeadlineTooShortError,
    InvalidArgumentError,
    ProviderBadResponseError,
    ProviderMisconfiguredError,
    ProviderQuotaError,
    ProviderRateLimitedError,
    ProviderUnavailableError,
)
from pixy_grpc.service.creation.limits import LAPSE


class Step(Enum):
    """What whoever asks for a creation does next."""

    START = "claim it: nobody has"
    WAIT = "wait: somebody is at it"
    RESUME = "take it over: whoever was at it is not"
    REPLAY = "return the image it made"
    REFUSE = "repeat the provider's refusal"
    REJECT = "refuse: the id names other content"
    RETIRE = "free the name: the id has lapsed"


_ENDED = {
    CreationState.DONE: Step.REPLAY,
    CreationState.REFUSED: Step.REFUSE,
}

_LAPSING = (CreationState.DONE, CreationState.REFUSED, CreationState.UNKNOWN)
"""States in which nobody is at work any more."""


def next_step(found: Creation | None, fingerprint: str, now: datetime, ended_before: int) -> Step:
    """Return what to do about a creation that somebody asks for.

    `ended_before` is the moment, in milliseconds since 1970, before which a lease must
    have ended for its owner to be taken for gone.
    """
    if found is None:
        return Step.START
    is_free = found.lease_until_ms < ended_before
    if is_free and found.state in _LAPSING and found.created_at + LAPSE < now:
        return Step.RETIRE
    if found.fingerprint != fingerprint:
        return Step.REJECT
    if found.state in _ENDED:
        return _ENDED[found.state]
    return Step.RESUME if is_free else Step.WAIT


class Verdict(Enum):
    """What a failure of the generator makes of the creation."""

    RELEASED = "it surely cost nothing: free the id, unless an earlier ask may have been billed"
    REFUSED = "the answer is no, and would be again"
    UNKNOWN = "it may have been billed, and nobody knows what for"


_COST_NOTHING = (
    ProviderUnavailableError,
    ProviderRateLimitedError,
    ProviderQuotaError,
    ProviderMisconfiguredError,
    DeadlineTooShortError,
)

_REFUSALS = (InvalidArgumentError, ProviderBadResponseError)


def verdict(error: Exception) -> Verdict:
    """Return what an error that ended an ask says of its outcome.

    What nobody foresaw is as unknown as what the provider left open.
    """
    if isinstance(error, _COST_NOTHING):
        return Verdict.RELEASED
    return Verdict.REFUSED if isinstance(error, _REFUSALS) else Verdict.UNKNOWN
