"""Names for files, made from labels that a server chose: a name, never a path."""

import itertools
import re
import unicodedata
from collections.abc import Iterator
from pathlib import PurePath

from pixy_grpc.core.models import Image, ImageFormat

MAX_NAME_BYTES = 180
"""File systems end at 255 bytes; the rest is for what tells files of one name apart."""

UNKNOWN_EXTENSION = ".bin"
"""For bytes of which nobody knows what they are, named like no image."""

_EXTENSIONS = {each.content_type: (each.extension,) for each in ImageFormat} | {
    ImageFormat.JPEG.content_type: (ImageFormat.JPEG.extension, ".jpeg")
}
_ANY_EXTENSION = frozenset(itertools.chain.from_iterable(_EXTENSIONS.values()))
_SEPARATORS = re.compile(r"[/\\]")
_RESERVED_CHARACTERS = frozenset('<>:"|?*')
_RESERVED_NAMES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def safe_name(label: str) -> str:
    """Return the last part of a label as a name any file system takes; empty if none is left.

    No separator, control or invisible character is kept, no dot at either end, and no
    dash in front: what a server names is neither hidden, nor a folder, nor an option.
    """
    base = _SEPARATORS.split(label)[-1]
    name = "".join(character for character in base if _is_kept(character))
    name = name.lstrip(".- ").rstrip(". ")
    stem, suffix = _split(name)
    room = MAX_NAME_BYTES - len(suffix.encode())
    short = stem.encode()[:room].decode(errors="ignore").rstrip(". ") + suffix
    return f"_{short}" if _RESERVED_NAMES.fullmatch(short) else short


def candidate_names(image: Image, max_side: int | None = None) -> Iterator[str]:
    """Yield names for the file of an image, the best first, without end.

    Each has an extension of the image's content type: no server leaves a Makefile. That of
    a rendition tells the side that was asked for; 0 means one in another format alone.
    """
    plain = safe_name(image.filename) or "image"
    label = plain if max_side is None else _rendition_label(plain, max_side)
    name = _with_extension(label, image.content_type)
    yield name
    stem, suffix = _split(name)
    guid = safe_name(image.guid)
    yield f"{stem}-{guid}{suffix}"
    yield from (f"{stem}-{guid}-{number}{suffix}" for number in itertools.count(2))


def is_misnamed(name: str, content_type: str) -> bool:
    """Tell whether a name has the extension of another kind of image than this one."""
    known = _EXTENSIONS.get(content_type)
    return known is not None and PurePath(name).suffix.lower() in _ANY_EXTENSION - {*known}


def _rendition_label(name: str, max_side: int) -> str:
    """Return a name without the extension of an original, which may be of another format."""
    stem, suffix = _split(name)
    kept = stem if suffix.lower() in _ANY_EXTENSION else name
    return f"{kept}-{max_side}" if max_side else kept


def _with_extension(name: str, content_type: str) -> str:
    """Return a name that ends as files of a content type do; an unknown one is any image."""
    known = _EXTENSIONS.get(content_type)
    allowed = known or _ANY_EXTENSION
    if PurePath(name).suffix.lower() in allowed:
        return name
    return name + (known[0] if known else UNKNOWN_EXTENSION)


def _is_kept(character: str) -> bool:
    category = unicodedata.category(character)
    hidden = category.startswith("C") or category in ("Zl", "Zp")
    return not hidden and character not in _RESERVED_CHARACTERS


def _split(name: str) -> tuple[str, str]:
    suffix = PurePath(name).suffix
    if not suffix or len(suffix.encode()) > MAX_NAME_BYTES // 4:
        return name, ""
    return name[: -len(suffix)], suffix
