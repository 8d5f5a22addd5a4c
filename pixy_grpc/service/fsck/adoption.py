"""Gives older images what newer ones are stored with: size, type, dimensions and sums."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.exceptions import (
    ImageCorruptError,
    ProviderBadResponseError,
    StorageUnavailableError,
)
from pixy_grpc.core.ports import ImageRow, OlderImages, StoredBytes
from pixy_grpc.service.fsck.findings import Action, Fault, Finding, Progress, Repair, Step
from pixy_grpc.service.fsck.measuring import measured
from pixy_grpc.service.fsck.parts import Counts, FsckParts, slowly, soon
from pixy_grpc.service.fsck.rows import walk_rows
from pixy_grpc.service.inspection import inspect

MAX_DECODED_BYTES = 64 * 1024 * 1024
"""The largest file that is decoded, whole in memory: a larger one gets no dimensions."""


class Adoption:
    """Reads the bytes of images that have no sums, and notes what they are now."""

    def __init__(self, parts: FsckParts, counts: Counts) -> None:
        self._parts = parts
        self._counts = counts

    def run(self) -> Iterator[Finding | Repair | Progress]:
        """Adopt every image whose bytes can be told."""
        for row, progress in walk_rows(self._parts, Step.ADOPTION):
            if not (row.contents and row.contents.sha256):
                yield from self._adopt(row)
            yield progress

    def _adopt(self, row: ImageRow) -> Iterator[Finding | Repair]:
        known = row.contents or self._found(row)
        if known is None:
            return
        contents = self._described(row, known)
        if contents and self._parts.inventory.set_contents(row, contents, soon()):
            self._counts.unverified -= bool(row.contents)
            mended = None if row.contents else Fault.UNKNOWN_BYTES
            yield Repair(Action.ADOPTED, mended, row.guid, contents.key)
            if not contents.width:
                detail = "its bytes do not decode, or are too many to try"
                yield Finding(Fault.NOT_AN_IMAGE, row.guid, contents.key, detail)

    def _found(self, row: ImageRow) -> ImageContents | None:
        """Look for the bytes of an image of which none are known.

        Bytes under its guid are nobody else's. A file of its filename counts only where
        the image was never changed, as it may have been renamed to another's, and where
        no other image names that file.
        """
        keys = self._keys(row.guid)
        if keys:
            return _unknown(keys[0])
        found = self._older.find(row.guid, row.filename if row.unchanged else "")
        if found is None or self._parts.inventory.named([found.key], soon()):
            return None
        return found

    def _keys(self, guid: str) -> list[str]:
        try:
            return list(self._parts.creation.store.keys(guid, soon()))
        except ImageCorruptError:  # an older guid that is none, and begins no key
            return []

    def _described(self, row: ImageRow, known: ImageContents) -> ImageContents | None:
        """Read the bytes; None where they cannot be read, or are not as many as were pinned.

        The check has told of both.
        """
        try:
            with self._parts.creation.store.open(known.key, slowly()) as source:
                if row.contents and source.size_bytes != known.size_bytes:
                    return None
                return _measured(known, source)
        except ImageCorruptError:
            return None
        except StorageUnavailableError:
            self._parts.creation.store.ping(soon())
            return None

    @cached_property
    def _older(self) -> OlderImages:
        return self._parts.older()


def _measured(known: ImageContents, source: StoredBytes) -> ImageContents:
    found = measured(source)
    contents = replace(
        known,
        size_bytes=found.size_bytes,
        sha256=found.sha256,
        block_digests=found.block_digests,
    )
    if found.size_bytes > MAX_DECODED_BYTES:
        return contents
    try:
        picture = inspect(source.read(0, found.size_bytes))
    except ProviderBadResponseError:
        return contents
    return replace(
        contents,
        content_type=picture.format.content_type,
        width=picture.width,
        height=picture.height,
    )


def _unknown(key: str) -> ImageContents:
    return ImageContents(
        key=key,
        content_type="",
        size_bytes=0,
        sha256="",
        block_digests=b"",
        width=0,
        height=0,
        generator="",
        model="",
    )
