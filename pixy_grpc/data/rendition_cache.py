"""A folder of this machine as the cache of renditions, shared by its worker processes."""

import errno
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.exceptions import ImageException
from pixy_grpc.core.ports import EVERY_BYTE, OpenedBytes, RenditionKey
from pixy_grpc.data.folder_errors import translated
from pixy_grpc.data.rendition_file import DamagedFileError, head_of, open_rendition
from pixy_grpc.data.rendition_folder import FreeBytes, RenditionFolder, free_bytes, on_disk

SPARE_BYTES = 256 * 1024 * 1024
"""Free space that is left to others: creations stop when there is a quarter of it."""

STALE_SECONDS = 600.0
"""Age from which an unfinished file is that of a process that crashed: writing one takes
milliseconds."""

TOUCH_SECONDS = 60.0
"""How exactly it is known when a rendition was last used."""

LOOK_SECONDS = 600.0
"""How often the folder is looked through though nothing is written to it."""

_KEPT_PART = 3 / 4
"""Of the cap, what is left when others make room: the rest is what the processes may
write, each a share, before they look through the folder again."""

_OF_THE_FILE = frozenset({errno.EIO, errno.EISDIR, errno.ELOOP, errno.ENODEV, errno.ENXIO})
"""What the system says of one file; anything else, such as a want of descriptors, is no
fault of the rendition."""

_log = logging.getLogger(__name__)


class FolderRenditionCache:
    """A RenditionCache of files that are found out when a crash has damaged them.

    Together they have at most `cap_bytes`, whichever of the `sharers` writes them; the
    longest unused make room. What would take more than a share is not kept, be it by itself
    or with what the same sharer writes meanwhile.
    """

    def __init__(
        self,
        root: Path,
        cap_bytes: int,
        *,
        sharers: int = 1,
        spare_bytes: int = SPARE_BYTES,
        free_bytes: FreeBytes = free_bytes,
    ) -> None:
        self._folder = RenditionFolder(root, free_bytes)
        self._kept_bytes = int(cap_bytes * _KEPT_PART)
        self._share = (cap_bytes - self._kept_bytes) // sharers
        self._spare_bytes = spare_bytes
        self._lock = threading.Lock()
        self._may_write = 0
        self._writing = 0  # bytes that were granted, and are not to be seen in the folder yet
        self._looked_at = -LOOK_SECONDS

    @contextmanager
    def open(self, key: RenditionKey, span: range = EVERY_BYTE) -> Iterator[OpenedBytes | None]:
        """Open a file, and hold its head and what the span touches to their sums."""
        with ExitStack() as resources:
            yield _opened(self._folder.path_of(key), span, resources)

    def put(self, key: RenditionKey, contents: ImageContents, data: bytes) -> None:
        """Write a file, unless others need the space more."""
        path = self._folder.path_of(key)
        head = head_of(path.name, contents)
        size_bytes = on_disk(len(head) + len(data))
        try:
            with translated(), self._room_for(size_bytes) as is_granted:
                if is_granted:
                    self._folder.write(path, head, data)
        except ImageException as error:
            _log.warning("rendition not kept: %s (%s)", error.reason, error.__cause__)

    def delete(self, guid: str) -> None:
        """Remove the files of an image."""
        with translated():
            for entry in self._folder.entries_of(guid):
                entry.path.unlink(missing_ok=True)

    def guids(self) -> list[str]:
        """Read the names of the files."""
        with translated():
            return sorted({entry.guid for entry in self._folder.entries()})

    def tidy(self) -> None:
        """Look through the folder when space runs short, and now and then."""
        try:
            with translated(), self._lock:
                is_due = time.monotonic() - self._looked_at >= LOOK_SECONDS
                if self._folder.exists and (is_due or self._is_short_by(0)):
                    self._make_room(0)
        except ImageException as error:
            _log.warning("renditions not tidied: %s (%s)", error.reason, error.__cause__)

    @contextmanager
    def _room_for(self, size_bytes: int) -> Iterator[bool]:
        """Lend so much of what may be written, if there is so much, while it is written."""
        granted = size_bytes if self._has_room(size_bytes) else 0
        try:
            yield bool(granted)
        finally:
            with self._lock:
                self._writing -= granted

    def _has_room(self, size_bytes: int) -> bool:
        """Take so much of what may be written; make room for it where that is used up."""
        if size_bytes > self._share:
            return False
        with self._lock:
            is_short = self._is_short_by(size_bytes)
            if is_short or size_bytes > self._may_write:
                self._make_room(size_bytes)
            if size_bytes > self._may_write or (is_short and self._is_short_by(size_bytes)):
                return False
            self._may_write -= size_bytes
            self._writing += size_bytes
            return True

    def _is_short_by(self, size_bytes: int) -> bool:
        return self._folder.free_bytes() - size_bytes < self._spare_bytes

    def _make_room(self, size_bytes: int) -> None:
        """Remove the longest unused beyond what may be kept, and what a crash left."""
        self._remove_stale()
        entries = sorted(self._folder.entries(), key=lambda entry: entry.used_at)
        excess = max(
            sum(entry.size_bytes for entry in entries) - self._kept_bytes,
            self._spare_bytes + size_bytes - self._folder.free_bytes(),
        )
        for entry in entries:
            if excess <= 0:
                break
            entry.path.unlink(missing_ok=True)
            excess -= entry.size_bytes
        self._may_write = self._share - self._writing
        self._looked_at = time.monotonic()

    def _remove_stale(self) -> None:
        for entry in self._folder.unfinished():
            if time.time() - entry.used_at > STALE_SECONDS:
                entry.path.unlink(missing_ok=True)


def _opened(path: Path, span: range, resources: ExitStack) -> OpenedBytes | None:
    try:
        opened = resources.enter_context(open_rendition(path, span))
    except FileNotFoundError:
        return None
    except (DamagedFileError, ImageException, OSError) as error:
        _log.warning("unreadable rendition name=%s: %r", path.name, error)
        if _is_damage(error):
            _discard(path)
        return None
    _touch(path)
    return opened


def _is_damage(error: Exception) -> bool:
    """Tell a file that is not what was written from a machine that cannot open it now."""
    cause = error.__cause__ if isinstance(error, ImageException) else error
    return not isinstance(cause, OSError) or cause.errno in _OF_THE_FILE


def _discard(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:  # found again by whoever opens it next
        _log.warning("damaged rendition not removed name=%s: %s", path.name, error)


def _touch(path: Path) -> None:
    """Note that a file is used, by its time of change: the oldest go first."""
    try:
        if time.time() - path.stat().st_mtime > TOUCH_SECONDS:
            os.utime(path)
    except OSError as error:  # gone meanwhile, which does not matter to who has it open
        _log.debug("use of a rendition not noted: %s", error)
