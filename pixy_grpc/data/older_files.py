"""The files that an earlier PixyProxy left in the folder, found by filename or guid."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.models import ImageFormat
from pixy_grpc.data.folder import OLDER, FolderStore
from pixy_grpc.data.folder_errors import translated
from pixy_grpc.data.folder_walk import is_plain_name

_HEAD_BYTES = 12
"""How far a file has to be read to tell its type."""


def older_files(store: object) -> "OlderFiles | NoOlderFiles":
    """Return what an earlier PixyProxy left in a store: in a folder, or nothing."""
    return OlderFiles(store) if isinstance(store, FolderStore) else NoOlderFiles()


class NoOlderFiles:
    """What lies in a store that no earlier PixyProxy knew."""

    def __init__(self) -> None:
        self.unreadable: list[str] = []

    def find(self, guid: str, filename: str) -> None:
        """Return None: no image's file is there."""


class OlderFiles:
    """The plain files in the root of a folder store, as they were when it was made."""

    def __init__(self, store: FolderStore) -> None:
        """List them. Raises StorageUnavailableError."""
        self._root = store.root
        with translated():
            self._names = set(_plain_files(self._root))
        self._by_stem: defaultdict[str, list[str]] = defaultdict(list)
        for name in sorted(self._names):
            self._by_stem[Path(name).stem.lower()].append(name)
        self.unreadable: list[str] = []

    def find(self, guid: str, filename: str) -> ImageContents | None:
        """Return what is known of an image's file: `<guid>.*`, else the filename itself.

        A guid is nobody else's, so it comes first; of several files under it the first
        image is meant, else the first file. No path but a plain name counts. What cannot
        be read is as if it were not there, and noted in `unreadable`.
        """
        found = list(self._readable(self._by_stem.get(guid.lower(), ())))
        if not found and filename in self._names:
            found = list(self._readable([filename]))
        return next((each for each in found if each.content_type), found[0] if found else None)

    def _readable(self, names: Iterable[str]) -> Iterator[ImageContents]:
        for name in names:
            try:
                yield _contents(self._root / name)
            except OSError:
                self.unreadable.append(name)


def _plain_files(root: Path) -> Iterator[str]:
    with os.scandir(root) as entries:
        for entry in entries:
            if is_plain_name(entry.name) and entry.is_file(follow_symlinks=False):
                yield entry.name


def _contents(path: Path) -> ImageContents:
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        size = os.fstat(file.fileno()).st_size
    return ImageContents(
        key=OLDER + path.name,
        content_type=_content_type(head),
        size_bytes=size,
        sha256="",
        block_digests=b"",
        width=0,
        height=0,
        generator="",
        model="",
    )


def _content_type(head: bytes) -> str:
    """Return the type that the first bytes show; empty for none of the contract's."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return ImageFormat.PNG.content_type
    if head.startswith(b"\xff\xd8\xff"):
        return ImageFormat.JPEG.content_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return ImageFormat.WEBP.content_type
    return ""
