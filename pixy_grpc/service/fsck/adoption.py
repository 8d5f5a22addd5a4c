"""Gives older images what newer ones are stored with: size, type, dimensions and sums."""

from collections.abc import Iterator, Sequence

from pixy_grpc.core.creations import Creation
from pixy_grpc.core.exceptions import StorageUnavailableError
from pixy_grpc.core.ports import ImageRow
from pixy_grpc.service.creation.keeping import unhindered
from pixy_grpc.service.fsck.candidates import Candidates, Found
from pixy_grpc.service.fsck.description import Description, Reader
from pixy_grpc.service.fsck.findings import Action, Fault, Finding, Progress, Repair, Step
from pixy_grpc.service.fsck.parts import Counts, FsckLimits, FsckParts, soon
from pixy_grpc.service.fsck.rows import walk_pages


class Adoption:
    """Reads the bytes of images that have no sums, and notes what they are now."""

    def __init__(self, parts: FsckParts, counts: Counts, limits: FsckLimits) -> None:
        self._parts = parts
        self._counts = counts
        self._reader = Reader(parts, counts, limits)
        self._candidates = Candidates(parts, self._reader)

    def run(self) -> Iterator[Finding | Repair | Progress]:
        """Adopt every image whose bytes can be told."""
        for page in walk_pages(self._parts, Step.ADOPTION):
            rows = [row for row, _ in page]
            creations, shared = self._creations(rows), self._shared(rows)
            for row, progress in page:
                if row.contents and row.contents.key in shared:
                    detail = "another image names them too; left alone"
                    yield Finding(Fault.SHARED, row.guid, row.contents.key, detail)
                elif not (row.contents and row.contents.sha256):
                    yield from self._adopt(row, creations.get(row.guid))
                yield progress

    def _creations(self, rows: Sequence[ImageRow]) -> dict[str, Creation]:
        """Return the creations of those of whose bytes nothing is known: few, as a rule none."""
        bare = [row.guid for row in rows if row.contents is None]
        found = self._parts.creation.creations.list_by_guid(bare, soon())
        return {each.guid: each for each in found}

    def _shared(self, rows: Sequence[ImageRow]) -> set[str]:
        """Return the files that were pinned to several images, not all of which have sums: an
        earlier PixyProxy wrote one over another of its name, and a sum would seal that.
        """
        keys = [row.contents.key for row in rows if row.contents and not row.contents.sha256]
        return self._parts.inventory.shared(keys, soon())

    def _adopt(self, row: ImageRow, creation: Creation | None) -> Iterator[Finding | Repair]:
        described = yield from self._described(row, creation)
        if described is None:
            return
        if described.is_cut:
            detail = "its bytes begin as an image and do not decode; left alone"
            yield Finding(Fault.NOT_AN_IMAGE, row.guid, described.contents.key, detail)
        else:
            yield from self._noted(row, described)

    def _described(self, row: ImageRow, creation: Creation | None) -> Found:
        if row.contents:
            return self._reader.read(row.contents, row.contents.size_bytes)
        try:
            return (yield from self._candidates.of(row, creation))
        except StorageUnavailableError:  # its attempts are not listed: no other file will do
            self._parts.require_store()
            return None

    def _noted(self, row: ImageRow, described: Description) -> Iterator[Finding | Repair]:
        contents = described.contents
        if unhindered(lambda: self._parts.inventory.set_contents(row, contents, soon())):
            self._counts.unverified -= bool(row.contents)
            mended = None if row.contents else Fault.UNKNOWN_BYTES
            yield Repair(Action.ADOPTED, mended, row.guid, contents.key)
            if not described.is_image:
                detail = "its bytes do not decode, or are too many to try"
                yield Finding(Fault.NOT_AN_IMAGE, row.guid, contents.key, detail)
