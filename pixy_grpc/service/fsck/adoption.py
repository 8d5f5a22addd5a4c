"""Gives older images what newer ones are stored with: size, type, dimensions and sums."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from pixy_grpc.core.contents import ImageContents
from pixy_grpc.core.creations import Creation, CreationState
from pixy_grpc.core.exceptions import (
    ImageCorruptError,
    ProviderBadResponseError,
    StorageUnavailableError,
)
from pixy_grpc.core.ports import ImageRow, OlderImages, StoredBytes
from pixy_grpc.service.fsck.findings import Action, Fault, Finding, Progress, Repair, Step
from pixy_grpc.service.fsck.measuring import measured
from pixy_grpc.service.fsck.parts import Counts, FsckParts, slowly, soon
from pixy_grpc.service.fsck.rows import walk_pages
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
        for page in walk_pages(self._parts, Step.ADOPTION):
            creations = self._creations([row for row, _ in page])
            for row, progress in page:
                if not (row.contents and row.contents.sha256):
                    yield from self._adopt(row, creations.get(row.guid))
                yield progress

    def _creations(self, rows: Sequence[ImageRow]) -> dict[str, Creation]:
        """Return the creations of those of whose bytes nothing is known: few, as a rule none."""
        bare = [row.guid for row in rows if row.contents is None]
        found = self._parts.creation.creations.list_by_guid(bare, soon())
        return {each.guid: each for each in found}

    def _adopt(self, row: ImageRow, creation: Creation | None) -> Iterator[Finding | Repair]:
        contents = yield from self._found(row, creation)
        if contents and self._parts.inventory.set_contents(row, contents, soon()):
            self._counts.unverified -= bool(row.contents)
            mended = None if row.contents else Fault.UNKNOWN_BYTES
            yield Repair(Action.ADOPTED, mended, row.guid, contents.key)
            if not contents.width:
                detail = "its bytes do not decode, or are too many to try"
                yield Finding(Fault.NOT_AN_IMAGE, row.guid, contents.key, detail)

    def _found(
        self, row: ImageRow, creation: Creation | None
    ) -> Generator[Finding, None, ImageContents | None]:
        """Look for the bytes of an image, and read them.

        A creation that is done says which they are: no others under the guid will do. Else
        they are the one attempt that is an image. Only an image that no creation made, of an
        earlier PixyProxy then, may have a file in the root.
        """
        if row.contents:
            return self._described(row.contents, row.contents.size_bytes)
        if creation and creation.state is CreationState.DONE:
            return self._described(_made(creation))
        keys = self._keys(row.guid)
        if keys:
            return (yield from self._only_image(row.guid, keys))
        older = None if creation else self._older_file(row)
        return self._described(older) if older else None

    def _only_image(
        self, guid: str, keys: list[str]
    ) -> Generator[Finding, None, ImageContents | None]:
        """Return the one attempt that decodes; tell of all where that is none or several."""
        attempts = [self._described(_unknown(key)) for key in keys]
        images = [each for each in attempts if each and each.width]
        if len(images) == 1:
            return images[0]
        if images:
            detail = f"{len(images)} attempts at it are images: which is meant nobody can tell"
            yield Finding(Fault.UNKNOWN_BYTES, guid, detail=detail)
        for key in keys if not images else ():
            yield Finding(Fault.NOT_AN_IMAGE, guid, key, "its bytes do not decode; left alone")
        return None

    def _older_file(self, row: ImageRow) -> ImageContents | None:
        """Look for the file of an earlier PixyProxy: that of its guid is nobody else's.

        One of its filename counts only where the image was never changed, as it may have
        been renamed to another's, and where no other image names that file.
        """
        found = self._older.find(row.guid, row.filename if row.unchanged else "")
        if found is None or self._parts.inventory.named([found.key], soon()):
            return None
        return found

    def _keys(self, guid: str) -> list[str]:
        try:
            return list(self._parts.creation.store.keys(guid, soon()))
        except ImageCorruptError:  # an older guid that is none, and begins no key
            return []

    def _described(self, known: ImageContents, pinned: int | None = None) -> ImageContents | None:
        """Read the bytes; None where they cannot be read, or are not as many as were pinned.

        The check has told of both.
        """
        try:
            with self._parts.creation.store.open(known.key, slowly()) as source:
                if pinned is not None and source.size_bytes != pinned:
                    return None
                return _measured(known, source)
        except ImageCorruptError:
            return None
        except StorageUnavailableError:
            self._parts.require_store()
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


def _made(done: Creation) -> ImageContents:
    known = _unknown(done.store_key)
    return replace(known, generator=done.generator, model=done.model)


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
