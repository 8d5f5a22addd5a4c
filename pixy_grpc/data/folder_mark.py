"""The file in a folder that says whose it is: an empty mount point carries none."""

from pathlib import Path

from pixy_grpc.core.exceptions import StorageUnavailableError


class FolderMark:
    """The store id that a folder carries, and the one it has to. Raises OSError where the
    system does.
    """

    def __init__(self, path: Path, store_id: str = "") -> None:
        """Take the file, and the id it has to hold; without one, the first it shows."""
        self._path = path
        self._store_id = store_id

    def read(self) -> str:
        """Return the id that is there; empty where the file is."""
        return self._path.read_text(encoding="utf-8", errors="replace").strip()

    def expect(self, store_id: str) -> None:
        """Require that id from now on."""
        self._store_id = store_id

    def adopt(self) -> str | None:
        """Require the id that is there, and return it; None where there is none."""
        try:
            self._store_id = self.read()
        except FileNotFoundError:
            return None
        return self._store_id or None

    def require(self) -> None:
        """Raise StorageUnavailableError unless the folder carries the mark it has to."""
        found = self.read()
        self._store_id = self._store_id or found
        if not found or found != self._store_id:
            raise StorageUnavailableError("Another store of bytes is in the place of ours.")
