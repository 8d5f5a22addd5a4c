"""Makes other pictures of a picture: smaller, or in another format."""

import io
import logging
import struct
from dataclasses import dataclass
from typing import Any

from PIL import ExifTags, Image, ImageCms

from pixy_grpc.core.exceptions import FieldViolation, InvalidFormatError
from pixy_grpc.core.models import ImageFormat
from pixy_grpc.service.inspection import FORMATS, MAX_PIXELS, UNUSABLE, is_endless

_ENCODERS: dict[ImageFormat, dict[str, Any]] = {
    ImageFormat.PNG: {"compress_level": 6},
    ImageFormat.JPEG: {"quality": 85},
    ImageFormat.WEBP: {"quality": 80, "method": 4},
}
"""Fixed, so that a rendition that is made anew has the bytes it had: a resume goes on."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each orientation of EXIF. `exif_transpose` of Pillow also writes the EXIF
anew, and fails where it holds what cannot be written."""

_COLOURS = {"RGB": "RGB", "RGBA": "RGBA", "CMYK": "RGB"}
"""The modes of pictures with colours, and their modes in sRGB."""

_DEEP_GREYS = ("I", "I;16")
"""Modes of 16 bits, which Pillow cuts off at 255 where it makes 8 of them."""

_log = logging.getLogger(__name__)


class UnreadablePictureError(Exception):
    """The bytes are no picture of the contract's formats, or not all of one."""


@dataclass(frozen=True)
class Rendered:
    """An encoded picture; width and height in pixels."""

    data: bytes
    width: int
    height: int


def render(source: io.BytesIO, max_side: int, target: ImageFormat) -> Rendered:
    """Return the picture with a longer side of at most `max_side` pixels, 0 for any.

    It is never enlarged, stands upright, and has no metadata; colours of a profile of its own
    become those of sRGB, which viewers assume without one. Where the target knows no
    transparency, what shows through is white. Raises UnreadablePictureError, and
    InvalidFormatError where it has more than MAX_PIXELS, or more scans than are decoded, or
    the target cannot hold it.
    """
    try:
        with Image.open(source, formats=FORMATS) as picture:
            is_large = picture.width * picture.height > MAX_PIXELS
            if is_large or is_endless(picture.format, source.getvalue()):
                raise unrenderable()
            made = _in_srgb(_upright(_scaled(picture, max_side)))
    except UNUSABLE as error:
        raise UnreadablePictureError from error
    try:
        return _encoded(made, target)
    except (OSError, ValueError) as error:  # WebP ends at 16,383 pixels a side
        raise unrenderable() from error


def unrenderable() -> InvalidFormatError:
    """Return the refusal of any rendition of an image: it is too large, or no picture."""
    text = "No rendition can be made of this image: ask for it as it is."
    return InvalidFormatError(text, violations=[FieldViolation("format", text)])


def _scaled(picture: Image.Image, max_side: int) -> Image.Image:
    """Scale before anything else: of a JPEG only as many pixels are decoded as it takes."""
    if picture.mode == "P" and picture.palette is None:
        raise UnreadablePictureError
    if picture.mode in _DEEP_GREYS:
        picture = picture.point(lambda grey: grey * (1 / 256)).convert("L")
    elif picture.has_transparency_data:
        picture = picture.convert("RGBA")
    elif picture.mode not in ("L", "RGB", "CMYK"):
        picture = picture.convert("RGB")
    if max_side:
        picture.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    return picture


def _upright(picture: Image.Image) -> Image.Image:
    """Turn the picture as its EXIF orientation says, where that can be read."""
    picture.load()
    try:
        turn = _TURNS.get(picture.getexif().get(ExifTags.Base.Orientation, 1))
    except (SyntaxError, ValueError, struct.error) as error:  # it comes from the file
        _log.info("unreadable EXIF of an image: %s", error)
        return picture
    return picture if turn is None else picture.transpose(turn)


def _in_srgb(picture: Image.Image) -> Image.Image:
    """Change the colours from the profile that the picture carries, where that can be read."""
    carried, mode = picture.info.get("icc_profile"), _COLOURS.get(picture.mode)
    if not carried or mode is None:
        return picture
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(carried))
        srgb = ImageCms.createProfile("sRGB")
        changed = ImageCms.profileToProfile(picture, profile, srgb, outputMode=mode)
    except (OSError, ImageCms.PyCMSError) as error:  # it comes from the file
        _log.info("unusable colour profile of an image: %s", error)
        return picture
    return changed or picture


def _encoded(picture: Image.Image, target: ImageFormat) -> Rendered:
    if target is ImageFormat.JPEG and picture.mode == "RGBA":
        picture = _flattened(picture)
    elif picture.mode == "CMYK":
        picture = picture.convert("RGB")
    picture.info = {}  # encoders write what they find there
    encoded = io.BytesIO()
    picture.save(encoded, target.value, **_ENCODERS[target])
    return Rendered(encoded.getvalue(), picture.width, picture.height)


def _flattened(picture: Image.Image) -> Image.Image:
    ground = Image.new("RGB", picture.size, "white")
    ground.paste(picture, mask=picture.getchannel("A"))
    return ground
