"""What went wrong at the provider, as an error of ours, and what it may have cost.

| what happened | ours | spent |
|---|---|---|
| not connected in time, name not found, no room in the pool | ProviderUnavailable | nothing |
| the same, past the caller's own deadline | DeadlineTooShort | nothing |
| 3xx: the base URL is not the API's | ProviderMisconfigured | nothing |
| moderation_blocked, content_policy_violation, content_filter | ContentPolicy | a refusal |
| insufficient_quota, billing_hard_limit_reached; 402 | ProviderQuota | nothing |
| 400, 422 naming the request's own size, quality, format, prompt | InvalidSize, ... | nothing |
| any other 400, 422: a parameter of ours, or none that is named | ProviderMisconfigured | nothing |
| 401, 403, 404 and every other 4xx | ProviderMisconfigured | nothing |
| 408, 409 | ProviderOutcomeUnknown | maybe |
| 429 | ProviderRateLimited, with a retry delay | nothing |
| 5xx | ProviderOutcomeUnknown | maybe |
| an error among events | as above by its codes or parameter, or as 5xx | maybe |
| no whole answer: cut, timed out, past the deadline | ProviderOutcomeUnknown | maybe |
| answered: HTML, no data, bad base64, too large, a url not allowed | ProviderBadResponse | yes |
| the image's url failed by its server or by time | ProviderOutcomeUnknown | yes |

Codes are looked at before the status: OpenAI sends billing_hard_limit_reached with 400
and insufficient_quota with 429. A refusal is final, so it does not matter that OpenAI does not say
whether one made after looking at the image (moderation_stage "output") was billed.
"""

import re
from dataclasses import dataclass

from pixy_grpc.core.exceptions import (
    ContentPolicyError,
    DeadlineTooShortError,
    FieldViolation,
    ImageException,
    InvalidArgumentError,
    InvalidFormatError,
    InvalidPromptError,
    InvalidQualityError,
    InvalidSizeError,
    ProviderMisconfiguredError,
    ProviderOutcomeUnknownError,
    ProviderQuotaError,
    ProviderRateLimitedError,
    ProviderUnavailableError,
)
from pixy_grpc.core.models import GenerationOptions

NOTHING_SPENT: frozenset[type[ImageException]] = frozenset(
    {
        ContentPolicyError,
        DeadlineTooShortError,
        InvalidFormatError,
        InvalidPromptError,
        InvalidQualityError,
        InvalidSizeError,
        ProviderMisconfiguredError,
        ProviderQuotaError,
        ProviderRateLimitedError,
        ProviderUnavailableError,
    }
)
"""The errors of `generate` that promise it. ProviderOutcomeUnknownError and
ProviderBadResponseError, all that is left, do not."""

RETRY_SECONDS = 10.0
"""When to come back to a provider that asks for patience without saying for how long."""

_REFUSED = frozenset({"moderation_blocked", "content_policy_violation", "content_filter"})
_NO_CREDIT = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
_BAD_VALUE = 400
_BAD_REQUEST = frozenset({_BAD_VALUE, 422})
_NO_CREDIT_STATUS = 402
_UNSURE = frozenset({408, 409})
_TOO_MANY = 429
_SERVER_ERRORS = 500
_CODE = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)


@dataclass(frozen=True)
class Refusal:
    """What a provider's answer says that is no success; codes may be anything."""

    status: int
    codes: frozenset[str] = frozenset()
    parameter: str = ""
    retry_after_seconds: float | None = None


class Failure(Exception):  # noqa: N818 - not every failure is raised to the caller
    """An attempt that failed: the error to raise, and when another one makes sense.

    `again_after_seconds` None means that there is none to be made: something may have
    been accepted, or the answer would be the same.
    """

    def __init__(self, error: ImageException, again_after_seconds: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.again_after_seconds = again_after_seconds


def unreached() -> Failure:
    """Return the failure to send anything."""
    return Failure(ProviderUnavailableError("The provider of images cannot be reached."), 0.0)


def outcome_unknown() -> Failure:
    """Return the failure to get a whole answer to what was sent."""
    return Failure(
        ProviderOutcomeUnknownError(
            "The provider was asked and did not answer: it may have been billed."
            " Ask again with the same request_id."
        )
    )


def refused(refusal: Refusal, options: GenerationOptions) -> Failure:
    """Return the failure that an answer which is no success stands for: see the table."""
    if refusal.codes & _REFUSED:
        text = "The provider refused to make this image."
        return Failure(ContentPolicyError(text, violations=[FieldViolation("prompt", text)]))
    if refusal.codes & _NO_CREDIT or refusal.status == _NO_CREDIT_STATUS:
        return Failure(ProviderQuotaError("The account at the provider has no credit left."))
    if refusal.status == _TOO_MANY:
        return _rate_limited(refusal.retry_after_seconds)
    if refusal.status >= _SERVER_ERRORS or refusal.status in _UNSURE:
        return outcome_unknown()
    if refusal.status in _BAD_REQUEST and (kind := _invalid(refusal.parameter, options)):
        text = "The provider does not take this value."
        field = _FIELDS[refusal.parameter]
        return Failure(kind(text, violations=[FieldViolation(field, text)]))
    return Failure(
        ProviderMisconfiguredError("The provider does not accept how this service is set up.")
    )


def refused_in_event(codes: frozenset[str], parameter: str, options: GenerationOptions) -> Failure:
    """Return the failure that an error among events stands for.

    It has no status of its own, and something was accepted: only a value of the request
    that is named as wrong is surely not the provider's fault.
    """
    status = _BAD_VALUE if parameter in _FIELDS else _SERVER_ERRORS
    return refused(Refusal(status, codes, parameter), options)


def sanitised(text: object) -> str:
    """Return a code or id of the provider's where it is one, else a dash: it is for the log."""
    return text if isinstance(text, str) and _CODE.fullmatch(text) else "-"


_FIELDS = {"prompt": "prompt", "size": "size", "quality": "quality", "output_format": "format"}


def _invalid(parameter: str, options: GenerationOptions) -> type[InvalidArgumentError] | None:
    """Return what the request got wrong: None where the value was a setting of ours."""
    kinds: dict[str, tuple[type[InvalidArgumentError], object]] = {
        "prompt": (InvalidPromptError, True),
        "size": (InvalidSizeError, options.size),
        "quality": (InvalidQualityError, options.quality),
        "output_format": (InvalidFormatError, options.format),
    }
    kind, asked = kinds.get(parameter, (None, False))
    return kind if asked else None


def _rate_limited(retry_after_seconds: float | None) -> Failure:
    """Another attempt only at the time the provider has named."""
    error = ProviderRateLimitedError(
        "The provider asks to be called less often.",
        retry_delay_seconds=RETRY_SECONDS if retry_after_seconds is None else retry_after_seconds,
    )
    return Failure(error, retry_after_seconds)
