"""Filenames for images whose creator gave none."""

import unicodedata

from pixy_grpc.core.models import ImageFormat
from pixy_grpc.core.search import normalise

SLUG_CHARACTERS = 60
"""Long enough to tell images apart in a folder, short enough to read."""

_FALLBACK = "image"


def slug_filename(prompt: str, image_format: ImageFormat) -> str:
    """Return the prompt's first words, joined by hyphens, with the format's extension."""
    start = normalise(prompt[: SLUG_CHARACTERS * 2])
    slug = "-".join(_words(start))
    if len(slug) > SLUG_CHARACTERS:
        slug = slug[: SLUG_CHARACTERS + 1]
        slug = slug.rpartition("-")[0] or slug[:SLUG_CHARACTERS]
    return (slug or _FALLBACK) + image_format.extension


def _words(text: str) -> list[str]:
    """Return its words; a mark continues one, such as a vowel sign of Devanagari."""
    spaced = ""
    for character in text:
        continues = spaced[-1:].strip() and unicodedata.category(character).startswith("M")
        spaced += character if character.isalnum() or continues else " "
    return spaced.split()
