"""Names for files, made from labels that a server chose: a name, never a path."""

import itertools
import re
import unicodedata
from collections.abc import Iterator
from pathlib import PurePath

from pixy_grpc.core.models import Image

MAX_NAME_BYTES = 180
"""File systems end at 255 bytes; the rest is for what tells files of one name apart."""

_SEPARATORS = re.compile(r"[/\\]")
_RESERVED_CHARACTERS = frozenset('<>:"|?*')
_RESERVED_NAMES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def safe_name(label: str) -> str:
    """Return the last part of a label as a name any file system takes; empty if none is left.

    No separator, control or invisible character is kept, and no dot at either end: what a
    server names is neither hidden nor a folder.
    """
    base = _SEPARATORS.split(label)[-1]
    name = "".join(character for character in base if _is_kept(character)).strip(". ")
    stem, suffix = _split(name)
    room = MAX_NAME_BYTES - len(suffix.encode())
    short = stem.encode()[:room].decode(errors="ignore").rstrip(". ") + suffix
    return f"_{short}" if _RESERVED_NAMES.fullmatch(short) else short


def candidate_names(image: Image) -> Iterator[str]:
    """Yield names for the file of an image, the best first, without end."""
    name = safe_name(image.filename) or "image"
    yield name
    stem, suffix = _split(name)
    guid = safe_name(image.guid)
    yield f"{stem}-{guid}{suffix}"
    yield from (f"{stem}-{guid}-{number}{suffix}" for number in itertools.count(2))


def _is_kept(character: str) -> bool:
    category = unicodedata.category(character)
    hidden = category.startswith("C") or category in ("Zl", "Zp")
    return not hidden and character not in _RESERVED_CHARACTERS


def _split(name: str) -> tuple[str, str]:
    suffix = PurePath(name).suffix
    if not suffix or len(suffix.encode()) > MAX_NAME_BYTES // 4:
        return name, ""
    return name[: -len(suffix)], suffix
