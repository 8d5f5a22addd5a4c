"""Filenames for images whose creator gave none."""

from pixy_grpc.core.models import ImageFormat
from pixy_grpc.core.search import normalise

SLUG_CHARACTERS = 60
"""Long enough to tell images apart in a folder, short enough to read."""

_FALLBACK = "image"


def slug_filename(prompt: str, image_format: ImageFormat) -> str:
    """Return the prompt's first words, joined by hyphens, with the format's extension."""
    start = normalise(prompt[: SLUG_CHARACTERS * 2])
    words = "".join(c if c.isalnum() else " " for c in start).split()
    slug = "-".join(words)
    if len(slug) > SLUG_CHARACTERS:
        slug = slug[: SLUG_CHARACTERS + 1]
        slug = slug.rpartition("-")[0] or slug[:SLUG_CHARACTERS]
    return (slug or _FALLBACK) + image_format.extension
