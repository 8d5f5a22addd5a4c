"""Writes the files of a folder so that a crash leaves them whole, or not at all."""

import os
import uuid
from pathlib import Path

from pixy_grpc.core.exceptions import ConstraintViolationError
from pixy_grpc.data.flushing import flush_folder, write_flushed


class FolderWriting:
    """Makes files under new names. Raises OSError where the system does."""

    def __init__(self, incoming: Path) -> None:
        """Take the folder where bytes are written before they are whole."""
        self._incoming = incoming
        self._durable: set[Path] = set()

    def make_folders(self, folder: Path) -> None:
        """Make the two levels and flush the entry of each in its parent.

        Also of one that is there already, the first time: whoever made it may not have
        come to flush it.
        """
        for level in (folder.parent, folder):
            try:
                level.mkdir()
            except FileExistsError:
                if level in self._durable:
                    continue
            flush_folder(level.parent)
            self._durable.add(level)

    def write(self, path: Path, data: bytes) -> None:
        """Write to a temporary file, flush it, link it to its name, flush its folder.

        Raises ConstraintViolationError where the name is taken.
        """
        temporary = self._incoming / uuid.uuid4().hex
        try:
            write_flushed(temporary, data)
            _link(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        flush_folder(path.parent)


def _link(temporary: Path, path: Path) -> None:
    """Give the bytes their name, unless another file has it: rename would replace it."""
    try:
        os.link(temporary, path)
    except FileExistsError as error:
        raise ConstraintViolationError("The store holds bytes under this key.") from error
