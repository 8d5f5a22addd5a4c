"""The table from a provider's refusals to our errors, and what they promise about money."""

import pytest

from pixy_grpc.core.exceptions import (
    ContentPolicyError,
    ImageException,
    InvalidFormatError,
    InvalidPromptError,
    InvalidQualityError,
    InvalidSizeError,
    ProviderMisconfiguredError,
    ProviderOutcomeUnknownError,
    ProviderQuotaError,
    ProviderRateLimitedError,
)
from pixy_grpc.core.models import GenerationOptions, ImageFormat
from pixy_grpc.service.generators.openai import NOTHING_SPENT
from pixy_grpc.service.generators.openai.errors import Refusal, refused, sanitised
from pixy_grpc.service.generators.openai.retry_after import retry_after_seconds

ASKED = GenerationOptions(size="640x480", quality="high", format=ImageFormat.PNG)
OPEN = GenerationOptions()


def _refusal(status: int, code: str = "", parameter: str = "") -> Refusal:
    return Refusal(status, frozenset({code}), parameter)


@pytest.mark.parametrize(
    ("refusal", "options", "error"),
    [
        (_refusal(400, "moderation_blocked"), OPEN, ContentPolicyError),
        (_refusal(403, "content_policy_violation"), OPEN, ContentPolicyError),
        (_refusal(400, "content_filter", "prompt"), OPEN, ContentPolicyError),
        (_refusal(400, "billing_hard_limit_reached"), OPEN, ProviderQuotaError),
        (_refusal(429, "insufficient_quota"), OPEN, ProviderQuotaError),
        (_refusal(402), OPEN, ProviderQuotaError),
        (_refusal(429, "rate_limit_exceeded"), OPEN, ProviderRateLimitedError),
        (_refusal(400, "", "prompt"), OPEN, InvalidPromptError),
        (_refusal(400, "", "size"), ASKED, InvalidSizeError),
        (_refusal(422, "", "quality"), ASKED, InvalidQualityError),
        (_refusal(400, "", "output_format"), ASKED, InvalidFormatError),
        (_refusal(400, "", "size"), OPEN, ProviderMisconfiguredError),
        (_refusal(400, "", "quality"), OPEN, ProviderMisconfiguredError),
        (_refusal(400, "", "output_format"), OPEN, ProviderMisconfiguredError),
        (_refusal(400, "", "background"), ASKED, ProviderMisconfiguredError),
        (_refusal(401, "", "size"), ASKED, ProviderMisconfiguredError),
        (_refusal(300), OPEN, ProviderMisconfiguredError),
        (_refusal(418), OPEN, ProviderMisconfiguredError),
        (_refusal(408), OPEN, ProviderOutcomeUnknownError),
        (_refusal(409), OPEN, ProviderOutcomeUnknownError),
        (_refusal(500), OPEN, ProviderOutcomeUnknownError),
        (_refusal(599), OPEN, ProviderOutcomeUnknownError),
    ],
)
def test_refusal_is_the_error_of_the_table(
    refusal: Refusal, options: GenerationOptions, error: type[ImageException]
) -> None:
    """Codes come before the status; a caller is blamed for its own values only."""
    assert type(refused(refusal, options).error) is error


def test_every_status_promises_nothing_spent_or_is_an_unknown_outcome() -> None:
    """No refusal is left out of the table, and none of them says that an answer was bad."""
    for status in range(300, 600):
        kind = type(refused(_refusal(status), OPEN).error)
        may_have_cost = status >= 500 or status in (408, 409)

        assert (kind in NOTHING_SPENT) is not may_have_cost
        assert (kind is ProviderOutcomeUnknownError) is may_have_cost


def test_only_a_rate_limit_with_a_time_is_worth_another_attempt() -> None:
    """Any other refusal would be the same again, or may have been accepted."""
    patient = Refusal(429, retry_after_seconds=2.0)

    assert refused(patient, OPEN).again_after_seconds == 2.0
    for status in (302, 400, 401, 408, 429, 500, 503):
        assert refused(_refusal(status), OPEN).again_after_seconds is None


def test_errors_name_the_field_of_the_request() -> None:
    """The provider's output_format is the caller's format."""
    error = refused(_refusal(400, "", "output_format"), ASKED).error

    assert [violation.field for violation in error.violations] == ["format"]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("1.5", 1.5),
        (" 3 ", 3.0),
        ("Sun, 06 Nov 1994 08:49:47 GMT", 10.0),
        ("Sun, 06 Nov 1994 08:49:30 GMT", 0.0),
        ("99999999999", 86_400.0),
        ("inf", 86_400.0),
        ("1e999", 86_400.0),
        ("-1", None),
        ("nan", None),
        ("", None),
        ("soon", None),
        ("Sun, 99 Nov 1994 08:49:47 GMT", None),
    ],
)
def test_retry_after_is_read_or_is_not_there(header: str, seconds: float | None) -> None:
    """Seconds or an HTTP date, bounded; anything else does not say."""
    now = 784_111_777.0  # Sun, 06 Nov 1994 08:49:37 GMT

    assert retry_after_seconds(header, now=now) == seconds


@pytest.mark.parametrize("text", ["req_42", "rate_limit.x-1"])
def test_code_is_logged(text: str) -> None:
    """An id of the provider's is worth keeping."""
    assert sanitised(text) == text


@pytest.mark.parametrize("text", ["", "two words", "a\nb", "x" * 129, None, 7, "é"])
def test_text_that_is_no_code_is_not_logged(text: object) -> None:
    """The log takes no text of the provider's."""
    assert sanitised(text) == "-"
