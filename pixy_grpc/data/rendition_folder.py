"""Where renditions lie: `ab/` by the first digits of the guid, then a file each."""

import hashlib
import os
import re
import stat
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pixy_grpc.core.ports import RenditionKey

UNFINISHED = ".unfinished"
"""Where renditions are written before they are whole. A crash leaves them there."""

_FOLDERS = 256
_PAGE_BYTES = 4096
"""What files are rounded up to, on most file systems."""

_NAME = re.compile(r"[0-9a-f-]{36}\.[0-9a-f]{16}\.\d+\.[a-z]+", re.ASCII)
_UNFINISHED_NAME = re.compile(r"[0-9a-f]{32}", re.ASCII)

FreeBytes = Callable[[Path], int]


def free_bytes(folder: Path) -> int:
    """Return what its file system leaves to this user."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def on_disk(size_bytes: int) -> int:
    """Return what a file of that size takes."""
    return -(-size_bytes // _PAGE_BYTES) * _PAGE_BYTES


@dataclass(frozen=True)
class Entry:
    """A file of ours: when it was last used (seconds since 1970), and what it takes."""

    used_at: float
    size_bytes: int
    path: Path

    @property
    def guid(self) -> str:
        """Whose rendition it is."""
        return self.path.name.partition(".")[0]


class RenditionFolder:
    """Knows which files are ours, and leaves all others alone."""

    def __init__(self, root: Path, free: FreeBytes) -> None:
        self._root = root.absolute()
        self._free = free

    @property
    def exists(self) -> bool:
        """Whether anything has been kept here."""
        return self._root.exists()

    def path_of(self, key: RenditionKey) -> Path:
        """Return where a rendition is, if it is kept."""
        source = hashlib.sha256(key.source.encode()).hexdigest()[:16]
        return self._folder(key.guid) / f"{key.guid}.{source}.{key.max_side}.{key.format}"

    def entries(self) -> Iterator[Entry]:
        """Look through all that is kept."""
        for number in range(_FOLDERS):
            yield from _files(self._root / f"{number:02x}", _NAME)

    def entries_of(self, guid: str) -> Iterator[Entry]:
        """Look for the renditions of one image."""
        found = _files(self._folder(guid), _NAME)
        return (entry for entry in found if entry.guid == guid)

    def unfinished(self) -> Iterator[Entry]:
        """Look for what is being written, or never will be."""
        return _files(self._root / UNFINISHED, _UNFINISHED_NAME)

    def free_bytes(self) -> int:
        """Return what others and we can still write; makes the folder where it is missing."""
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._free(self._root)

    def write(self, path: Path, *parts: bytes) -> None:
        """Write another file and rename it: what is there is whole. It is not flushed."""
        temporary = self._root / UNFINISHED / uuid.uuid4().hex
        for folder in (temporary.parent, path.parent):
            folder.mkdir(mode=0o700, exist_ok=True)
        try:
            with temporary.open("xb") as file:
                file.writelines(parts)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

    def _folder(self, guid: str) -> Path:
        return self._root / guid[:2]


def _files(folder: Path, name: re.Pattern[str]) -> Iterator[Entry]:
    """Yield the files of such names; another process may remove them meanwhile."""
    try:
        paths = [path for path in folder.iterdir() if name.fullmatch(path.name)]
    except (FileNotFoundError, NotADirectoryError):
        return
    for path in paths:
        try:
            status = path.lstat()
        except FileNotFoundError:
            continue
        if stat.S_ISREG(status.st_mode):
            yield Entry(status.st_mtime, on_disk(status.st_size), path)
