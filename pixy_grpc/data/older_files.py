"""The files that an earlier PixyProxy left in the folder, found by filename or guid."""

import os
from collections.abc import Iterator
from pathlib import Path

from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.models import ImageFormat
from pixy_grpc.data.folder import OLDER, FolderStore, is_plain_name

_HEAD_BYTES = 12
"""How far a file has to be read to tell its type."""


class OlderFiles:
    """The plain files in the root of a folder store, as they were when it was made."""

    def __init__(self, store: FolderStore) -> None:
        self._root = store.root
        self._names = set(_plain_files(self._root))
        self._by_stem = {Path(name).stem.lower(): name for name in self._names}

    def find(self, guid: str, filename: str) -> ImageContents | None:
        """Return what is known of an image's file: `<guid>.*`, else the filename itself.

        A guid is nobody else's, so it comes first. No path but a plain name counts.
        """
        name = self._by_stem.get(guid.lower())
        if name is None and filename in self._names:
            name = filename
        return _contents(self._root / name) if name else None


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
