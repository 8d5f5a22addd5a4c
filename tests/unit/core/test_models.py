"""What an image may be called, asked for and shown as."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pixy_grpc.core.models import (
    MAX_FILENAME_CHARACTERS,
    MAX_PROMPT_BYTES,
    MAX_PROMPT_CHARACTERS,
    GenerationOptions,
    Image,
    ImageCreate,
    ImageFormat,
    ImageUpdate,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

GOOD_PROMPTS = [
    "x",
    "a\nb\tc",
    "🦊",
    "\u0001 is no NUL",
    "x" * MAX_PROMPT_CHARACTERS,
    "é" * MAX_PROMPT_CHARACTERS,
    "名" * 21_845,
    "🦊" * 16_383 + "abc",
]

BAD_PROMPTS = [
    "",
    " \t\r\n\u00a0\u3000",
    "x" * (MAX_PROMPT_CHARACTERS + 1),
    "名" * 21_845 + "x",
    "🦊" * 16_384,
    "red\0fox",
    "\0",
    "\ud800",
]

GOOD_FILENAMES = [
    "x",
    "fox.png",
    "...",
    ".hidden",
    "a  b.png",
    "🦊.png",
    "名" * MAX_FILENAME_CHARACTERS,
    "a:b*c?d|e.png",
    "a\u200db",
]

BAD_FILENAMES = [
    "",
    " ",
    ".",
    "..",
    " .. ",
    "x" * (MAX_FILENAME_CHARACTERS + 1),
    "a/b",
    "/",
    "..\\b",
    "a\0b",
    "a\nb",
    "a\tb",
    "a\x7fb",
    "a\x85b",
    "a\u2028b",
    "a\u2029b",
    "\udfff",
]


@pytest.mark.parametrize("prompt", GOOD_PROMPTS, ids=lambda text: text[:9])
def test_prompt_within_the_rules_is_kept(prompt: str) -> None:
    """1 to 32,000 characters, at most 65,535 bytes; to the letter."""
    assert ImageCreate(prompt=prompt).prompt == prompt
    assert ImageUpdate(prompt=prompt).prompt == prompt


def test_longest_prompts_are_as_long_as_the_column() -> None:
    sizes = [len(prompt.encode()) for prompt in GOOD_PROMPTS]

    assert max(sizes) == MAX_PROMPT_BYTES == 65_535


@pytest.mark.parametrize("prompt", BAD_PROMPTS, ids=lambda text: ascii(text[:9]))
@pytest.mark.parametrize("model", [ImageCreate, ImageUpdate])
def test_prompt_against_the_rules_is_refused(model: type[ImageCreate], prompt: str) -> None:
    with pytest.raises(ValidationError) as raised:
        model(prompt=prompt)

    (error,) = raised.value.errors()
    assert error["loc"] == ("prompt",)


@pytest.mark.parametrize("space", [" ", "\n", "\t", "\u00a0", "\u3000", " " * MAX_PROMPT_BYTES])
def test_text_is_trimmed_before_it_is_measured(space: str) -> None:
    """Space around it counts for nothing, space within stays."""
    longest = "x" * MAX_PROMPT_CHARACTERS

    made = ImageCreate(prompt=space + longest + space, filename=f"{space}a  b.png{space}")

    assert made.prompt == longest
    assert made.filename == "a  b.png"


@pytest.mark.parametrize("filename", GOOD_FILENAMES, ids=lambda text: ascii(text[:9]))
def test_filename_within_the_rules_is_kept(filename: str) -> None:
    """It is a label: nothing but separators and control characters is refused."""
    assert ImageCreate(prompt="x", filename=filename).filename == filename
    assert ImageUpdate(filename=filename).filename == filename


@pytest.mark.parametrize("filename", BAD_FILENAMES, ids=lambda text: ascii(text[:9]))
def test_filename_against_the_rules_is_refused(filename: str) -> None:
    with pytest.raises(ValidationError) as raised:
        ImageUpdate(filename=filename)

    (error,) = raised.value.errors()
    assert error["loc"] == ("filename",)


@settings(derandomize=True, max_examples=300)
@given(text=st.text())
def test_accepted_text_is_accepted_again(text: str) -> None:
    """What one layer let pass the next one does, unchanged."""
    for field in ("prompt", "filename"):
        try:
            made = ImageUpdate(**{field: text})
        except ValidationError:
            continue

        assert ImageUpdate(**made.model_dump()) == made
        made.model_dump_json().encode()


def test_create_needs_a_prompt_alone() -> None:
    assert ImageCreate(prompt="x").filename is None
    with pytest.raises(ValidationError):
        ImageCreate.model_validate({})


def test_update_needs_nothing() -> None:
    assert ImageUpdate().model_dump(exclude_none=True) == {}


@pytest.mark.parametrize("model", [ImageCreate, ImageUpdate, GenerationOptions])
def test_unknown_field_is_refused(model: type[ImageCreate | GenerationOptions]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate({"prompt": "x", "colour": "red"})


@pytest.mark.parametrize("value", [1, b"bytes", ["x"], True])
def test_value_of_another_type_is_refused(value: object) -> None:
    """Nothing is turned into text that was none."""
    with pytest.raises(ValidationError):
        ImageUpdate.model_validate({"prompt": value})


def test_model_is_a_value() -> None:
    made = ImageCreate(prompt="x")

    with pytest.raises(ValidationError):
        made.prompt = "y"
    assert made == ImageCreate(prompt=" x ")
    assert hash(made) == hash(ImageCreate(prompt="x"))


@pytest.mark.parametrize(
    ("size", "kept", "dimensions"),
    [
        ("", "", None),
        ("auto", "", None),
        ("1x1", "1x1", (1, 1)),
        ("1024x768", "1024x768", (1024, 768)),
        ("99999x99999", "99999x99999", (99_999, 99_999)),
    ],
)
def test_size_within_the_rules_is_kept(
    size: str, kept: str, dimensions: tuple[int, int] | None
) -> None:
    """`auto` and empty both leave it to the generator."""
    options = GenerationOptions(size=size)

    assert options.size == kept
    assert options.dimensions == dimensions


@pytest.mark.parametrize(
    "size",
    [
        *("x", "0x1", "1x0", "01x1", "1x", "x1", "1X1", " 1x1", "1x1\n", "-1x1", "1.5x1"),
        *("100000x1", "1x100000", "1x1x1", "AUTO", "large", "１x１", "١x١"),
    ],
)
def test_size_against_the_rules_is_refused(size: str) -> None:
    with pytest.raises(ValidationError, match="WIDTHxHEIGHT"):
        GenerationOptions(size=size)


@pytest.mark.parametrize(
    ("quality", "kept"),
    [("", ""), ("auto", ""), ("high", "high"), ("x" * 32, "x" * 32), ("hd-2_0", "hd-2_0")],
)
def test_quality_within_the_rules_is_kept(quality: str, kept: str) -> None:
    assert GenerationOptions(quality=quality).quality == kept


@pytest.mark.parametrize("quality", ["High", "2", "x" * 33, "a b", "high\n", "é", "-"])
def test_quality_against_the_rules_is_refused(quality: str) -> None:
    with pytest.raises(ValidationError, match="lower case"):
        GenerationOptions(quality=quality)


@pytest.mark.parametrize(
    ("form", "content_type", "extension"),
    [
        (ImageFormat.PNG, "image/png", ".png"),
        (ImageFormat.JPEG, "image/jpeg", ".jpg"),
        (ImageFormat.WEBP, "image/webp", ".webp"),
    ],
)
def test_format_has_its_usual_names(form: ImageFormat, content_type: str, extension: str) -> None:
    assert form.content_type == content_type
    assert form.extension == extension
    assert GenerationOptions(format=form).format is form


def test_image_shows_text_as_it_was_stored() -> None:
    """Today's rules are for new text: an older image is not refused to its readers."""
    image = Image(guid="g", filename="a/b\n", prompt=" \0 ", created_at=NOON, updated_at=NOON)

    assert (image.filename, image.prompt) == ("a/b\n", " \0 ")
    assert (image.content_type, image.size_bytes, image.sha256) == ("", 0, "")
    assert (image.width, image.height, image.generator, image.model) == (0, 0, "", "")


@pytest.mark.parametrize("missing", ["guid", "filename", "prompt", "created_at", "updated_at"])
def test_image_needs_what_is_always_shown(missing: str) -> None:
    fields = {"guid": "g", "filename": "f", "prompt": "p", "created_at": NOON, "updated_at": NOON}
    del fields[missing]

    with pytest.raises(ValidationError):
        Image.model_validate(fields)


@pytest.mark.parametrize("field", ["size_bytes", "width", "height"])
def test_image_of_a_negative_size_is_refused(field: str) -> None:
    fields = {"guid": "g", "filename": "f", "prompt": "p", "created_at": NOON, "updated_at": NOON}

    with pytest.raises(ValidationError):
        Image.model_validate({**fields, field: -1})
