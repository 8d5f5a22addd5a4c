"""Slugs: labels that are short, readable, and filenames under the models' own rules."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixy_grpc.core.models import ImageCreate, ImageFormat
from pixy_grpc.service.naming import SLUG_CHARACTERS, slug_filename


@pytest.mark.parametrize(
    ("prompt", "slug"),
    [
        ("A red fox", "a-red-fox"),
        ("  many   spaces\n\tand lines ", "many-spaces-and-lines"),
        ("C:\\temp\\..\\x", "c-temp-x"),
        ("snake_case and dots.", "snake-case-and-dots"),
        ("Straße", "strasse"),
        ("ＦＵＬＬ ｗｉｄｔｈ ①", "full-width-1"),
        ("cafe\u0301", "café"),
        ("हिन्दी में", "हिन्दी-में"),
        ("ภาษาไทย", "ภาษาไทย"),
        ("❤\ufe0f", "image"),
        ("\u0301", "image"),
        ("🦊🌙", "image"),
        ("---", "image"),
        ("nul\0byte", "nul-byte"),
    ],
)
def test_slug_is_made_of_the_prompts_words(prompt: str, slug: str) -> None:
    """Letters, digits and their marks are kept, everything else parts words."""
    assert slug_filename(prompt, ImageFormat.PNG) == f"{slug}.png"


def test_slug_ends_with_a_whole_word() -> None:
    """What is too long is cut between words, and within one only where there is one."""
    words = slug_filename("abcd " * 40, ImageFormat.WEBP)
    one = slug_filename("a" * 200, ImageFormat.JPEG)
    exact = slug_filename(f"{'a' * 30} {'b' * 29} c", ImageFormat.PNG)

    assert words == "-".join(["abcd"] * 12) + ".webp"
    assert one == "a" * SLUG_CHARACTERS + ".jpg"
    assert exact == f"{'a' * 30}-{'b' * 29}.png"


@settings(deadline=None)
@given(st.text(max_size=400), st.sampled_from(ImageFormat))
def test_slug_of_any_prompt_is_a_filename(prompt: str, image_format: ImageFormat) -> None:
    """Whatever the prompt, its slug passes the rules for filenames that callers give."""
    slug = slug_filename(prompt, image_format)

    assert ImageCreate(prompt="p", filename=slug).filename == slug
    assert len(slug) <= SLUG_CHARACTERS + len(".webp")
    assert slug.endswith(image_format.extension)
