"""What is put into a cache of renditions, and what is found there."""

import hashlib
import os
import time
from pathlib import Path

from pixy_grpc.core.contents import ImageContents, digest_blocks
from pixy_grpc.core.models import ImageFormat
from pixy_grpc.core.ports import RenditionCache, RenditionKey
from pixy_grpc.data.rendition_cache import FolderRenditionCache

KIBIBYTE = 1024
CAP = 400 * KIBIBYTE
SIZE = 9 * KIBIBYTE
"""Of one rendition: twelve KiB with its head, in whole pages."""

ON_DISK = 12 * KIBIBYTE


def folder_cache(
    folder: Path, cap_bytes: int = CAP, *, sharers: int = 1, spare_bytes: int = 0
) -> FolderRenditionCache:
    """Return a cache that leaves nothing to others, unless it is told to."""
    root = folder / "renditions"
    return FolderRenditionCache(root, cap_bytes, sharers=sharers, spare_bytes=spare_bytes)


def key_of(guid: str, max_side: int = 128, source: str = "s") -> RenditionKey:
    """Return what is asked for."""
    return RenditionKey(guid, source, max_side, ImageFormat.WEBP)


def described(data: bytes) -> ImageContents:
    """Return what is known of a rendition of these bytes."""
    sha256 = hashlib.sha256(data).hexdigest()
    return ImageContents("", "image/webp", len(data), sha256, digest_blocks(data), 128, 64, "", "")


def put(cache: RenditionCache, key: RenditionKey, data: bytes = b"w" * SIZE) -> bytes:
    """Keep a rendition of these bytes."""
    cache.put(key, described(data), data)
    return data


def kept(cache: RenditionCache, key: RenditionKey) -> bytes | None:
    """Return the bytes that are kept, None where there are none."""
    with cache.open(key) as opened:
        if opened is None:
            return None
        data = opened.source.read(0, opened.source.size_bytes)
        assert opened.contents == described(data)
        return data


def files(folder: Path) -> list[Path]:
    """Return every file of a cache."""
    return [path for path in (folder / "renditions").rglob("*") if path.is_file()]


def used_at(path: Path, seconds_ago: float) -> None:
    """Set when a file was last used."""
    moment = time.time() - seconds_ago
    os.utime(path, (moment, moment))


def total(folder: Path) -> int:
    """Return what a cache takes on disk."""
    return sum(-(-path.stat().st_size // 4096) * 4096 for path in files(folder))
