"""Reads from an image's bytes what they are, whatever anybody says they are."""

import io
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from pixy_grpc.core.exceptions import ProviderBadResponseError
from pixy_grpc.core.models import ImageFormat

MAX_PIXELS = 4096 * 4096
"""The largest picture any generator of ours makes; decoding takes 4 bytes a pixel."""

FORMATS = tuple(image_format.value.upper() for image_format in ImageFormat)
"""The decoders of Pillow that are tried: those of the contract, and no others."""

_PNG_END = b"IEND\xaeB`\x82"
"""The last chunk of a PNG. Pillow takes a file without it, as all the pixels are there."""

_MAX_SCANS = 200
"""A progressive JPEG has some ten scans, each a walk over every pixel: a file of 99 KB
with a thousand of them took 7 s to decode."""

_SCAN = b"\xff\xda"
"""Begins a scan. Within one, 0xFF is never followed by this."""

_JPEG_OF_SEVERAL = "MPO"
"""What Pillow calls a JPEG with further pictures behind the first, as cameras make them."""

UNUSABLE = (
    UnidentifiedImageError,
    Image.DecompressionBombError,  # from twice Pillow's own limit on
    Image.DecompressionBombWarning,  # below that, where warnings are errors
    IndexError,  # a chunk of a PNG that ends early, behind the pixels
    OSError,
    SyntaxError,
    ValueError,
)
"""What Pillow raises over bytes that are no picture, or not all of one."""


@dataclass(frozen=True)
class Picture:
    """What the bytes decode to; width and height in pixels."""

    format: ImageFormat
    width: int
    height: int


def inspect(data: bytes) -> Picture:
    """Decode the bytes to their end; raise ProviderBadResponseError where they do not.

    Only the formats of the contract are tried. `verify()` of Pillow accepts truncated
    files, so the pixels are read.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > MAX_PIXELS or is_endless(picture.format, data):
                raise ProviderBadResponseError("The image that was made is too large to keep.")
            picture.load()
            if picture.format == "PNG" and data.rfind(_PNG_END) < 0:
                raise ProviderBadResponseError("The image that was made is cut off.")
            return Picture(_format(picture.format), width, height)
    except UNUSABLE as error:
        raise ProviderBadResponseError("What was made is not a usable image.") from error


def _format(name: str | None) -> ImageFormat:
    return ImageFormat.JPEG if name == _JPEG_OF_SEVERAL else ImageFormat(str(name).lower())


def is_endless(name: str | None, data: bytes) -> bool:
    """Tell whether a file that Pillow says is of that format takes too long to decode."""
    return name in ("JPEG", _JPEG_OF_SEVERAL) and data.count(_SCAN) > _MAX_SCANS


def sniff(data: bytes) -> ImageFormat | None:
    """Return the format that the first bytes announce, None for any other; decode nothing."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return ImageFormat.PNG
    if data.startswith(b"\xff\xd8\xff"):
        return ImageFormat.JPEG
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return ImageFormat.WEBP
    return None
