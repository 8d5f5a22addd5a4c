"""What is sent for the options of a request, and what is refused before money is spent."""

from dataclasses import replace

import pytest

from pixy_grpc.core.exceptions import (
    InvalidArgumentError,
    InvalidFormatError,
    InvalidQualityError,
    InvalidSizeError,
)
from pixy_grpc.core.models import GenerationOptions, ImageFormat
from pixy_grpc.service.generators.openai import (
    COMPATIBLE,
    OPENAI,
    OPENAI_ANY_SIZE,
    PROFILES,
    Defaults,
    Profile,
)
from pixy_grpc.service.generators.openai.parameters import Parameters

JPEG = GenerationOptions(format=ImageFormat.JPEG)


@pytest.mark.parametrize(
    ("profile", "options", "sent"),
    [
        (OPENAI, GenerationOptions(), {}),
        (OPENAI, GenerationOptions(size="auto", quality="auto"), {}),
        (
            OPENAI,
            GenerationOptions(size="1024x1536", quality="low", format=ImageFormat.WEBP),
            {"size": "1024x1536", "quality": "low", "output_format": "webp"},
        ),
        (
            OPENAI_ANY_SIZE,
            GenerationOptions(size="1536x864", quality="max"),
            {"size": "1536x864", "quality": "max"},
        ),
        (COMPATIBLE, GenerationOptions(), {"response_format": "b64_json"}),
        (
            replace(COMPATIBLE, qualities=None),
            GenerationOptions(quality="standard"),
            {"response_format": "b64_json", "quality": "standard"},
        ),
    ],
)
def test_body_holds_only_what_is_set(
    profile: Profile, options: GenerationOptions, sent: dict[str, object]
) -> None:
    """What nobody chose is the provider's choice."""
    assert Parameters(profile, Defaults()).body(options) == sent


def test_body_has_defaults_for_what_the_request_leaves_open() -> None:
    """Settings fill in; a request has the last word."""
    parameters = Parameters(
        OPENAI, Defaults(size="1024x1024", quality="low", format=ImageFormat.PNG)
    )

    assert parameters.body(GenerationOptions(quality="high")) == {
        "size": "1024x1024",
        "quality": "high",
        "output_format": "png",
    }


@pytest.mark.parametrize(
    ("image_format", "is_sent"),
    [(None, False), (ImageFormat.PNG, False), (ImageFormat.JPEG, True), (ImageFormat.WEBP, True)],
)
def test_compression_goes_with_the_formats_that_have_it(
    image_format: ImageFormat | None, is_sent: bool
) -> None:
    """Zero is a compression too; PNG has none, and an open format may become PNG."""
    body = Parameters(OPENAI, Defaults(compression=0)).body(GenerationOptions(format=image_format))

    assert ("output_compression" in body) is is_sent


@pytest.mark.parametrize(
    ("profile", "options", "error"),
    [
        (OPENAI, GenerationOptions(size="640x480"), InvalidSizeError),
        (OPENAI, GenerationOptions(quality="hd"), InvalidQualityError),
        (OPENAI_ANY_SIZE, GenerationOptions(size="9999x9999"), InvalidSizeError),
        (COMPATIBLE, GenerationOptions(quality="high"), InvalidQualityError),
        (COMPATIBLE, JPEG, InvalidFormatError),
    ],
)
def test_check_refuses_what_the_profile_does_not_know(
    profile: Profile, options: GenerationOptions, error: type[InvalidArgumentError]
) -> None:
    """The error names the field of the request that has to change."""
    with pytest.raises(error) as raised:
        Parameters(profile, Defaults()).check(options)

    (violation,) = raised.value.violations
    assert violation.field in ("size", "quality", "format")
    assert violation.description == raised.value.message


def test_check_refuses_jpeg_where_images_are_transparent() -> None:
    """The provider would, after a round trip."""
    with pytest.raises(InvalidFormatError):
        Parameters(OPENAI, Defaults(background="transparent")).check(JPEG)


def test_profiles_are_found_by_their_names() -> None:
    """A setting names one of them."""
    assert {name: profile.name for name, profile in PROFILES.items()} == {
        "openai": "openai",
        "openai-any-size": "openai-any-size",
        "compatible": "compatible",
    }
