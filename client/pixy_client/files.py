"""Writes downloads so that a file is there whole and right, or is not there."""

import errno
import logging
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from pixy_client.names import candidate_names
from pixy_client.results import Download
from pixy_client.streams import ImageStream
from pixy_grpc.core.models import Image

_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
"""How file systems say that a file has one name there. (link(2))"""

_log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Told the bytes done and the bytes in all; 0 in all where nobody knows."""


@dataclass(frozen=True)
class Destination:
    """A folder, and the name of a file in it; None leaves the name to the image's label.

    `max_side` is that of a rendition, 0 of one in another format alone, None of none.
    """

    folder: Path
    name: str | None
    max_side: int | None = None

    @classmethod
    def at(cls, path: str | os.PathLike[str], max_side: int | None = None) -> Self:
        """Return what a path means. Raises OSError where nothing could be written.

        A folder means a new file in it; a link means what it points to; a device, a pipe
        or a folder that is not there is an error.
        """
        real = Path(os.path.realpath(path))
        if real.is_dir():
            return cls(real, None, max_side)
        if os.fspath(path).endswith(os.sep) or not real.parent.is_dir():
            folder = real if os.fspath(path).endswith(os.sep) else real.parent
            raise FileNotFoundError(errno.ENOENT, "There is no such folder", str(folder))
        if real.exists() and not real.is_file():
            raise OSError(errno.EINVAL, "Not a file that can be replaced", os.fspath(path))
        return cls(real.parent, real.name)

    @property
    def path(self) -> Path:
        """What was asked for: the file, or the folder it is to be in."""
        return self.folder / self.name if self.name else self.folder

    def check(self) -> None:
        """Raise OSError where no file can be made: in a folder that is read-only, or full."""
        with self.blamed(), _temporary_file(self.folder):
            pass

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """Have what the file system refuses say where: nobody knows of temporary files."""
        try:
            yield
        except OSError as error:
            error.filename, error.filename2 = str(self.path), None
            raise

    def publish(self, temporary: Path, image: Image) -> Path:
        """Give a temporary file of this folder its name, in one step; return its path.

        A name the caller chose replaces what is there; one from a label never does.
        """
        if self.name is None:
            return self._publish_new(temporary, image)
        target = self.folder / self.name
        temporary.replace(target)
        return target

    def _publish_new(self, temporary: Path, image: Image) -> Path:
        names = candidate_names(image, self.max_side)
        targets = (self.folder / name for name in names)
        return next(target for target in targets if _is_named(temporary, target))


def save(stream: ImageStream, destination: Destination, progress: Progress) -> Download:
    """Write a stream to its destination once all of it has arrived and been verified.

    Whatever goes wrong, no temporary file is left and what was there is untouched.
    """
    folder = destination.folder
    with (
        destination.blamed(),
        _temporary_file(folder) as (file, temporary),
        _sync_afterwards(folder),
    ):
        for chunk in stream:
            file.write(chunk)
            progress(stream.received_bytes, stream.expected_bytes or 0)
        file.flush()
        os.fsync(file.fileno())
        file.close()
        path = destination.publish(temporary, stream.image)
    return Download(path, stream.image, stream.received_bytes, stream.verified)


def _is_named(temporary: Path, target: Path) -> bool:
    """Give a file one more name, in one step; tell whether there was nothing of that name."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        return _is_renamed(temporary, target)
    return True


def _is_renamed(temporary: Path, target: Path) -> bool:
    """Do the same where there are no links: an empty file holds the name meanwhile."""
    with ExitStack() as undo:
        try:
            target.touch(exist_ok=False)
        except FileExistsError:
            return False
        undo.callback(target.unlink)
        temporary.replace(target)
        undo.pop_all()
    return True


@contextmanager
def _temporary_file(folder: Path) -> Iterator[tuple[BinaryIO, Path]]:
    path = folder / f".pixy-{secrets.token_hex(8)}.part"
    try:
        with path.open("xb") as file:
            yield file, path
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def _sync_afterwards(folder: Path) -> Iterator[None]:
    """Make a new name outlive a crash, where this user can sync the folder at all.

    What cannot be synced is there all the same, and no failure.
    """
    yield
    try:
        descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    except OSError as error:
        _log.debug("a folder cannot be synced: %s", error)
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        _log.debug("a folder cannot be synced: %s", error)
    finally:
        os.close(descriptor)
