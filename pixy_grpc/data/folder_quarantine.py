"""Puts files of a folder aside, for somebody to look at, and none over another."""

import filecmp
import os
from pathlib import Path

from pixy_grpc.core.exceptions import ImageCorruptError
from pixy_grpc.core.keys import beside
from pixy_grpc.data.flushing import flush_folder
from pixy_grpc.data.folder_walk import is_plain_name

QUARANTINE = ".quarantine"
"""Where bytes lie that no row names, each under its key, for somebody to look at."""


class FolderQuarantine:
    """The folder beside the others. Raises OSError where the system does."""

    def __init__(self, root: Path) -> None:
        self.folder = root / QUARANTINE

    def path(self, key: str) -> Path:
        """Return the file of a key. Raises ImageCorruptError for what is no name of a file."""
        if not is_plain_name(key):
            raise ImageCorruptError("This is no key of what lies in quarantine.")
        return self.folder / key

    def take(self, path: Path) -> None:
        """Move a file here under its name, if it is there, as of now.

        Linked first and removed after that: rename would replace what lies here. Where
        those are other bytes it gets a name of its own beside them, and where they are the
        same, as after a crash between the two, it is but removed.
        """
        self.folder.mkdir(exist_ok=True)
        try:
            self._link(path)
        except FileNotFoundError:
            return
        flush_folder(self.folder.parent)
        flush_folder(self.folder)
        path.unlink(missing_ok=True)
        flush_folder(path.parent)

    def _link(self, path: Path) -> None:
        taken = self.folder / path.name
        os.utime(path, follow_symlinks=False)  # when it came here
        try:
            os.link(path, taken, follow_symlinks=False)
        except FileExistsError:
            if filecmp.cmp(path, taken, shallow=False):
                os.utime(taken, follow_symlinks=False)
            else:
                os.link(path, self.folder / beside(path.name), follow_symlinks=False)
