"""What comes from outside, held to the rules: what passes, and what is said of the rest."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixy_grpc.core.exceptions import (
    InvalidArgumentError,
    InvalidFilenameError,
    InvalidFormatError,
    InvalidGuidError,
    InvalidPageSizeError,
    InvalidPromptError,
    InvalidQualityError,
    InvalidRequestIdError,
    InvalidSizeError,
    InvalidTimeRangeError,
)
from pixy_grpc.core.models import GenerationOptions, ImageCreate, ImageUpdate
from pixy_grpc.core.search import MAX_SEARCH_WORDS, ImageFilter
from pixy_grpc.service.validation import (
    valid_filter,
    valid_guid,
    valid_page_size,
    valid_request_id,
    validated,
)

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("model", "fields", "kind"),
    [
        (ImageCreate, {"prompt": ""}, InvalidPromptError),
        (ImageCreate, {"prompt": None}, InvalidPromptError),
        (ImageCreate, {}, InvalidPromptError),
        (ImageCreate, {"prompt": "\ud800"}, InvalidPromptError),
        (ImageCreate, {"prompt": "p", "filename": "a/b"}, InvalidFilenameError),
        (ImageCreate, {"prompt": "p", "filename": "\ud800"}, InvalidFilenameError),
        (ImageUpdate, {"prompt": " "}, InvalidPromptError),
        (ImageUpdate, {"filename": ""}, InvalidFilenameError),
        (GenerationOptions, {"size": "large"}, InvalidSizeError),
        (GenerationOptions, {"quality": "Best!"}, InvalidQualityError),
        (GenerationOptions, {"format": "gif"}, InvalidFormatError),
    ],
)
def test_validated_raises_the_error_of_the_field(
    model: type[ImageCreate], fields: dict[str, object], kind: type[InvalidArgumentError]
) -> None:
    """Each field that breaks a rule has its own condition, and is named in it."""
    with pytest.raises(kind) as caught:
        validated(model, **fields)

    (violation,) = caught.value.violations
    assert violation.description == caught.value.message
    assert violation.field in kind.reason.lower()


def test_validated_says_nothing_of_pydantic_or_the_value() -> None:
    """Texts are written for callers: no type names, no addresses, no input."""
    with pytest.raises(InvalidPromptError) as caught:
        validated(ImageCreate, prompt="secret\0", filename="also/secret")

    texts = [caught.value.message, *(each.description for each in caught.value.violations)]
    assert [each.field for each in caught.value.violations] == ["prompt", "filename"]
    for text in texts:
        assert "secret" not in text
        assert "pydantic" not in text
        assert "Value error" not in text


def test_validated_returns_the_normalised_model() -> None:
    """Text is trimmed, and `auto` is the same as nothing."""
    asked = validated(ImageCreate, prompt="  fox\n", filename=" f.png ")
    options = validated(GenerationOptions, size="auto", quality="auto", format=None)

    assert asked == ImageCreate(prompt="fox", filename="f.png")
    assert options == GenerationOptions()


@settings(deadline=None)
@given(st.uuids())
def test_any_uuid_is_a_guid_and_a_request_id(value: uuid.UUID) -> None:
    """Of whatever version and in whatever case, it is taken in lower case."""
    assert valid_guid(str(value).upper()) == str(value)
    assert valid_request_id(str(value).upper()) == str(value)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_other_text_is_neither(text: str) -> None:
    """What is not a UUID of 36 characters is refused; empty is no request id given."""
    with pytest.raises(InvalidGuidError):
        valid_guid(text)
    if text:
        with pytest.raises(InvalidRequestIdError):
            valid_request_id(text)
    else:
        assert valid_request_id(text) == ""


@pytest.mark.parametrize(
    ("asked", "given_back"), [(0, 50), (1, 1), (999, 999), (1_000, 1_000), (1_001, 1_000)]
)
def test_page_size_has_a_default_and_a_limit(asked: int, given_back: int) -> None:
    """0 means 50, more than 1,000 means 1,000."""
    assert valid_page_size(asked) == given_back


def test_page_size_below_zero_is_refused() -> None:
    """A page cannot hold fewer than no images."""
    with pytest.raises(InvalidPageSizeError):
        valid_page_size(-1)


@pytest.mark.parametrize(
    ("sought", "kind"),
    [
        (ImageFilter(prompt="x" * 32_001), InvalidPromptError),
        (ImageFilter(filename="x" * 256), InvalidFilenameError),
        (ImageFilter(prompt=" ".join(map(str, range(33)))), InvalidPromptError),
        (
            ImageFilter(created_after=NOON, created_before=NOON - timedelta(seconds=1)),
            InvalidTimeRangeError,
        ),
    ],
)
def test_filter_that_cannot_be_met_is_refused(
    sought: ImageFilter, kind: type[InvalidArgumentError]
) -> None:
    """A filter longer than its field, of too many words, or of no time at all."""
    with pytest.raises(kind):
        valid_filter(sought)


@pytest.mark.parametrize(
    "sought",
    [
        ImageFilter(),
        ImageFilter(prompt="x" * 32_000, filename="x" * 255),
        ImageFilter(prompt=" ".join(map(str, range(MAX_SEARCH_WORDS)))),
        ImageFilter(prompt="same " * 1_000),
        ImageFilter(created_after=NOON, created_before=NOON),
    ],
)
def test_filter_at_its_limits_is_taken(sought: ImageFilter) -> None:
    """Repeated words count once; an empty range is a range."""
    assert valid_filter(sought) is sought
