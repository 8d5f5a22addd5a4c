"""Walks the rows of images: is each one's every byte there, and right?"""

from collections.abc import Iterator
from itertools import chain

from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.exceptions import (
    ImageCorruptError,
    RecordNotFoundError,
    StorageUnavailableError,
)
from pixy_grpc.core.ports import ImageRow, StoredBytes
from pixy_grpc.service.fsck.findings import Fault, Finding, Progress, Step
from pixy_grpc.service.fsck.measuring import measured
from pixy_grpc.service.fsck.parts import BATCH, Counts, FsckParts, slowly, soon

Walked = tuple[ImageRow, Progress]
"""An image, and how far the walk is with it."""


def walk_rows(parts: FsckParts, step: Step) -> Iterator[Walked]:
    """Yield every image; a page of rows is in memory at a time."""
    return chain.from_iterable(walk_pages(parts, step))


def walk_pages(parts: FsckParts, step: Step) -> Iterator[list[Walked]]:
    """Yield the same, a page at a time."""
    last = parts.inventory.last_number(soon())
    seen = after = 0
    while rows := parts.inventory.list_rows(after, BATCH, soon()):
        after = rows[-1].number
        yield [
            (row, Progress(step, seen + number, row.number, max(last, row.number)))
            for number, row in enumerate(rows, 1)
        ]
        seen += len(rows)


class RowCheck:
    """Holds the bytes of each image to what is known of them."""

    def __init__(self, parts: FsckParts, counts: Counts, *, sums: bool) -> None:
        self._parts = parts
        self._counts = counts
        self._sums = sums

    def run(self) -> Iterator[Finding | Progress]:
        """Check every image."""
        for row, progress in walk_rows(self._parts, Step.ROWS):
            finding = self._check(row)
            if finding and self._is_current(row):
                yield finding
            self._counts.images += 1
            yield progress

    def _check(self, row: ImageRow) -> Finding | None:
        if row.contents is None:
            return Finding(Fault.UNKNOWN_BYTES, row.guid, detail="its bytes are not known")
        try:
            with self._parts.creation.store.open(row.contents.key, slowly()) as source:
                return self._compare(row, row.contents, source)
        except ImageCorruptError as error:
            return _finding(Fault.MISSING, row, error.message)
        except StorageUnavailableError as error:
            self._parts.require_store()  # raises where it is not this one alone
            return _finding(Fault.UNREADABLE, row, error.message)

    def _compare(self, row: ImageRow, known: ImageContents, source: StoredBytes) -> Finding | None:
        if source.size_bytes != known.size_bytes:
            detail = f"has {source.size_bytes} bytes, not {known.size_bytes}"
            return _finding(Fault.WRONG_SIZE, row, detail)
        if not known.sha256:
            self._counts.unverified += 1
            return None
        return self._compare_sums(row, known, source) if self._sums else None

    def _compare_sums(
        self, row: ImageRow, known: ImageContents, source: StoredBytes
    ) -> Finding | None:
        found = measured(source)
        if found.sha256 != known.sha256:
            return _finding(Fault.WRONG_SUM, row, f"has the SHA-256 {found.sha256}")
        if found.block_digests != known.block_digests:
            return _finding(Fault.WRONG_SUM, row, "has other digests of its blocks")
        return None

    def _is_current(self, row: ImageRow) -> bool:
        """Tell whether the row still says so: an image may go while its bytes are read."""
        try:
            stored = self._parts.creation.images.get(row.guid, soon())
        except RecordNotFoundError:
            return False
        return stored.contents == row.contents


def _finding(fault: Fault, row: ImageRow, detail: str) -> Finding:
    return Finding(fault, row.guid, row.contents.key if row.contents else "", detail)
