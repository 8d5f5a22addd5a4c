"""The prompt written below the picture, as far as it fits and the font can draw it."""

import functools
import re
import string
import unicodedata
from typing import cast

from PIL import ImageDraw, ImageFont

from pixy_grpc.service.generators.sketch.canvas import Canvas
from pixy_grpc.service.generators.sketch.vocabulary import Rgb

DRAWABLE = frozenset(
    string.ascii_letters + string.digits + string.punctuation + " ©«°±´·»‘’“”…‹›⁄™"
)
"""What the font that comes with Pillow has; all else would come out as empty boxes."""

_READ_CHARACTERS = 600
_MAX_LINES = 3
_MIN_FONT_PIXELS = 12
_PAPER: Rgb = (8, 10, 20)
_INK: Rgb = (255, 255, 255)
_ELLIPSIS = "…"
_FOLDED = str.maketrans(
    {
        "–": "-",
        "—": "-",
        "−": "-",
        "ß": "ss",
        "æ": "ae",
        "Æ": "AE",
        "ø": "o",
        "Ø": "O",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "œ": "oe",
        "Œ": "OE",
        "ı": "i",
    }
)


def write_caption(canvas: Canvas, prompt: str) -> None:
    """Write the prompt over a darkened foot; leave it out where it would not be legible."""
    size = max(_MIN_FONT_PIXELS, canvas.unit // 30)
    leading = round(size * 1.3)
    text = legible(prompt)
    room = min(_MAX_LINES, round(canvas.height * 0.24 - size) // leading)
    if room < 1 or not text.strip(_ELLIPSIS + " "):
        return
    font = _font(size)
    lines = _wrap(text, font, canvas.width - 2 * size, room)
    height = leading * len(lines) + size
    foot = (0, canvas.height - height - size, canvas.width, canvas.height)
    canvas.veil(foot, _PAPER, (0.0, 0.5, 0.62, 0.7))
    draw = ImageDraw.Draw(canvas.image)
    for row, line in enumerate(lines):
        draw.text((size, canvas.height - height + size // 3 + row * leading), line, _INK, font)


def legible(prompt: str) -> str:
    """Return the prompt's beginning in characters that the font can draw.

    Accents are taken off letters, emoji become their names in brackets, and whatever
    is left over becomes an ellipsis.
    """
    text = prompt[:_READ_CHARACTERS].translate(_FOLDED)
    plain = "".join(_spelled(character) for character in unicodedata.normalize("NFKD", text))
    runs = re.sub(r"[…\s]*…[…\s]*", f" {_ELLIPSIS} ", plain)
    line = " ".join(runs.split())
    is_cut = max(len(prompt), len(line)) > _READ_CHARACTERS
    return line[:_READ_CHARACTERS] + (_ELLIPSIS if is_cut else "")


def _spelled(character: str) -> str:
    if character in DRAWABLE:
        return character
    if character.isspace():
        return " "
    category = unicodedata.category(character)
    if category == "So":
        return f" [{unicodedata.name(character, _ELLIPSIS).lower()}] "
    return "" if category in ("Mn", "Me", "Cf", "Sk", "Cc") else _ELLIPSIS


def _wrap(text: str, font: ImageFont.FreeTypeFont, width: int, room: int) -> list[str]:
    lines: list[str] = []
    rest = text
    while rest and len(lines) < room:
        fitting = _fitting(rest, font, width)
        cut = rest.rfind(" ", 0, fitting + 1) if fitting < len(rest) else fitting
        end = cut if cut > 0 else fitting
        lines.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    if rest:
        last = lines[-1]
        lines[-1] = last[: _fitting(last, font, width - font.getlength(_ELLIPSIS))] + _ELLIPSIS
    return lines


def _fitting(text: str, font: ImageFont.FreeTypeFont, width: float) -> int:
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if font.getlength(text[:middle]) <= width else (low, middle - 1)
    return low


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    # Asked for a size it is never the bitmap font.
    return cast("ImageFont.FreeTypeFont", ImageFont.load_default(size))
