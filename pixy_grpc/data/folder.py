"""A local folder as the store of bytes, durable and create-only."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pixy_grpc.core.call import Deadline
from pixy_grpc.core.exceptions import ConstraintViolationError, ImageCorruptError
from pixy_grpc.core.keys import KEY
from pixy_grpc.core.ports import Space, StoredObject
from pixy_grpc.data.flushing import flush_folder
from pixy_grpc.data.folder_errors import require_time, translated
from pixy_grpc.data.folder_mark import FolderMark
from pixy_grpc.data.folder_quarantine import FolderQuarantine
from pixy_grpc.data.folder_walk import is_plain_name, plain_files, stored_files
from pixy_grpc.data.folder_writing import FolderWriting
from pixy_grpc.data.open_file import OpenFile

MARK = ".pixy-store"
"""The file that holds the store id."""

INCOMING = ".incoming"
"""Where bytes are written before they are whole. A crash leaves them there."""

OLDER = "older/"
"""Begins the keys of files that an earlier PixyProxy left in the root itself."""

LEFTOVER = "incoming/"
"""Begins the keys of what is found where bytes are written before they are whole."""

_NO_OBJECT = frozenset({errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENXIO})


class FolderStore:
    """An ImageStore in a folder: `ab/cd/` by the first digits of the guid, then the key."""

    def __init__(self, root: Path, store_id: str = "") -> None:
        """Take the folder, and the id it has to carry; without one, the first it shows."""
        self._root = root.absolute()
        self._aside = FolderQuarantine(self._root)
        self._mark = FolderMark(self._root / MARK, store_id)
        self._writing = FolderWriting(self._root / INCOMING)

    @property
    def root(self) -> Path:
        """The folder."""
        return self._root

    def prepare(self) -> str | None:
        """Make the folder where it is missing; return the store id it carries, if any."""
        with translated():
            self._make_root()
            return self._mark.adopt()

    def found_id(self) -> str | None:
        """Return the store id that the folder carries, if any; make nothing."""
        with translated():
            try:
                return self._mark.read() or None
            except (FileNotFoundError, NotADirectoryError):
                return None

    def mark(self, store_id: str) -> None:
        """Write the store id, durably; another server may have written it just now."""
        with translated():
            try:
                self._writing.write(self._root / MARK, store_id.encode())
            except ConstraintViolationError:
                if self.prepare() != store_id:
                    raise
            self._mark.expect(store_id)

    def put(self, key: str, data: bytes, deadline: Deadline) -> None:
        """Write a file under a name that is new, in folders that are flushed."""
        require_time(deadline)
        path = self._path(key)
        with translated():
            self._mark.require()
            self._writing.make_folders(path.parent)
            self._writing.write(path, data)

    @contextmanager
    def open(self, key: str, deadline: Deadline) -> Iterator[OpenFile]:
        """Open a plain file; a link or folder in its place is damage."""
        with self._opened(self._path(key), deadline) as opened:
            yield opened

    def modified_at(self, key: str, deadline: Deadline) -> datetime:
        """Look at the file's own time."""
        with self.open(key, deadline) as opened:
            return opened.modified_at

    def delete(self, key: str, deadline: Deadline) -> None:
        """Remove the file, if it is there."""
        require_time(deadline)
        path = self._path(key)
        with translated():
            try:
                path.unlink()
            except FileNotFoundError:
                self._mark.require()

    def keys(self, guid: str, deadline: Deadline) -> list[str]:
        """Look for files of the guid in its one folder, and flush it: whoever put them there
        may not have come to that.
        """
        require_time(deadline)
        folder = self._path(f"{guid}.0").parent
        with translated():
            self._mark.require()
            try:
                found = [path.name for path in folder.iterdir()]
                flush_folder(folder)
            except FileNotFoundError:
                return []
        return sorted(name for name in found if name.startswith(f"{guid}.") and KEY.fullmatch(name))

    def quarantine(self, key: str, deadline: Deadline) -> None:
        """Move the file into a folder beside the others, if it is there."""
        require_time(deadline)
        path = self._path(key)
        with translated():
            self._mark.require()
            self._aside.take(path)

    def list_objects(self) -> Iterator[StoredObject]:
        """Walk the two levels of folders; what is not where its key belongs is not ours."""
        yield from self._walk(stored_files(self._root))

    def list_leftovers(self) -> Iterator[StoredObject]:
        """Look where bytes are written before they are whole."""
        yield from self._walk(plain_files(self._root / INCOMING, LEFTOVER))

    def list_quarantine(self) -> Iterator[StoredObject]:
        """Look into the folder beside the others."""
        yield from self._walk(plain_files(self._aside.folder))

    @contextmanager
    def open_quarantined(self, key: str, deadline: Deadline) -> Iterator[OpenFile]:
        """Open a plain file of the folder beside the others."""
        with self._opened(self._aside.path(key), deadline) as opened:
            yield opened

    def purge(self, key: str, deadline: Deadline) -> None:
        """Remove a file from the folder beside the others, if it is there."""
        require_time(deadline)
        path = self._aside.path(key)
        with translated():
            self._mark.require()
            path.unlink(missing_ok=True)

    def _walk(self, found: Iterator[StoredObject]) -> Iterator[StoredObject]:
        with translated():
            self._mark.require()
            yield from found

    def space(self, deadline: Deadline) -> Space:
        """Return what the file system leaves to this user, if it is the store's."""
        require_time(deadline)
        with translated():
            self._mark.require()
            status = os.statvfs(self._root)
        return Space(status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize)

    def ping(self, deadline: Deadline) -> None:
        """Look for the mark: an empty mount point does not carry it."""
        require_time(deadline)
        with translated():
            self._mark.require()

    def _path(self, key: str) -> Path:
        if key.startswith(OLDER) and is_plain_name(key.removeprefix(OLDER)):
            return self._root / key.removeprefix(OLDER)
        if key.startswith(LEFTOVER) and is_plain_name(key.removeprefix(LEFTOVER)):
            return self._root / INCOMING / key.removeprefix(LEFTOVER)
        if not KEY.fullmatch(key):
            raise ImageCorruptError("The image's bytes are not under a key of this store.")
        return self._root.joinpath(key[:2], key[2:4], key)

    @contextmanager
    def _opened(self, path: Path, deadline: Deadline) -> Iterator[OpenFile]:
        require_time(deadline)
        with translated():
            descriptor = self._descriptor(path)
        try:
            yield OpenFile(descriptor)
        finally:
            os.close(descriptor)

    def _make_root(self) -> None:
        """Make the folder and flush the entry of each that was missing in its parent."""
        missing = [level for level in (self._root, *self._root.parents) if not level.exists()]
        (self._root / INCOMING).mkdir(parents=True, exist_ok=True)
        for level in missing:
            flush_folder(level.parent)

    def _descriptor(self, path: Path) -> int:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            if error.errno not in _NO_OBJECT:
                raise
            self._mark.require()
            raise ImageCorruptError("The image's bytes are missing.") from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise ImageCorruptError("The image's bytes have been replaced.")
        return descriptor
