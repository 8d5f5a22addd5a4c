"""Reads bytes of which no sums are known, for all that newer images are stored with."""

from dataclasses import dataclass, replace

from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.exceptions import (
    ImageCorruptError,
    ProviderBadResponseError,
    StorageUnavailableError,
)
from pixy_grpc.core.ports import StoredBytes
from pixy_grpc.service.fsck.measuring import measured
from pixy_grpc.service.fsck.parts import Counts, FsckLimits, FsckParts, slowly, soon
from pixy_grpc.service.inspection import inspect, sniff

MAX_DECODED_BYTES = 64 * 1024 * 1024
"""The largest file that is decoded, whole in memory: a larger one gets no dimensions."""


@dataclass(frozen=True)
class Description:
    """What bytes are; `is_cut` where they begin as an image of ours and do not decode."""

    contents: ImageContents
    is_cut: bool = False

    @property
    def is_image(self) -> bool:
        """Whether they decode."""
        return bool(self.contents.width)


class Reader:
    """Describes bytes that nobody writes to any more."""

    def __init__(self, parts: FsckParts, counts: Counts, limits: FsckLimits) -> None:
        self._parts = parts
        self._store = parts.creation.store
        self._counts = counts
        self._limits = limits

    def read(self, known: ImageContents, pinned: int | None = None) -> Description | None:
        """Read the bytes; None where they cannot be read, or are not as many as were pinned,
        which the check has told, and where they are so young that somebody may still write.
        """
        try:
            with self._store.open(known.key, slowly()) as source:
                if pinned is not None and source.size_bytes != pinned:
                    return None
                described = _described(known, source)
            return None if self._is_young(known.key) else described
        except ImageCorruptError:
            return None
        except StorageUnavailableError:
            self._parts.require_store()
            return None

    def _is_young(self, key: str) -> bool:
        """Look once they are read: what was written to meanwhile is young."""
        before = self._parts.creation.clock.now() - self._limits.young
        is_young = self._store.modified_at(key, soon()) > before
        self._counts.young += is_young
        return is_young


def _described(known: ImageContents, source: StoredBytes) -> Description:
    found = measured(source)
    contents = replace(
        known,
        size_bytes=found.size_bytes,
        sha256=found.sha256,
        block_digests=found.block_digests,
    )
    if found.size_bytes > MAX_DECODED_BYTES:
        return Description(contents)
    data = source.read(0, found.size_bytes)
    try:
        picture = inspect(data)
    except ProviderBadResponseError:
        return Description(contents, is_cut=sniff(data) is not None)
    kind = picture.format.content_type
    return Description(
        replace(contents, content_type=kind, width=picture.width, height=picture.height)
    )
