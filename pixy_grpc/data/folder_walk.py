"""Walks a folder of bytes, a few files at a time, however many there are."""

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from pixy_grpc.core.keys import KEY
from pixy_grpc.core.ports import StoredObject

FIRST_MOMENT = datetime.min.replace(tzinfo=UTC)
LAST_MOMENT = datetime.max.replace(tzinfo=UTC)
"""What a calendar holds."""

_LEVEL = re.compile(r"[0-9a-f]{2}", re.ASCII)


def stored_files(root: Path) -> Iterator[StoredObject]:
    """Yield the plain files that are where their key belongs: `ab/cd/abcd...`."""
    for first in _levels(root):
        for second in _levels(first):
            for found in plain_files(second):
                if KEY.fullmatch(found.key) and found.key.startswith(first.name + second.name):
                    yield found


def plain_files(folder: Path, prefix: str = "") -> Iterator[StoredObject]:
    """Yield the plain files of a folder under their names; none where there is no folder."""
    try:
        entries = os.scandir(folder)
    except FileNotFoundError:
        return
    with entries:
        for entry in entries:
            found = _stored(entry, prefix)
            if found:
                yield found


def _levels(folder: Path) -> list[Path]:
    """Return the folders of the next level: 256 at most."""
    try:
        with os.scandir(folder) as entries:
            names = [each.name for each in entries if each.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    return [folder / name for name in sorted(names) if _LEVEL.fullmatch(name)]


def _stored(entry: os.DirEntry[str], prefix: str) -> StoredObject | None:
    """Describe a plain file; None for what is none, hidden, or gone since it was seen."""
    try:
        if entry.name.startswith(".") or not entry.is_file(follow_symlinks=False):
            return None
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    return StoredObject(prefix + entry.name, status.st_size, moment(status.st_mtime))


def moment(seconds: float) -> datetime:
    """Return the time of a file: one that no calendar holds is as far away as that goes."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError):
        return LAST_MOMENT if seconds > 0 else FIRST_MOMENT


def is_plain_name(name: str) -> bool:
    """Tell whether a name is that of a file in a folder, and none of the store's own."""
    return bool(name) and name[0] != "." and not any(mark in name for mark in ("/", "\\", "\0"))
