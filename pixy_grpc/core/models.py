"""What an image is: how it is asked for, what may change, what is shown.

Author: djjay
Date: 2026-11-22

For a thing X: `XCreate` is what it takes to make one, `XUpdate(XCreate)` what may
change, every field optional, `X(XUpdate)` what is shown, its fields required.
"""

import re
import unicodedata
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

MAX_PROMPT_CHARACTERS = 32_000
"""The longest prompt any provider of ours takes."""

MAX_PROMPT_BYTES = 65_535
"""What a MySQL TEXT column holds."""

MAX_FILENAME_CHARACTERS = 255
"""What the column holds, and most file systems."""

AUTO = "auto"
"""The size or quality that leaves the choice to the generator."""

_SIZE = re.compile(r"(?P<width>[1-9]\d{0,4})x(?P<height>[1-9]\d{0,4})", re.ASCII)
_QUALITY = re.compile(r"[a-z][a-z0-9_-]{0,31}", re.ASCII)


def _prompt(text: str) -> str:
    trimmed = text.strip()
    if not trimmed:
        raise ValueError("A prompt needs at least one character that is not a space.")
    if len(trimmed) > MAX_PROMPT_CHARACTERS:
        raise ValueError(f"A prompt has at most {MAX_PROMPT_CHARACTERS:,} characters.")
    if "\0" in trimmed:
        raise ValueError("A prompt cannot hold a NUL character.")
    if _utf8_length(trimmed) > MAX_PROMPT_BYTES:
        raise ValueError(f"A prompt has at most {MAX_PROMPT_BYTES:,} bytes of UTF-8.")
    return trimmed


def _filename(text: str) -> str:
    trimmed = text.strip()
    if trimmed in ("", ".", ".."):
        raise ValueError("A filename needs a character other than spaces and dots.")
    if len(trimmed) > MAX_FILENAME_CHARACTERS:
        raise ValueError(f"A filename has at most {MAX_FILENAME_CHARACTERS} characters.")
    if "/" in trimmed or "\\" in trimmed:
        raise ValueError("A filename is a label and cannot hold a path separator.")
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in trimmed):
        raise ValueError("A filename cannot hold control characters.")
    _utf8_length(trimmed)
    return trimmed


def _utf8_length(text: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise ValueError("Text has to be encodable as UTF-8.") from None


def _size(text: str) -> str:
    if text not in ("", AUTO) and not _SIZE.fullmatch(text):
        raise ValueError('A size is WIDTHxHEIGHT in pixels, such as "1024x1024", or "auto".')
    return "" if text == AUTO else text


def _quality(text: str) -> str:
    if text and not _QUALITY.fullmatch(text):
        raise ValueError('A quality is a word in lower case, such as "high", or "auto".')
    return "" if text == AUTO else text


Prompt = Annotated[str, AfterValidator(_prompt)]
Filename = Annotated[str, AfterValidator(_filename)]


class ImageFormat(StrEnum):
    """Encodings of an image's bytes; the values are Pillow's and OpenAI's names."""

    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"

    @property
    def content_type(self) -> str:
        """The media type, for example image/png."""
        return f"image/{self.value}"

    @property
    def extension(self) -> str:
        """The usual file extension with its dot."""
        return ".jpg" if self is ImageFormat.JPEG else f".{self.value}"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class GenerationOptions(_Value):
    """How to make an image; an empty field leaves the choice to the generator."""

    size: Annotated[str, AfterValidator(_size)] = ""
    quality: Annotated[str, AfterValidator(_quality)] = ""
    format: ImageFormat | None = None

    @property
    def dimensions(self) -> tuple[int, int] | None:
        """Width and height in pixels, None where the generator chooses."""
        match = _SIZE.fullmatch(self.size)
        return (int(match["width"]), int(match["height"])) if match else None


class ImageCreate(_Value):
    """What it takes to make an image."""

    prompt: Prompt
    filename: Filename | None = None


class ImageUpdate(ImageCreate):
    """What may change of an image; None leaves a field as it is."""

    prompt: Prompt | None = None  # type: ignore[assignment]  # narrowed: every field optional
    filename: Filename | None = None


class Image(ImageUpdate):
    """An image as it is shown, in the terms of the contract's ImageDetails.

    Times are aware, in UTC, in whole seconds. The fields from `content_type` on are
    empty or 0 for an image of an earlier PixyProxy that has not been adopted. Text is
    taken as it was stored, whatever today's rules for new text are.
    """

    guid: str
    filename: str
    prompt: str
    created_at: datetime
    updated_at: datetime
    content_type: str = ""
    size_bytes: int = Field(default=0, ge=0)
    sha256: str = ""
    width: int = Field(default=0, ge=0)
    height: int = Field(default=0, ge=0)
    generator: str = ""
    model: str = ""
